//! Tasks over files that an experiment names: a row of [`TASKS`](super::TASKS) with other files, or a task of the user's own.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::table::ENTITIES;
use super::{TRAIN, Task};
use crate::data::{Columns, Dataset, Labels, Layout, Reader, SplitFile, SplitRole};
use crate::diagnostic::Diagnostic;
use crate::model::Head;
use crate::settings::{TaskFiles, written};

/// The benchmark that a task over the user's own files belongs to: none that was published.
pub const OWN_DATA: &str = "own data";

/// What [`format_text`] says last of a format that is lossy, and all that settings hold of a published one that is.
pub const LOSSY: &str = "lossy";

/// A format of column files as a run's settings hold it: equal formats are equal texts, and a run's id depends on
/// it. Columns are counted from 1, as in experiment files.
#[must_use]
pub fn format_text(format: &Columns) -> String {
    let separator = written(&format.separator);
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

/// The one of `files` that stands for a split.
fn file_of<'a>(files: &'a TaskFiles, split: &SplitFile) -> Option<&'a Path> {
    let file = match split.role {
        SplitRole::Train => &files.train,
        _ if is_test(split) => &files.test,
        SplitRole::Dev | SplitRole::Test => &files.dev,
    };
    file.as_deref()
}

/// Whether what is called test stands for a split. Test sets of tags are published with their tags, and are scored as dev
/// sets are; they are `test` here too.
#[must_use]
pub fn is_test(split: &SplitFile) -> bool {
    split.role == SplitRole::Test || split.name == TEST
}

impl Task {
    /// The task called `name` over `files`: the row of [`TASKS`](super::TASKS) with these in place of its own, or, for
    /// files with a format, a task that tags words.
    ///
    /// # Errors
    /// An unknown name without a format of its own.
    pub fn over(name: &str, files: &TaskFiles) -> Result<Cow<'static, Self>, Diagnostic> {
        if *files == TaskFiles::default() {
            return Self::find(name).map(Cow::Borrowed);
        }
        Ok(Cow::Owned(match files.columns {
            None => replaced(Self::find(name)?, files),
            Some(format) => declared(name, files, format),
        }))
    }
}

/// A row of the table with other files.
fn replaced(row: &Task, files: &TaskFiles) -> Task {
    let mut task = row.clone();
    let own = row.dataset.splits.iter().filter_map(|split| Some((split, file_of(files, split)?.to_path_buf())));
    let own: Vec<(&SplitFile, PathBuf)> = own.collect();
    // Scores over other files than the published ones are not the benchmark's.
    if own.iter().any(|(split, _)| split.role != SplitRole::Test) {
        task.benchmark = OWN_DATA;
    }
    let dataset = task.dataset.to_mut();
    dataset.paths.extend(own.into_iter().map(|(split, path)| (split.name, path)));
    if let Reader::Columns(format) = &mut dataset.reader {
        format.lossy |= files.lossy;
    }
    task
}

/// A task of the user's own, whose files have a word and its tag a line.
fn declared(name: &str, files: &TaskFiles, format: Columns) -> Task {
    let name: Cow<'static, str> = Cow::Owned(name.to_owned());
    let named = OWN_SPLITS.iter().filter_map(|split| Some((split.name, file_of(files, split)?.to_path_buf())));
    let dataset = Dataset {
        name: name.clone(),
        group: None,
        folder: name.clone(),
        also: &[],
        labels: Labels::Structured,
        no_gold: None,
        splits: if files.test.is_some() { &OWN_SPLITS } else { &OWN_SPLITS[..2] },
        paths: named.collect(),
        reader: Reader::Columns(format),
        manifest: "",
    };
    Task {
        name: name.clone(),
        title: name,
        benchmark: OWN_DATA,
        dataset: Cow::Owned(dataset),
        head: Head::Tags,
        metrics: ENTITIES,
        also_predicts: &[],
        similarity: false,
    }
}

const TEST: &str = "test";

/// The splits of a task of the user's own; the last one may be left out.
const OWN_SPLITS: [SplitFile; 3] = [
    own_split(TRAIN, "train.txt", SplitRole::Train),
    own_split("dev", "dev.txt", SplitRole::Dev),
    own_split(TEST, "test.txt", SplitRole::Dev),
];

const fn own_split(name: &'static str, file: &'static str, role: SplitRole) -> SplitFile {
    SplitFile { name, role, file, also: &[], layout: Layout::NONE, examples: 0 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
        let first = |split: &str| {
            let split = task.dataset.split(split).unwrap();
            task.dataset.read(folder.path(), split, BadRows::Refuse).unwrap().examples.remove(0).first
        };
        assert_eq!((first("train").as_str(), first("dev").as_str()), ("A dog barks.", "A dog runs."));
        // Under the published name, so that where the file lies does not decide a run's id.
        let checksums = task.checksums(folder.path()).unwrap();
        assert_eq!(checksums.keys().collect::<Vec<_>>(), ["RTE/dev.tsv", "RTE/train.tsv"]);
        assert_eq!((&*task.name, task.benchmark), ("rte", OWN_DATA));
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
            let dataset = &Task::over("weibo", &files).unwrap().dataset;
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
    fn a_row_without_files_is_the_row_and_with_files_a_copy() {
        let files = TaskFiles { dev: Some(PathBuf::from("a.tsv")), ..TaskFiles::default() };
        let own = Task::over("mrpc", &files).unwrap();
        assert_eq!(own.dataset.paths, BTreeMap::from([("dev", PathBuf::from("a.tsv"))]));
        assert!(Task::find("mrpc").unwrap().dataset.paths.is_empty());
        assert!(Task::over("mrcp", &files).is_err());
        let found = Task::over("rte", &TaskFiles::default()).unwrap();
        assert!(matches!(found, Cow::Borrowed(row) if std::ptr::eq(row, Task::find("rte").unwrap())));
    }

    #[test]
    fn a_declared_task_has_its_own_files_and_no_others() {
        let files = TaskFiles {
            train: Some(PathBuf::from("a/train")),
            dev: Some(PathBuf::from("a/dev")),
            columns: Some(Columns::default()),
            ..TaskFiles::default()
        };
        let task = declared("my-ner", &files, Columns::default());
        assert_eq!((&*task.name, task.benchmark, task.head), ("my-ner", OWN_DATA, Head::Tags));
        let dataset = &task.dataset;
        let found: Vec<_> = dataset.splits.iter().map(|split| (split.name, &*dataset.paths[split.name])).collect();
        assert_eq!(found, [("train", Path::new("a/train")), ("dev", Path::new("a/dev"))]);
        let (name, path) = dataset.files(Path::new("nowhere"), dataset.split("dev").unwrap()).unwrap().remove(0);
        assert_eq!((name.as_str(), path.as_path()), ("my-ner/dev.txt", Path::new("a/dev")));
        let names = |task: &Task| task.dev().map(|split| split.name).collect::<Vec<_>>();
        assert_eq!(names(&task), ["dev"]);
        let tested = TaskFiles { test: Some(PathBuf::from("a/test")), ..files };
        let tested = declared("my-ner", &tested, Columns::default());
        assert_eq!(names(&tested), ["dev", "test"]);
        assert!(is_test(tested.dev().last().unwrap()));
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
