//! How a model's encoder is used.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{number, written};

/// How the encoder is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// Every weight is trained.
    #[default]
    FineTuning,
    /// The encoder is frozen, and a bidirectional LSTM reads its layers: for a tag of each word (Devlin et al. 2018,
    /// §5.3), or for one answer to a text, a pair or a choice (Wang et al. 2018, "GLUE", baselines).
    FeatureBased(FeatureBased),
}

/// The model on top of a frozen encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureBased {
    /// What it reads.
    pub layers: Layers,
    /// Width of each direction of the LSTM.
    // Devlin et al. 2018, §5.3: "a randomly initialized two-layer 768-dimensional BiLSTM".
    #[serde(default = "number::<768, u32>")]
    #[schemars(range(min = 1, max = MAX_HIDDEN))]
    pub hidden: u32,
    /// Layers of the LSTM.
    #[serde(default = "number::<2, u32>")]
    #[schemars(range(min = 1, max = MAX_LSTM_LAYERS))]
    pub lstm_layers: u32,
    /// Whether the words of each text of a pair attend to those of the other one, and a second LSTM reads what both give.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attention: bool,
}

/// Far above any that was published.
pub const MAX_HIDDEN: u32 = 1 << 16;
/// Far above any that was published.
pub const MAX_LSTM_LAYERS: u32 = 100;

/// Which hidden states of the encoder are read: the rows of table 7 of Devlin et al. 2018.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Learnt weights over the state before the first layer and all layers (Peters et al. 2018, equation 1).
    SumWithEmbeddings,
}

impl Layers {
    /// The fewest layers of an encoder that has these.
    #[must_use]
    pub const fn needs(self) -> u32 {
        match self {
            Self::Embeddings | Self::Last | Self::SumWithEmbeddings => 0,
            Self::SumAll => 1,
            Self::SecondToLast => 2,
            Self::SumLastFour | Self::ConcatLastFour => 4,
        }
    }

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
            Self::SumWithEmbeddings => Some(0..layers + 1),
        }
    }

    /// Whether it is a learnt sum.
    #[must_use]
    pub const fn is_sum(self) -> bool {
        matches!(self, Self::SumLastFour | Self::SumAll | Self::SumWithEmbeddings)
    }
}

impl Approach {
    /// Whether every weight is trained.
    #[must_use]
    pub fn is_fine_tuning(&self) -> bool {
        *self == Self::FineTuning
    }
}

impl fmt::Display for Approach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FineTuning => f.write_str("fine-tuning"),
            Self::FeatureBased(FeatureBased { layers, hidden, lstm_layers, attention }) => {
                let (layers, attention) = (written(layers), if *attention { ", attention" } else { "" });
                write!(f, "feature-based: layers {layers}, BiLSTM of {lstm_layers} layers, width {hidden}{attention}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approach_is_told_in_the_words_of_its_settings() {
        let frozen = FeatureBased { layers: Layers::ConcatLastFour, hidden: 768, lstm_layers: 2, attention: false };
        let text = Approach::FeatureBased(frozen).to_string();
        assert_eq!(text, "feature-based: layers concat_last_four, BiLSTM of 2 layers, width 768");
        let attending = Approach::FeatureBased(FeatureBased { attention: true, ..frozen });
        assert_eq!(attending.to_string(), format!("{text}, attention"));
        let without = serde_json::to_string(&Approach::FeatureBased(frozen)).unwrap();
        assert!(!without.contains("attention"), "runs without attention keep their ids: {without}");
    }
}
