//! The text of dev splits, for reports that show what models were asked: `runs/<experiment>/.examples/`, a file for each
//! split of the data, whichever runs answered it. A copy of `runs/` so has all that a report shows.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::atomic;
use super::error::StoreError;
use super::folder::RunFolder;
use super::sealed;
use super::settings::{RunSettings, TaskObjective};

/// The folder in an experiment's folder that holds the texts. No task's name starts with a dot.
pub(super) const EXAMPLES: &str = ".examples";

/// The examples of a split in the order of its file: entry *i* is what entry *i* of [`Answers`](super::Answers) answers.
/// Tagged words are not among them: a run's predictions repeat the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Examples {
    /// Texts and pairs of texts.
    Texts(Vec<ExampleText>),
    /// Beginnings with several endings.
    Choices(Vec<ExampleChoice>),
    /// Questions about paragraphs.
    Questions(Vec<ExampleQuestion>),
}

/// One text or two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleText {
    /// The first text.
    pub first: String,
    /// The second, of a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
}

/// A beginning with its endings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleChoice {
    /// What comes before.
    pub context: String,
    /// The endings, of which one is right.
    pub endings: Vec<String>,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleQuestion {
    /// Its id, by which predictions name it.
    pub id: String,
    /// The question as asked.
    pub question: String,
    /// The annotators' answers, each once; none where the paragraph does not answer.
    pub answers: Vec<String>,
    /// The paragraph's text around the first answer, or its beginning.
    pub context: String,
    /// White-space-separated words of the whole paragraph.
    pub context_words: u32,
}

impl Examples {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Texts(all) => all.len(),
            Self::Choices(all) => all.len(),
            Self::Questions(all) => all.len(),
        }
    }
}

/// The name of the file that holds the examples of a dev split which runs with these settings are scored on: of all that
/// decides which these are. None of a run that pretrains.
#[must_use]
pub fn examples_name(settings: &RunSettings, split: &str) -> Option<String> {
    let of = settings.task()?;
    Some(format!("{}-{split}-{}", of.task, ending(of)))
}

/// How the names of the texts end that runs of this objective are scored on, whatever the split.
pub(super) fn ending(of: &TaskObjective) -> String {
    // Fields and map keys serialise in a fixed order.
    let decisive = serde_json::to_vec(&(&of.task, &of.options, &of.data_sha256, of.skip_bad_rows)).unwrap_or_default();
    format!("{}.json", &blake3::hash(&decisive).to_hex()[..16])
}

impl RunFolder {
    fn examples_path(&self, settings: &RunSettings, split: &str) -> Option<PathBuf> {
        Some(self.experiment_folder().join(EXAMPLES).join(examples_name(settings, split)?))
    }

    /// Keeps the examples of a dev split, which `read` reads, unless an earlier run on the same data kept them.
    ///
    /// # Errors
    /// What `read` says; when the disk says no.
    pub fn keep_examples<E: From<StoreError>>(
        &self,
        settings: &RunSettings,
        split: &str,
        read: impl FnOnce() -> Result<Option<Examples>, E>,
    ) -> Result<(), E> {
        let Some(path) = self.examples_path(settings, split) else { return Ok(()) };
        if sealed::read::<Examples>(&path).is_ok_and(|kept| kept.is_some()) {
            return Ok(());
        }
        if let Some(examples) = read()? {
            let write = || {
                fs::create_dir_all(atomic::parent(&path))?;
                sealed::write_sealed(&path, &examples)
            };
            write().map_err(StoreError::from)?;
        }
        Ok(())
    }

    /// The examples of a dev split that runs with these settings are scored on, where they were kept.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; when the file cannot be read.
    pub fn examples(&self, settings: &RunSettings, split: &str) -> Result<Option<Examples>, StoreError> {
        match self.examples_path(settings, split) {
            Some(path) => sealed::read(&path),
            None => Ok(None),
        }
    }

    /// The text of a file that the run left, if it is there and as `record` says.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; when it cannot be read.
    pub fn side_file(&self, record: &super::Record, name: &str) -> Result<Option<String>, StoreError> {
        let path = self.path().join(name);
        if !path.exists() {
            return Ok(None);
        }
        self.check_side_file(record, name)?;
        text(&path).map(Some)
    }
}

fn text(path: &Path) -> Result<String, StoreError> {
    fs::read_to_string(path).map_err(|error| atomic::about("cannot read", path, &error).into())
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn examples_are_kept_once_for_all_runs_on_the_same_data_and_damage_is_named() {
        let (disk, root) = example::runs();
        let folder = |settings: &RunSettings| root.folder("mini", settings).unwrap();
        let (first, second) = (example::settings("rte", 1), example::settings("rte", 2));
        let examples = Examples::Texts(vec![ExampleText { first: "a".into(), second: Some("b \u{1b}".into()) }]);
        assert_eq!(folder(&first).examples(&first, "dev").unwrap(), None);
        let keep = |settings: &RunSettings, found: Option<Examples>| {
            let mut was_asked = false;
            let read = || {
                was_asked = true;
                Ok::<_, StoreError>(found)
            };
            folder(settings).keep_examples(settings, "dev", read).unwrap();
            was_asked
        };
        assert!(keep(&first, Some(examples.clone())));
        assert!(!keep(&second, None), "another seed, the same data");
        assert_eq!(folder(&second).examples(&second, "dev").unwrap(), Some(examples.clone()));
        let mut other = first.clone();
        let super::super::Objective::Task(of) = &mut other.objective else { panic!() };
        of.data_sha256.insert("dev.tsv".to_owned(), "01".to_owned());
        assert_ne!(examples_name(&other, "dev"), examples_name(&first, "dev"));
        assert_eq!(folder(&other).examples(&other, "dev").unwrap(), None);
        assert_eq!(examples_name(&example::pretraining(1), "dev"), None);
        // The experiment has no task of that name, and a damaged file is written again.
        assert!(root.folders("mini").unwrap().is_empty());
        let path = disk.path().join("mini/.examples").join(examples_name(&first, "dev").unwrap());
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, String::from_utf8(whole).unwrap().replace("\"a\"", "\"c\"")).unwrap();
        assert!(folder(&first).examples(&first, "dev").unwrap_err().is_damage());
        assert!(keep(&second, Some(examples.clone())));
        assert_eq!(folder(&first).examples(&first, "dev").unwrap(), Some(examples));
    }
}
