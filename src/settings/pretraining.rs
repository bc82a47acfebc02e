//! How models are pretrained.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a model is pretrained to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Objective")]
pub enum LmLoss {
    /// Masked tokens, and whether the second segment follows the first: BERT.
    #[default]
    MaskedLmAndNextSentence,
    /// Masked tokens alone.
    MaskedLm,
    /// After each token the next one: the encoder sees to the left only.
    CausalLm,
}

/// How text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextFormat {
    /// A sentence a line, a blank line between documents.
    Sentences,
    /// Running text.
    Text,
    /// Text with the headings of `WikiText`.
    Wikitext,
    /// JSON lines.
    Jsonl,
    /// Parquet.
    Parquet,
}

impl fmt::Display for LmLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaskedLmAndNextSentence => "masked tokens, next sentence",
            Self::MaskedLm => "masked tokens",
            Self::CausalLm => "next token",
        })
    }
}

impl LmLoss {
    /// Whether the next sentence is predicted.
    #[must_use]
    pub fn predicts_next_sentence(self) -> bool {
        self == Self::MaskedLmAndNextSentence
    }
}

/// When checkpoints are written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Save")]
pub struct SaveStrategy {
    /// Steps from one checkpoint to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub save_steps: Option<u64>,
    /// Minutes from one checkpoint to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub save_minutes: Option<f64>,
    /// The number of checkpoints to keep.
    #[schemars(range(min = 1))]
    pub save_total_limit: u32,
}

impl Default for SaveStrategy {
    fn default() -> Self {
        Self { save_steps: None, save_minutes: None, save_total_limit: 2 }
    }
}
