//! What only some tasks have: windows, the text around a sentence, files of the user's own.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long texts are cut into windows, and how answers are read off them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanOptions {
    /// Tokens from the start of one window to the start of the next.
    pub doc_stride: u32,
    /// Tokens of the question that are kept.
    pub max_query_length: u32,
    /// Tokens of the longest answer.
    pub max_answer_length: u32,
    /// Candidate answers of a question, which are ranked and written.
    pub n_best_size: u32,
    /// How much better no answer must score than the best one to be given; only where questions may have none.
    pub null_score_diff_threshold: f64,
}

impl Default for SpanOptions {
    /// google-research/bert, `run_squad.py`.
    fn default() -> Self {
        Self {
            doc_stride: 128,
            max_query_length: 64,
            max_answer_length: 30,
            n_best_size: 20,
            null_score_diff_threshold: 0.0,
        }
    }
}

/// The text around a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// The sentence alone.
    #[default]
    Sentence,
    /// As much of its document as fits (Devlin et al. 2018, §5.3).
    Document,
}

/// A column file: a word and its tag a line, an empty line between sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Columns {
    /// The separator between columns.
    pub separator: Separator,
    /// How tags say where an entity begins and ends.
    pub scheme: Scheme,
    /// The column of the word; the first one is 1.
    #[schemars(range(min = 1, max = MAX_COLUMN))]
    pub token_column: u32,
    /// The column of the tag; the last one of the line when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_COLUMN))]
    pub tag_column: Option<u32>,
    /// Whether each word ends with a digit that is not part of it, as in Weibo's files.
    pub segmentation_digit: bool,
    /// Read bytes that are not UTF-8 as U+FFFD instead of refusing the file.
    pub lossy: bool,
}

/// The files that an experiment names for a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFiles {
    /// Trained on.
    pub train: Option<PathBuf>,
    /// Scored on.
    pub dev: Option<PathBuf>,
    /// Predicted; of tasks that tag words, scored as well.
    pub test: Option<PathBuf>,
    /// Their format, of a task of the user's own; none for a published one, which has its own.
    pub columns: Option<Columns>,
    /// Whether bytes of a published column file that are not UTF-8 are read as U+FFFD; a format says so itself.
    #[serde(default)]
    pub lossy: bool,
}

/// Far above any published file.
pub const MAX_COLUMN: u32 = 1000;

impl Columns {
    /// A word and its tag a line, told apart as they come.
    pub const ANY: Self = Self {
        separator: Separator::Any,
        scheme: Scheme::Auto,
        token_column: 1,
        tag_column: None,
        segmentation_digit: false,
        lossy: false,
    };
}

impl Default for Columns {
    fn default() -> Self {
        Self::ANY
    }
}

/// The separator between the columns of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// A tab where the line has one, else spaces.
    #[default]
    Any,
    /// One space or several.
    Space,
    /// One tab.
    Tab,
}

/// How tags say where an entity begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// The one that the training file follows.
    #[default]
    Auto,
    /// `I` in an entity, `B` only where one begins right after another of its type.
    Iob1,
    /// `B` on the first word of an entity, `I` on the others. Also called BIO.
    Iob2,
    /// As `iob2`, with `E` on the last word and `S` on the only one. Also BMES and BILOU.
    Bioes,
}

impl Columns {
    /// The column of the word, from 0.
    #[must_use]
    pub const fn token_index(&self) -> usize {
        self.token_column.saturating_sub(1) as usize
    }

    /// The column of the tag, from 0; `None` for the last one.
    #[must_use]
    pub fn tag_index(&self) -> Option<usize> {
        self.tag_column.map(|column| column.saturating_sub(1) as usize)
    }
}
