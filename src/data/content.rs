//! What a split holds, whatever its format.

use std::path::{Path, PathBuf};

use super::columns::{Sentences, is_labelled, sentences_of};
use super::dataset::{Dataset, Reader, SplitFile, SplitRole};
use super::example::{BadRows, Split};
use super::folder::DatasetFolder;
use super::lone::LoneTable;
use super::squad::{Questions, SquadVersion, questions_of};
use super::swag::{Choices, choices_of};
use super::{glue, msr, text_file};
use crate::diagnostic::{Diagnostic, suggest};

/// The examples of a split.
#[derive(Clone, Debug)]
pub enum Content {
    /// Texts and pairs of texts.
    Texts(Split),
    /// Beginnings with several endings.
    Choices(Choices),
    /// Questions about paragraphs.
    Questions(Questions),
    /// Words with tags.
    Sentences(Sentences),
}

impl Content {
    /// The number of examples, as the dataset's publisher counts them.
    #[must_use]
    pub fn examples(&self) -> usize {
        match self {
            Self::Texts(split) => split.examples.len(),
            Self::Choices(choices) => choices.choices.len(),
            Self::Questions(questions) => questions.questions.len(),
            Self::Sentences(sentences) => sentences.sentences.len(),
        }
    }

    /// Malformed examples that were left out under [`BadRows::Skip`].
    #[must_use]
    pub fn skipped(&self) -> u64 {
        match self {
            Self::Texts(split) => split.skipped,
            Self::Choices(choices) => choices.skipped,
            Self::Questions(questions) => questions.skipped,
            Self::Sentences(sentences) => sentences.skipped,
        }
    }
}

impl Dataset {
    /// Reads a split of a dataset of tables from the data root `root`. Texts come out as they stand in the file,
    /// byte for byte.
    ///
    /// # Errors
    /// A dataset of another format; a folder or file that is missing or cannot be read; an empty file; with
    /// [`BadRows::Refuse`], the first malformed row.
    pub fn read(&self, root: &Path, split: &SplitFile, bad_rows: BadRows) -> Result<Split, Diagnostic> {
        if !matches!(self.reader, Reader::Glue | Reader::GlueOrMsr) {
            return Err(Diagnostic::new(format!("{} is not made of tables", self.name)));
        }
        if let Some(path) = self.paths.get(split.name) {
            return glue::read(self, split, path, bad_rows);
        }
        let folder = DatasetFolder::find(self, root)?;
        match (self.reader, folder.split(split)) {
            (Reader::GlueOrMsr, Err(missing)) => msr::read(self, split, &folder, bad_rows).unwrap_or(Err(missing)),
            (_, file) => glue::read(self, split, &file?, bad_rows),
        }
    }

    /// Whether the files of a split are in the data root.
    #[must_use]
    pub fn has(&self, root: &Path, split: &SplitFile) -> bool {
        self.files(root, split).is_ok_and(|files| files.iter().all(|(_, path)| path.is_file()))
    }

    /// The one file that a split is read from.
    fn file(&self, root: &Path, split: &SplitFile) -> Result<PathBuf, Diagnostic> {
        match self.paths.get(split.name) {
            Some(path) => Ok(path.clone()),
            None => DatasetFolder::find(self, root)?.split(split),
        }
    }

    /// The files that a split is read from: `(name, path)`. The name is `<folder>/<file>` as published, so
    /// that it does not depend on how the user spelled the folder.
    ///
    /// # Errors
    /// As [`Dataset::read`] for a missing folder or file.
    pub fn files(&self, root: &Path, split: &SplitFile) -> Result<Vec<(String, PathBuf)>, Diagnostic> {
        let named = |files: Vec<(&str, PathBuf)>| {
            files.into_iter().map(|(file, path)| (format!("{}/{file}", self.folder), path)).collect()
        };
        if let Some(path) = self.paths.get(split.name) {
            return Ok(named(vec![(split.file, path.clone())]));
        }
        let folder = DatasetFolder::find(self, root)?;
        match (self.reader, folder.split(split)) {
            (_, Ok(path)) => Ok(named(vec![(split.file, path)])),
            (Reader::GlueOrMsr, Err(missing)) => msr::files(split, &folder).map(named).ok_or(missing),
            (_, Err(missing)) => Err(missing),
        }
    }

    /// Reads a split from the data root `root`, whatever its format.
    ///
    /// # Errors
    /// A folder or file that is missing or cannot be read; an empty file; with [`BadRows::Refuse`], the first
    /// malformed example.
    pub fn load(&self, root: &Path, split: &SplitFile, bad_rows: BadRows) -> Result<Content, Diagnostic> {
        if matches!(self.reader, Reader::Glue | Reader::GlueOrMsr) {
            return Ok(Content::Texts(self.read(root, split, bad_rows)?));
        }
        let path = self.file(root, split)?;
        self.content_of(&text_file::read(&path)?, &path, Some(split.role != SplitRole::Test), bad_rows)
    }

    /// Reads a file in the format of a dataset that is not made of tables, whose bytes are at hand; `path` is its
    /// name. `like` names the split that it is laid out as, or [`LoneTable::TEXTS`] for one without answers; where it
    /// is left out, answers are read if there are some.
    ///
    /// # Errors
    /// A dataset of tables, which [`LoneTable`] reads; an unknown split; then as [`Dataset::load`].
    pub fn read_lone(
        &self,
        bytes: &[u8],
        path: &Path,
        like: Option<&str>,
        bad_rows: BadRows,
    ) -> Result<Content, Diagnostic> {
        let labelled = like.map(|name| self.has_answers(name)).transpose()?;
        self.content_of(bytes, path, labelled, bad_rows)
    }

    /// What a file holds that is no table; whether it has answers is found out where `labelled` does not say it.
    fn content_of(
        &self,
        bytes: &[u8],
        path: &Path,
        labelled: Option<bool>,
        bad_rows: BadRows,
    ) -> Result<Content, Diagnostic> {
        Ok(match self.reader {
            Reader::Glue | Reader::GlueOrMsr => {
                return Err(Diagnostic::new(format!("{} is made of tables", self.name)).in_file(path));
            }
            Reader::Swag => Content::Choices(choices_of(bytes, path, labelled, bad_rows)?),
            Reader::Squad { unanswerable } => {
                let mut questions = questions_of(bytes, path, SquadVersion { unanswerable, labelled }, bad_rows)?;
                if labelled == Some(false) {
                    for question in &mut questions.questions {
                        question.answers.clear();
                        question.impossible = false;
                    }
                }
                Content::Questions(questions)
            }
            Reader::Columns(format) => {
                let labelled = labelled.unwrap_or_else(|| is_labelled(bytes, &format));
                Content::Sentences(sentences_of(bytes, path, &format, labelled, bad_rows)?)
            }
        })
    }

    /// Whether the split called `name` is published with its answers.
    fn has_answers(&self, name: &str) -> Result<bool, Diagnostic> {
        if name == LoneTable::TEXTS {
            return Ok(false);
        }
        let found = self.splits.iter().find(|split| split.name == name).ok_or_else(|| {
            let known = self.splits.iter().map(|split| split.name).chain([LoneTable::TEXTS]);
            Diagnostic::new(format!("no file of {} is laid out as `{name}`", self.name)).hint(suggest(name, known))
        })?;
        Ok(found.role != SplitRole::Test)
    }
}
