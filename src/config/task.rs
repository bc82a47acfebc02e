//! The tasks of an experiment: what is known of them, what a file can say of them, and what comes of both.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::settings::{Columns, Context, SpanOptions, TaskFiles};

/// A task that experiments can name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownTask {
    /// Its name.
    pub name: &'static str,
    /// What it asks for, with the settings that count where a file has none.
    pub shape: TaskShape,
    /// Longest sequence in tokens where a file names none.
    pub max_length: u32,
    /// Files that `dev` stands for.
    pub dev_files: usize,
    /// Files that `test` stands for.
    pub test_files: usize,
    /// Whether those of `test` are scored too, so that a run needs them.
    pub test_is_scored: bool,
    /// Whether it asks how similar two texts are, whose order means nothing.
    pub similarity: bool,
    /// Whether an example is two texts, or choices that are two each.
    pub pairs: bool,
}

/// What a task asks for, with the settings that only such tasks have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TaskShape {
    /// One answer to a text, a pair or a choice of texts.
    Texts,
    /// A span of a text that is read in windows.
    Spans(SpanOptions),
    /// A tag for each word.
    Tags(Context),
}

/// A task of an experiment, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Longest sequence in tokens.
    pub max_length: u32,
    /// What it asks for.
    pub shape: TaskShape,
    /// Whether it asks how similar two texts are.
    pub similarity: bool,
    /// Whether an example is two texts, or choices that are two each.
    pub pairs: bool,
    /// Files that the experiment names, and how they are read.
    pub files: TaskFiles,
    /// Whether a run reads files of the data folder: not when the experiment names all that it needs.
    pub reads_data_folder: bool,
}

impl Task {
    /// Has bytes of column files that are not UTF-8 read as U+FFFD, whatever `columns` says. No setting of a file: who
    /// reads the experiment may ask for it.
    pub fn read_lossy(&mut self) {
        if matches!(self.shape, TaskShape::Tags(_)) {
            self.files.lossy = true;
            self.files.columns.iter_mut().for_each(|columns| columns.lossy = true);
        }
    }
}

/// Settings of one task.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Task")]
pub(super) struct WrittenTask {
    /// Longest sequence in tokens for this task, whatever `training.max_length` says.
    #[schemars(range(min = super::limits::SHORTEST_SEQUENCE))]
    pub(super) max_length: Option<u32>,
    /// Tokens from the start of one window of a long text to the start of the next. For SQuAD.
    #[schemars(range(min = 1))]
    pub(super) doc_stride: Option<u32>,
    /// Tokens of a question that are kept. For SQuAD.
    #[schemars(range(min = 1))]
    pub(super) max_query_length: Option<u32>,
    /// Tokens of the longest answer. For SQuAD.
    #[schemars(range(min = 1))]
    pub(super) max_answer_length: Option<u32>,
    /// Candidate answers of a question, which are ranked and written. For SQuAD.
    #[schemars(range(min = 1))]
    pub(super) n_best_size: Option<u32>,
    /// No answer is predicted where its score exceeds that of the best answer by more than this. For SQuAD v2.0.
    pub(super) null_score_diff_threshold: Option<f64>,
    /// The text around a sentence: `sentence` for none, `document` for as much as fits. For tasks that tag words.
    pub(super) context: Option<Context>,
    /// The file format of a task of your own.
    pub(super) columns: Option<Columns>,
    /// A file to train on, in place of the task's own.
    #[schemars(length(min = 1))]
    pub(super) train: Option<String>,
    /// A file to score on, in place of the task's own.
    #[schemars(length(min = 1))]
    pub(super) dev: Option<String>,
    /// A file to predict, in place of the task's own; scored as well in tasks that tag words.
    #[schemars(length(min = 1))]
    pub(super) test: Option<String>,
}
