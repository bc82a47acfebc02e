//! What decides a run besides the sweep and the training settings: the varying_settings of a task's shape, and how the
//! encoder is used.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The varying_settings of a task's shape. Tasks about one text or pair have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskOptions {
    /// Answers that are spans of a text.
    Spans(SpanOptions),
    /// Tags of words.
    Tags(TagOptions),
}

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

/// What a word is read with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagOptions {
    /// The text around a sentence.
    pub context: Context,
    /// The format of files that the experiment declares; empty for a published dataset.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub format: String,
}

/// The text around a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// The sentence alone.
    #[default]
    Sentence,
    /// As much of its document as fits (Devlin et al. 2018, §5.3).
    Document,
}

/// How the encoder is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Approach {
    /// Every weight is trained.
    #[default]
    FineTuning,
    /// The encoder is frozen; a bidirectional LSTM reads its layers (Devlin et al. 2018, §5.3).
    FeatureBased(FeatureBased),
}

/// The model on top of a frozen encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureBased {
    /// What it reads.
    pub layers: Layers,
    /// Width of each direction of the LSTM.
    pub hidden: u32,
    /// Layers of the LSTM.
    pub lstm_layers: u32,
}

/// Which hidden states of the encoder are read: the rows of table 7 of Devlin et al. 2018.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layers {
    /// The state before the first layer.
    Embeddings,
    /// The state after the last layer.
    Last,
    /// The state after the layer before the last.
    SecondToLast,
    /// Learnt weights over the last four.
    SumLastFour,
    /// The last four side by side.
    ConcatLastFour,
    /// Learnt weights over all layers.
    SumAll,
}

impl Layers {
    /// The hidden states that are read of an encoder with `layers` layers; state 0 is the embeddings, state l the
    /// output of layer l. `None` when it has too few layers.
    #[must_use]
    pub fn states(self, layers: u32) -> Option<Range<u32>> {
        /// "The last four" layers.
        const FOUR: u32 = 4;
        match self {
            Self::Embeddings => Some(0..1),
            Self::Last => Some(layers..layers + 1),
            Self::SecondToLast => layers.checked_sub(1).map(|state| state..layers),
            Self::SumLastFour | Self::ConcatLastFour => (layers >= FOUR).then(|| layers + 1 - FOUR..layers + 1),
            Self::SumAll => Some(1..layers + 1),
        }
    }

    /// Whether it is a learnt sum.
    #[must_use]
    pub const fn is_sum(self) -> bool {
        matches!(self, Self::SumLastFour | Self::SumAll)
    }
}

impl Approach {
    /// Whether every weight is trained.
    #[must_use]
    pub fn is_fine_tuning(&self) -> bool {
        *self == Self::FineTuning
    }
}

impl TaskOptions {
    /// Each option by its name in experiment files, with its value.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Spans(SpanOptions {
                doc_stride,
                max_query_length,
                max_answer_length,
                n_best_size,
                null_score_diff_threshold,
            }) => {
                let counts = [
                    ("doc_stride", doc_stride),
                    ("max_query_length", max_query_length),
                    ("max_answer_length", max_answer_length),
                    ("n_best_size", n_best_size),
                ];
                let counts = counts.into_iter().map(|(name, count)| (name, count.to_string()));
                counts.chain([("null_score_diff_threshold", null_score_diff_threshold.to_string())]).collect()
            }
            Self::Tags(TagOptions { context, format }) => {
                let context = match context {
                    Context::Sentence => "sentence",
                    Context::Document => "document",
                };
                let format = (!format.is_empty()).then(|| ("columns", format.clone()));
                std::iter::once(("context", context.to_owned())).chain(format).collect()
            }
        }
    }
}

impl Layers {
    /// As experiment files write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Last => "last",
            Self::SecondToLast => "second_to_last",
            Self::SumLastFour => "sum_last_four",
            Self::ConcatLastFour => "concat_last_four",
            Self::SumAll => "sum_all",
        }
    }
}

impl fmt::Display for Approach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FineTuning => f.write_str("fine-tuning"),
            Self::FeatureBased(FeatureBased { layers, hidden, lstm_layers }) => {
                let layers = layers.name();
                write!(f, "feature-based: layers {layers}, BiLSTM of {lstm_layers} layers, width {hidden}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_settings_as_they_are_written() {
        let all = [
            Layers::Embeddings,
            Layers::Last,
            Layers::SecondToLast,
            Layers::SumLastFour,
            Layers::ConcatLastFour,
            Layers::SumAll,
        ];
        for layers in all {
            assert_eq!(serde_json::to_value(layers).unwrap(), layers.name());
        }
        let spans = TaskOptions::Spans(SpanOptions::default());
        let written = serde_json::to_value(&spans).unwrap();
        for (name, value) in spans.named() {
            assert_eq!(written["spans"][name].as_f64(), value.parse().ok(), "{name}");
        }
        assert_eq!(spans.named().len(), written["spans"].as_object().unwrap().len());
        let of = |context, format: &str| TaskOptions::Tags(TagOptions { context, format: format.to_owned() }).named();
        assert_eq!(of(Context::Document, ""), [("context", "document".to_owned())]);
        assert_eq!(of(Context::Sentence, "lossy")[1], ("columns", "lossy".to_owned()));
        let frozen = FeatureBased { layers: Layers::ConcatLastFour, hidden: 768, lstm_layers: 2 };
        let text = Approach::FeatureBased(frozen).to_string();
        assert_eq!(text, "feature-based: layers concat_last_four, BiLSTM of 2 layers, width 768");
    }
}
