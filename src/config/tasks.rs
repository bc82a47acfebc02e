//! The checks of `tasks` and `task_settings`: known or declared, settings that the task has, windows without
//! gaps.

use std::path::PathBuf;

use super::document::Document;
use super::lengths::long_enough;
use super::task::{KnownTask, Task, TaskShape, WrittenTask};
use super::values::{for_example, is_name, no_duplicates, not_empty, path, tidy};
use super::written::Written;
use crate::diagnostic::{Diagnostic, suggest};
use crate::settings::{Columns, MAX_COLUMN, SpanOptions, TaskFiles};

/// `[CLS]`, and a `[SEP]` behind the question and behind the window (google-research/bert, `run_squad.py`).
const WINDOW_SPECIALS: u32 = 3;

/// Longest sequence in tokens of a declared task that names none: a sentence of the published NER sets.
const DECLARED_LENGTH: u32 = 128;

/// The tasks in file order, each with all of its settings.
pub(super) fn resolve_all(
    document: &Document,
    written: &Written,
    known: &[KnownTask],
) -> Result<Vec<Task>, Diagnostic> {
    not_empty(document, "tasks", &written.tasks)?;
    let found: Vec<Option<&KnownTask>> =
        written.tasks.iter().map(|name| known.iter().find(|k| k.name == name)).collect();
    for (index, (name, known_task)) in written.tasks.iter().zip(&found).enumerate() {
        if known_task.is_none() && !is_declared(written, name) {
            return Err(unknown(document, index, name, written, known));
        }
    }
    no_duplicates(document, "tasks", &written.tasks)?;
    for name in document.keys_of("task_settings") {
        if !written.tasks.contains(&name) {
            let message = format!("`{name}` has settings, but is not one of `tasks`");
            let found = document.at_key_of("task_settings", &name, message);
            return Err(found.hint(match suggest(&name, written.tasks.iter().map(String::as_str)) {
                near if near.ends_with('?') => near,
                _ => "add it to `tasks`, or remove its settings".to_owned(),
            }));
        }
    }
    let none = WrittenTask::default();
    let resolve = |(name, known_task): (&String, Option<&KnownTask>)| {
        let settings = Settings { document, name, written: written.task_settings.get(name).unwrap_or(&none), known };
        settings.resolve(known_task, written.training.max_length)
    };
    written.tasks.iter().zip(found).map(resolve).collect()
}

/// Whether the file says of a task what only its maker can say.
fn is_declared(written: &Written, name: &str) -> bool {
    written
        .task_settings
        .get(name)
        .is_some_and(|own| own.columns.is_some() || own.train.is_some() || own.dev.is_some() || own.test.is_some())
}

fn unknown(document: &Document, index: usize, name: &str, written: &Written, known: &[KnownTask]) -> Diagnostic {
    let found = document.at_key(&format!("tasks.{index}"), format!("unknown task `{name}`"));
    if name.eq_ignore_ascii_case("ax") {
        return found.hint("AX is answered by the model of `mnli`: list that");
    }
    let declared = written.task_settings.keys().map(String::as_str).filter(|own| is_declared(written, own));
    let near = suggest(name, known.iter().map(|task| task.name).chain(declared));
    if !is_name(name, &['-', '_']) {
        return found.hint(near);
    }
    let stop = if near.ends_with('?') { "" } else { "." };
    found.hint(format!(
        "{near}{stop} A task of your own is declared: `task_settings: {{{name}: {{train: FILE, dev: FILE}}}}`"
    ))
}

/// What the file says of one task.
struct Settings<'a> {
    document: &'a Document,
    name: &'a str,
    written: &'a WrittenTask,
    known: &'a [KnownTask],
}

impl Settings<'_> {
    fn key(&self, key: &str) -> String {
        format!("task_settings.{}.{key}", self.name)
    }

    /// A finding about a key of this task that should not be there.
    fn misplaced(&self, key: &str, message: String) -> Diagnostic {
        self.document.at_key_name(&self.key(key), message)
    }

    fn resolve(&self, known: Option<&KnownTask>, for_all: Option<u32>) -> Result<Task, Diagnostic> {
        if let Some(length) = self.written.max_length {
            long_enough(self.document, &self.key("max_length"), Some(length))?;
        }
        let mut files = self.files()?;
        let (shape, default_length) = if let Some(known) = known {
            self.keeps_its_format(known)?;
            (known.shape, known.max_length)
        } else {
            files.columns = Some(self.declared()?);
            (TaskShape::Tags(self.written.context.unwrap_or_default()), DECLARED_LENGTH)
        };
        let max_length = self.written.max_length.or(for_all).unwrap_or(default_length);
        let shape = self.shape(shape, max_length)?;
        let reads_data_folder = known.is_some_and(|known| {
            let named = files.train.is_some()
                && (files.dev.is_some() || known.dev_files == 0)
                && (files.test.is_some() || !known.test_is_scored);
            !named
        });
        let (name, similarity) = (self.name.to_owned(), known.is_some_and(|known| known.similarity));
        let pairs = known.is_some_and(|known| known.pairs);
        Ok(Task { name, max_length, shape, similarity, pairs, files, reads_data_folder })
    }

    fn files(&self) -> Result<TaskFiles, Diagnostic> {
        let file = |key: &str, written: &Option<String>| -> Result<Option<PathBuf>, Diagnostic> {
            written.as_ref().map(|file| path(self.document, &self.key(key), file)).transpose()
        };
        let WrittenTask { train, dev, test, .. } = self.written;
        let (train, dev, test) = (file("train", train)?, file("dev", dev)?, file("test", test)?);
        Ok(TaskFiles { train, dev, test, ..TaskFiles::default() })
    }

    /// Refuses what a known task's files cannot be given.
    fn keeps_its_format(&self, known: &KnownTask) -> Result<(), Diagnostic> {
        let name = self.name;
        if self.written.columns.is_some() {
            let found = self.misplaced("columns", format!("`{name}` has a published file format"));
            return Err(found.hint("remove `columns`; a task of your own, under another name, has them"));
        }
        let splits = [("dev", &self.written.dev, known.dev_files), ("test", &self.written.test, known.test_files)];
        for (key, file, count) in splits {
            if file.is_some() && count != 1 {
                let has = if count == 0 { format!("no {key} split") } else { format!("{count} {key} splits") };
                let found = self.misplaced(key, format!("`{name}` has {has}, so `{key}` cannot name its file"));
                return Err(found.hint("remove it; `data: FOLDER` names a folder of files in the official layout"));
            }
        }
        Ok(())
    }

    /// The format of a declared task, which must have a name for a folder and files.
    fn declared(&self) -> Result<Columns, Diagnostic> {
        let name = self.name;
        if !is_name(name, &['-', '_']) {
            let message = "a task's name becomes a folder's: letters, digits, `-` and `_`, a letter or digit first";
            let found = self.document.at_key_of("task_settings", name, message);
            return Err(found.hint(format!("for example `{}`", tidy(name))));
        }
        for (key, file) in [("train", &self.written.train), ("dev", &self.written.dev)] {
            if file.is_none() {
                let message = format!("`{name}` is a task of your own, and lacks the key `{key}`");
                let found = self.document.at_key_of("task_settings", name, message);
                return Err(
                    found.hint(format!("add `{key}: path/to/{key}.txt`; `bertbench list tasks` has the known tasks"))
                );
            }
        }
        let columns = self.written.columns.unwrap_or_default();
        let written = [("token_column", Some(columns.token_column)), ("tag_column", columns.tag_column)];
        for (key, column) in written {
            if column.is_some_and(|column| !(1..=MAX_COLUMN).contains(&column)) {
                let message = format!("`{key}` takes 1 to {MAX_COLUMN}, found `{}`", column.unwrap_or_default());
                let found = self.document.at_key(&self.key(&format!("columns.{key}")), message);
                return Err(found.hint("columns are counted from 1"));
            }
        }
        if columns.tag_column == Some(columns.token_column) {
            let message = format!("word and tag are both in column {}", columns.token_column);
            let found = self.document.at_key(&self.key("columns.tag_column"), message);
            return Err(found.hint("columns are counted from 1; without `tag_column` it is the last one"));
        }
        Ok(columns)
    }

    /// The shape with the file's settings, which must be of that shape.
    fn shape(&self, shape: TaskShape, max_length: u32) -> Result<TaskShape, Diagnostic> {
        let own = self.written;
        let windows = [
            ("doc_stride", own.doc_stride.is_some()),
            ("max_query_length", own.max_query_length.is_some()),
            ("max_answer_length", own.max_answer_length.is_some()),
            ("n_best_size", own.n_best_size.is_some()),
            ("null_score_diff_threshold", own.null_score_diff_threshold.is_some()),
        ];
        if let (TaskShape::Texts | TaskShape::Tags(_), Some((key, _))) = (shape, windows.iter().find(|(_, on)| *on)) {
            let message = format!("`{key}` is for windows of long texts, which `{}` does not have", self.name);
            return Err(self
                .misplaced(key, message)
                .hint(self.remove_or_use(|shape| matches!(shape, TaskShape::Spans(_)))));
        }
        if let (TaskShape::Texts | TaskShape::Spans(_), true) = (shape, own.context.is_some()) {
            let message =
                format!("`context` is for sentences whose words are tagged, which `{}` does not have", self.name);
            return Err(self
                .misplaced("context", message)
                .hint(self.remove_or_use(|shape| matches!(shape, TaskShape::Tags(_)))));
        }
        match shape {
            TaskShape::Texts => Ok(TaskShape::Texts),
            TaskShape::Tags(context) => Ok(TaskShape::Tags(own.context.unwrap_or(context))),
            TaskShape::Spans(default) => self.windows(default, max_length).map(TaskShape::Spans),
        }
    }

    fn remove_or_use(&self, has_it: impl Fn(&TaskShape) -> bool) -> String {
        let having: Vec<&str> = self.known.iter().filter(|task| has_it(&task.shape)).map(|task| task.name).collect();
        if having.is_empty() { "remove it".to_owned() } else { format!("remove it; it is for {}", having.join(", ")) }
    }

    fn windows(&self, default: SpanOptions, max_length: u32) -> Result<SpanOptions, Diagnostic> {
        let own = self.written;
        let windows = SpanOptions {
            doc_stride: own.doc_stride.unwrap_or(default.doc_stride),
            max_query_length: own.max_query_length.unwrap_or(default.max_query_length),
            max_answer_length: own.max_answer_length.unwrap_or(default.max_answer_length),
            n_best_size: own.n_best_size.unwrap_or(default.n_best_size),
            null_score_diff_threshold: own.null_score_diff_threshold.unwrap_or(default.null_score_diff_threshold),
        };
        let counts = [
            ("doc_stride", windows.doc_stride),
            ("max_query_length", windows.max_query_length),
            ("max_answer_length", windows.max_answer_length),
            ("n_best_size", windows.n_best_size),
        ];
        if let Some((key, _)) = counts.iter().find(|(_, value)| *value == 0) {
            let found = self.document.at_key(&self.key(key), format!("`{key}` takes 1 or more, found `0`"));
            return Err(found.hint(for_example(key)));
        }
        if !windows.null_score_diff_threshold.is_finite() {
            let found = self
                .document
                .at_key(&self.key("null_score_diff_threshold"), "`null_score_diff_threshold` takes a finite number");
            return Err(found.hint(for_example("null_score_diff_threshold")));
        }
        self.windows_fit(&windows, max_length)?;
        Ok(windows)
    }

    /// Refuses windows without room for text, and windows that would leave text between them.
    fn windows_fit(&self, windows: &SpanOptions, max_length: u32) -> Result<(), Diagnostic> {
        let name = self.name;
        let beside = windows.max_query_length.saturating_add(WINDOW_SPECIALS);
        // The window beside the longest question that is kept.
        let Some(room) = max_length.checked_sub(beside).filter(|room| *room > 0) else {
            let question = windows.max_query_length;
            let message = format!(
                "{max_length} tokens have no room for text beside a question of {question} and 3 special tokens in `{name}`"
            );
            let found = self.at_the_first_written(&["max_query_length", "max_length"], message);
            return Err(found
                .hint(format!("set `task_settings: {{{name}: {{max_length: 384}}}}`, or fewer tokens for questions")));
        };
        if windows.doc_stride > room {
            let stride = windows.doc_stride;
            let message =
                format!("windows of {room} tokens that start {stride} apart leave text of `{name}` between them");
            let found = self.at_the_first_written(&["doc_stride", "max_length", "max_query_length"], message);
            return Err(
                found.hint(format!("set `doc_stride: {}` or less, or a greater `max_length`", room.div_ceil(2)))
            );
        }
        Ok(())
    }

    /// A finding about the first of this task's keys that is written, else about the length for all tasks, else
    /// about the task.
    fn at_the_first_written(&self, keys: &[&str], message: String) -> Diagnostic {
        let own = keys.iter().map(|key| self.key(key));
        let mut all = own.chain(["training.max_length".to_owned(), format!("tasks.{}", self.name)]);
        let written = all.find(|key| self.document.spot(key).is_some());
        self.document.at_key(written.as_deref().unwrap_or("tasks"), message)
    }
}
