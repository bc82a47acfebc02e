//! How a model's encoder is used, as an experiment file says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the encoder is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// Every weight is trained.
    #[default]
    FineTuning,
    /// The encoder is frozen, and a bidirectional LSTM reads its layers (Devlin et al. 2018, §5.3). For tasks
    /// that tag words.
    FeatureBased(FeatureBased),
}

/// The model on top of a frozen encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureBased {
    /// What it reads.
    pub layers: Layers,
    /// Width of each direction of the LSTM.
    #[serde(default = "default_hidden")]
    #[schemars(range(min = 1, max = super::written_model::MAX_HIDDEN))]
    pub hidden: u32,
    /// Layers of the LSTM.
    #[serde(default = "default_lstm_layers")]
    #[schemars(range(min = 1, max = MAX_LSTM_LAYERS))]
    pub lstm_layers: u32,
}

/// Far above any that was published.
pub(super) const MAX_LSTM_LAYERS: u32 = 100;

// Devlin et al. 2018, §5.3: "a randomly initialized two-layer 768-dimensional BiLSTM".
fn default_hidden() -> u32 {
    768
}

fn default_lstm_layers() -> u32 {
    2
}

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
}

impl Layers {
    /// The fewest layers of an encoder that has these.
    #[must_use]
    pub const fn needs(self) -> u32 {
        match self {
            Self::Embeddings | Self::Last | Self::SumAll => 1,
            Self::SecondToLast => 2,
            Self::SumLastFour | Self::ConcatLastFour => 4,
        }
    }
}
