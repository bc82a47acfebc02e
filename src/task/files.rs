//! Tasks over files that an experiment names: a row of [`TASKS`] with other files, or a task of the user's own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{HeadKind, TASKS, TRAIN, Task};
use crate::data::{Dataset, Reader, SplitFile, SplitRole};
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
    /// Predicted.
    pub test: Option<PathBuf>,
    /// Their format, of a task of the user's own; none for a row of [`TASKS`], which has its own.
    pub columns: Option<Columns>,
}

/// A column file: a word and its tag a line, an empty line between sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Columns {
    /// What stands between columns.
    pub separator: ColumnSeparator,
    /// How tags say where an entity begins and ends.
    pub scheme: ColumnScheme,
    /// The column of the word, from 1.
    pub token_column: u32,
    /// The column of the tag, from 1; the last one of the line without it.
    pub tag_column: Option<u32>,
    /// Whether each word ends with a digit that is no part of it.
    pub segmentation_digit: bool,
    /// Whether bytes that are not UTF-8 are read as U+FFFD instead of refused.
    pub lossy: bool,
}

/// What stands between the columns of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnSeparator {
    /// A tab where the line has one, else spaces.
    Any,
    /// One space or several.
    Space,
    /// One tab.
    Tab,
}

/// How tags say where an entity begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnScheme {
    /// The one that the file keeps to.
    Auto,
    /// `B` only between entities of one type.
    Iob1,
    /// `B` on every first word.
    Iob2,
    /// `E` on last words and `S` on only ones besides.
    Bioes,
}

impl fmt::Display for Columns {
    /// As a run's settings hold it: equal formats are equal texts, and a run's id depends on it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.separator {
            ColumnSeparator::Any => "any",
            ColumnSeparator::Space => "space",
            ColumnSeparator::Tab => "tab",
        };
        let scheme = match self.scheme {
            ColumnScheme::Auto => "auto",
            ColumnScheme::Iob1 => "iob1",
            ColumnScheme::Iob2 => "iob2",
            ColumnScheme::Bioes => "bioes",
        };
        let tag = self.tag_column.map_or_else(|| "last".to_owned(), |column| column.to_string());
        write!(f, "separator {separator}, scheme {scheme}, token {}, tag {tag}", self.token_column)?;
        if self.segmentation_digit {
            f.write_str(", segmentation digit")?;
        }
        if self.lossy { f.write_str(", lossy") } else { Ok(()) }
    }
}

impl Columns {
    /// How files of this format are read. `known` is the reader of a published dataset of the same shape.
    fn reader(&self, known: Reader) -> Reader {
        known
    }
}

impl TaskFiles {
    /// Whether what is trained on or scored on is the user's own, so that scores are not the benchmark's.
    #[must_use]
    pub fn decide_scores(&self) -> bool {
        self.train.is_some() || self.dev.is_some()
    }

    fn of(&self, split: &SplitFile) -> Option<&Path> {
        let file = match split.role {
            SplitRole::Train => &self.train,
            SplitRole::Dev => &self.dev,
            SplitRole::Test => &self.test,
        };
        file.as_deref()
    }
}

/// Tasks that were made, by name and files. Tasks are `'static`, so each is made once and kept.
static MADE: Mutex<BTreeMap<(String, TaskFiles), &'static Task>> = Mutex::new(BTreeMap::new());

impl Task {
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
            Some(columns) => {
                let like = TASKS.iter().find(|task| task.head == HeadKind::Tags);
                let like = like.ok_or_else(|| Diagnostic::new("no task of this build tags words"))?;
                declared(name, like, files, columns)?
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
    let splits = dataset.splits.iter().map(|split| {
        let path = files.of(split).map(kept_path);
        SplitFile { path: path.or(split.path), ..*split }
    });
    let dataset = Dataset { splits: kept_list(splits.collect()), ..*dataset };
    let benchmark = if files.decide_scores() { OWN_DATA } else { row.benchmark };
    Ok(Task { files: Some(Box::leak(Box::new(dataset))), benchmark, ..*row })
}

/// A task of the user's own that is like `like` in all but its name and files.
fn declared(name: &str, like: &Task, files: &TaskFiles, columns: &Columns) -> Result<Task, Diagnostic> {
    let known = like.dataset()?;
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    let named = [
        (TRAIN, "train.txt", SplitRole::Train, &files.train),
        (DEV, "dev.txt", SplitRole::Dev, &files.dev),
        (TEST, "test.txt", SplitRole::Test, &files.test),
    ];
    let layout = known.splits.first().map_or(crate::data::Layout::NONE, |split| split.layout);
    let splits = named.into_iter().filter_map(|(split, file, role, path)| {
        let path = Some(kept_path(path.as_deref()?));
        Some(SplitFile { name: split, role, file, also: &[], path, layout, examples: 0 })
    });
    let dataset = Dataset {
        name,
        folder: name,
        also: &[],
        splits: kept_list(splits.collect()),
        reader: columns.reader(known.reader),
        manifest: "",
        ..*known
    };
    let files = Some(&*Box::leak(Box::new(dataset)));
    Ok(Task { name, title: name, benchmark: OWN_DATA, dataset: name, dev: &[DEV], predicts: &[], files, ..*like })
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
    use crate::data::BadRows;

    const ROWS: &str = "index\tsentence1\tsentence2\tlabel\n0\tA dog runs.\tA dog moves.\tentailment\n";

    const COLUMNS: Columns = Columns {
        separator: ColumnSeparator::Any,
        scheme: ColumnScheme::Auto,
        token_column: 1,
        tag_column: None,
        segmentation_digit: false,
        lossy: false,
    };

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
            test: None,
            columns: Some(COLUMNS),
        };
        let task = declared("my-ner", &like, &files, &COLUMNS).unwrap();
        assert_eq!((task.name, task.benchmark, task.head), ("my-ner", OWN_DATA, HeadKind::Tags));
        let dataset = task.dataset().unwrap();
        let found: Vec<_> = dataset.splits.iter().map(|split| (split.name, split.path)).collect();
        assert_eq!(found, [("train", Some(Path::new("a/train"))), ("dev", Some(Path::new("a/dev")))]);
        let (name, path) = dataset.files(Path::new("nowhere"), dataset.split("dev").unwrap()).unwrap().remove(0);
        assert_eq!((name.as_str(), path.as_path()), ("my-ner/dev.txt", Path::new("a/dev")));
    }

    #[test]
    fn every_part_of_a_format_is_in_its_text() {
        let others = [
            COLUMNS,
            Columns { separator: ColumnSeparator::Tab, ..COLUMNS },
            Columns { separator: ColumnSeparator::Space, ..COLUMNS },
            Columns { scheme: ColumnScheme::Iob1, ..COLUMNS },
            Columns { scheme: ColumnScheme::Iob2, ..COLUMNS },
            Columns { scheme: ColumnScheme::Bioes, ..COLUMNS },
            Columns { token_column: 2, ..COLUMNS },
            Columns { tag_column: Some(2), ..COLUMNS },
            Columns { segmentation_digit: true, ..COLUMNS },
            Columns { lossy: true, ..COLUMNS },
        ];
        let texts: std::collections::BTreeSet<String> = others.iter().map(Columns::to_string).collect();
        assert_eq!(texts.len(), others.len(), "{texts:?}");
        assert_eq!(COLUMNS.to_string(), "separator any, scheme auto, token 1, tag last");
    }
}
