//! Tasks over files that an experiment names: a row of [`TASKS`] with other files, or a task of the user's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{HeadKind, TASKS, TRAIN, Task};
use crate::data::{Columns, Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
use crate::diagnostic::Diagnostic;

/// The benchmark that a task over the user's own files belongs to: none that was published.
pub const OWN_DATA: &str = "own data";

/// The files that an experiment names for a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskFiles {
    /// Trained on.
    pub train: Option<PathBuf>,
    /// Scored on.
    pub dev: Option<PathBuf>,
    /// Predicted; of tasks that tag words, scored as well.
    pub test: Option<PathBuf>,
    /// Their format, of a task of the user's own; none for a row of [`TASKS`], which has its own.
    pub columns: Option<Columns>,
    /// Whether bytes of a published column file that are not UTF-8 are read as U+FFFD; a format says so itself.
    #[serde(default)]
    pub lossy: bool,
}

/// What [`format_text`] says last of a format that is lossy, and all that settings hold of a published one that is.
pub const LOSSY: &str = "lossy";

/// A format of column files as a run's settings hold it: equal formats are equal texts, and a run's id depends on
/// it. Columns are counted from 1, as in experiment files.
#[must_use]
pub fn format_text(format: &Columns) -> String {
    let separator = format.separator.name();
    let scheme = format.scheme.name();
    let token = format.token_column;
    let tag = format.tag_column.map_or_else(|| "last".to_owned(), |column| column.to_string());
    let digit = if format.segmentation_digit { ", segmentation digit" } else { "" };
    let mut text = format!("separator {separator}, scheme {scheme}, token {token}, tag {tag}{digit}");
    if format.lossy {
        text = format!("{text}, {LOSSY}");
    }
    text
}

impl TaskFiles {
    fn of(&self, split: &SplitFile) -> Option<&Path> {
        let file = match FilePart::of(split) {
            FilePart::Train => &self.train,
            FilePart::Dev => &self.dev,
            FilePart::Test => &self.test,
        };
        file.as_deref()
    }
}

/// Which of [`TaskFiles`] stands for a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePart {
    /// What is trained on.
    Train,
    /// What is scored.
    Dev,
    /// What is called test, with labels or without.
    Test,
}

impl FilePart {
    /// Test sets of tags are published with their tags, and are scored as dev sets are; they are `test` here too.
    fn of(split: &SplitFile) -> Self {
        match split.role {
            SplitRole::Train => Self::Train,
            SplitRole::Dev if split.name == TEST => Self::Test,
            SplitRole::Dev => Self::Dev,
            SplitRole::Test => Self::Test,
        }
    }
}

/// Tasks that were made, by name and files. Tasks are `'static`, so each is made once and kept.
static MADE: Mutex<BTreeMap<(String, TaskFiles), &'static Task>> = Mutex::new(BTreeMap::new());

impl Task {
    /// The splits of its dataset, by name, and which file stands for each; none for a dataset that is in no table,
    /// which the tests rule out.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, FilePart)> {
        let splits = self.dataset().map_or(&[][..], |dataset| dataset.splits);
        splits.iter().map(|split| (split.name, FilePart::of(split)))
    }

    /// The task called `name` over `files`: the row of [`TASKS`] with these in place of its own, or, for files
    /// with a format, a task that tags words.
    ///
    /// # Errors
    /// An unknown name without a format of its own.
    pub fn over(name: &str, files: &TaskFiles) -> Result<&'static Self, Diagnostic> {
        if *files == TaskFiles::default() {
            return Self::find(name);
        }
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.to_owned(), files.clone());
        if let Some(task) = made.get(&key) {
            return Ok(task);
        }
        let task = match &files.columns {
            None => replaced(Self::find(name)?, files)?,
            Some(format) => {
                let like = TASKS.iter().find(|task| task.head == HeadKind::Tags);
                let like = like.ok_or_else(|| Diagnostic::new("no task of this build tags words"))?;
                declared(name, like, files, *format)
            }
        };
        let task: &'static Self = Box::leak(Box::new(task));
        made.insert(key, task);
        Ok(task)
    }
}

/// A row of the table with other files.
fn replaced(row: &Task, files: &TaskFiles) -> Result<Task, Diagnostic> {
    let dataset = row.dataset()?;
    let is_own = |split: &str| dataset.split(split).is_ok_and(|split| files.of(split).is_some());
    // Scores over other files than the published ones are not the benchmark's.
    let benchmark = if row.read_splits().any(is_own) { OWN_DATA } else { row.benchmark };
    let splits = dataset.splits.iter().map(|split| {
        let path = files.of(split).map(kept_path);
        SplitFile { path: path.or(split.path), ..*split }
    });
    let reader = match dataset.reader {
        Reader::Columns(format) => Reader::Columns(Columns { lossy: format.lossy || files.lossy, ..format }),
        other @ (Reader::Glue | Reader::GlueOrMsr | Reader::Swag | Reader::Squad) => other,
    };
    let dataset = Dataset { splits: kept_list(splits.collect()), reader, ..*dataset };
    Ok(Task { files: Some(Box::leak(Box::new(dataset))), benchmark, ..*row })
}

/// A task of the user's own that is judged like `like`.
fn declared(name: &str, like: &Task, files: &TaskFiles, format: Columns) -> Task {
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    let named = [
        (TRAIN, "train.txt", SplitRole::Train, &files.train),
        (DEV, "dev.txt", SplitRole::Dev, &files.dev),
        (TEST, "test.txt", SplitRole::Dev, &files.test),
    ];
    let splits = named.into_iter().filter_map(|(split, file, role, path)| {
        let path = Some(kept_path(path.as_deref()?));
        Some(SplitFile { name: split, role, file, also: &[], path, layout: Layout::NONE, examples: 0 })
    });
    let dataset = Dataset {
        name,
        folder: name,
        also: &[],
        labels: Labels::Structured,
        no_gold: None,
        splits: kept_list(splits.collect()),
        reader: Reader::Columns(format),
        manifest: "",
    };
    let dev: &[&str] = if files.test.is_some() { &[DEV, TEST] } else { &[DEV] };
    let files = Some(&*Box::leak(Box::new(dataset)));
    Task { name, title: name, benchmark: OWN_DATA, dataset: name, dev, predicts: &[], files, ..*like }
}

const DEV: &str = "dev";
const TEST: &str = "test";

fn kept_path(path: &Path) -> &'static Path {
    Box::leak(path.to_path_buf().into_boxed_path())
}

fn kept_list(splits: Vec<SplitFile>) -> &'static [SplitFile] {
    Box::leak(splits.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{BadRows, Content};
    use crate::settings::{Scheme, Separator};

    const ROWS: &str = "index\tsentence1\tsentence2\tlabel\n0\tA dog runs.\tA dog moves.\tentailment\n";

    #[test]
    fn a_named_file_takes_the_place_of_a_published_one() {
        let folder = tempfile::tempdir().unwrap();
        let rte = folder.path().join("RTE");
        std::fs::create_dir(&rte).unwrap();
        std::fs::write(rte.join("dev.tsv"), ROWS).unwrap();
        let own = folder.path().join("mine.txt");
        std::fs::write(&own, ROWS.replace("runs", "barks")).unwrap();

        let files = TaskFiles { train: Some(own.clone()), ..TaskFiles::default() };
        let task = Task::over("rte", &files).unwrap();
        let data = task.load(folder.path(), BadRows::Refuse).unwrap();
        assert_eq!(data.train.examples[0].first, "A dog barks.");
        assert_eq!(data.dev[0].examples[0].first, "A dog runs.");
        // Under the published name, so that where the file lies does not decide a run's id.
        let checksums = task.checksums(folder.path()).unwrap();
        assert_eq!(checksums.keys().collect::<Vec<_>>(), ["RTE/dev.tsv", "RTE/train.tsv"]);
        assert_eq!((task.name, task.benchmark), ("rte", OWN_DATA));
        assert_eq!(Task::find("rte").unwrap().benchmark, "GLUE");
        let test = TaskFiles { test: Some(own), ..TaskFiles::default() };
        assert_eq!(Task::over("rte", &test).unwrap().benchmark, "GLUE");
    }

    #[test]
    fn a_published_column_file_is_read_with_bytes_that_are_no_text() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("weibo.txt");
        std::fs::write(&own, b"\xe7\xa7\x910\tB-PER.NAM\n\xe7\xa70\tO\n").unwrap();
        let read = |lossy| {
            let files = TaskFiles { train: Some(own.clone()), lossy, ..TaskFiles::default() };
            let dataset = Task::over("weibo", &files).unwrap().dataset().unwrap();
            dataset.load(folder.path(), dataset.split(TRAIN).unwrap(), BadRows::Refuse)
        };
        let refused = read(false).unwrap_err().to_string();
        assert!(refused.contains("weibo.txt:2: the line is not valid UTF-8 (`--lossy` reads"), "{refused}");
        let Content::Sentences(sentences) = read(true).unwrap() else { panic!("other content") };
        assert_eq!(
            (sentences.sentences[0].words.as_slice(), sentences.replaced),
            (&["科".into(), "\u{fffd}".into()][..], 1)
        );
        let task = Task::over("weibo", &TaskFiles { lossy: true, ..TaskFiles::default() }).unwrap();
        assert_eq!(task.benchmark, Task::find("weibo").unwrap().benchmark, "its own files still");
    }

    #[test]
    fn a_task_is_made_once() {
        let files = TaskFiles { dev: Some(PathBuf::from("a.tsv")), ..TaskFiles::default() };
        let first = Task::over("mrpc", &files).unwrap();
        assert!(std::ptr::eq(first, Task::over("mrpc", &files).unwrap()));
        assert!(!std::ptr::eq(first, Task::over("rte", &files).unwrap()));
        assert!(Task::over("mrcp", &files).is_err());
        let found = Task::over("rte", &TaskFiles::default()).unwrap();
        assert!(std::ptr::eq(found, Task::find("rte").unwrap()));
    }

    #[test]
    fn a_declared_task_has_its_own_files_and_no_others() {
        let like = Task { head: HeadKind::Tags, ..*Task::find("rte").unwrap() };
        let files = TaskFiles {
            train: Some(PathBuf::from("a/train")),
            dev: Some(PathBuf::from("a/dev")),
            columns: Some(Columns::default()),
            ..TaskFiles::default()
        };
        let task = declared("my-ner", &like, &files, Columns::default());
        assert_eq!((task.name, task.benchmark, task.head), ("my-ner", OWN_DATA, HeadKind::Tags));
        let dataset = task.dataset().unwrap();
        let found: Vec<_> = dataset.splits.iter().map(|split| (split.name, split.path)).collect();
        assert_eq!(found, [("train", Some(Path::new("a/train"))), ("dev", Some(Path::new("a/dev")))]);
        let (name, path) = dataset.files(Path::new("nowhere"), dataset.split("dev").unwrap()).unwrap().remove(0);
        assert_eq!((name.as_str(), path.as_path()), ("my-ner/dev.txt", Path::new("a/dev")));
        assert_eq!(task.dev, ["dev"]);
        let tested = TaskFiles { test: Some(PathBuf::from("a/test")), ..files };
        let tested = declared("my-ner", &like, &tested, Columns::default());
        assert_eq!(tested.dev, ["dev", "test"]);
        assert!(tested.parts().any(|part| part == ("test", FilePart::Test)));
    }

    #[test]
    fn every_part_of_a_format_is_in_its_text() {
        let plain = Columns::default();
        let all = [
            plain,
            Columns { separator: Separator::Tab, ..plain },
            Columns { separator: Separator::Space, ..plain },
            Columns { scheme: Scheme::Iob1, ..plain },
            Columns { scheme: Scheme::Iob2, ..plain },
            Columns { scheme: Scheme::Bioes, ..plain },
            Columns { token_column: 2, ..plain },
            Columns { tag_column: Some(2), ..plain },
            Columns { segmentation_digit: true, ..plain },
            Columns { lossy: true, ..plain },
        ];
        let texts: std::collections::BTreeSet<String> = all.iter().map(format_text).collect();
        assert_eq!(texts.len(), all.len(), "{texts:?}");
        assert_eq!(format_text(&plain), "separator any, scheme auto, token 1, tag last");
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Columns>>(&json).unwrap(), all);
    }
}
