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
    /// The next token by one direction, the token before by the other: ELMo.
    BidirectionalLm,
    /// The words around each word, against random ones: word vectors.
    SkipGram,
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
            Self::BidirectionalLm => "next and previous token",
            Self::SkipGram => "words around each word",
        })
    }
}

impl LmLoss {
    /// Whether it asks for states that see the tokens before alone.
    #[must_use]
    pub const fn is_causal(self) -> bool {
        matches!(self, Self::CausalLm)
    }

    /// Whether tokens are masked; else examples are whole, and every token has its neighbours to predict.
    #[must_use]
    pub const fn masks(self) -> bool {
        matches!(self, Self::MaskedLmAndNextSentence | Self::MaskedLm)
    }

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

/// Which tokens are to be predicted, and what stands in their places.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Masking {
    /// The fraction of an example's tokens to predict.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub masked_lm_prob: f64,
    /// The maximum number of tokens to predict in an example; `masked_lm_prob` of the longest example when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_predictions_per_seq: Option<u32>,
    /// The probability that such a token becomes `[MASK]`.
    #[schemars(range(min = 0, max = 1))]
    pub mask_prob: f64,
    /// The probability that it is kept.
    #[schemars(range(min = 0, max = 1))]
    pub keep_prob: f64,
    /// The probability that it becomes a random token; the three add up to 1.
    #[schemars(range(min = 0, max = 1))]
    pub random_prob: f64,
    /// Whether all pieces of a word are masked together.
    pub whole_word: bool,
    /// Whether an example's masks are drawn once instead of anew in each epoch.
    #[serde(rename = "static")]
    pub static_masks: bool,
}

impl Default for Masking {
    fn default() -> Self {
        // Devlin et al. 2018, section 3.1.
        Self {
            masked_lm_prob: 0.15,
            max_predictions_per_seq: None,
            mask_prob: 0.8,
            keep_prob: 0.1,
            random_prob: 0.1,
            whole_word: false,
            static_masks: false,
        }
    }
}
