//! The model of a run: its dimensions, and the weights that it starts from.

use serde::{Deserialize, Serialize};

use super::RunId;
use crate::settings::{EncoderSizes, EncoderType, InitializerRange, Pooling};

/// The dimensions of an encoder; in BERT's words (Devlin et al. 2018, §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Transformer layers, L.
    pub layers: u32,
    /// Hidden size, H.
    pub hidden: u32,
    /// Attention heads, A; divides `hidden`.
    pub heads: u32,
    /// Width of the feed-forward layer, 4H in the paper.
    pub intermediate: u32,
    /// Rows of the word embeddings.
    pub vocab_size: u32,
    /// Rows of the position embeddings: the longest sequence.
    pub max_positions: u32,
    /// Rows of the segment embeddings.
    pub type_vocab_size: u32,
    /// Whether every token attends to itself and the tokens before it alone (section 5.1, "LTR").
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub causal: bool,
    /// Which encoder it is. The others have no attention heads, no feed-forward layers and no segments
    /// ([`Architecture::without_attention`]).
    #[serde(default, skip_serializing_if = "EncoderType::is_bert")]
    pub encoder: EncoderType,
    /// How states become one vector, where that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    /// How large random weights are; of transformers alone.
    #[serde(default, skip_serializing_if = "InitializerRange::is_of_bert")]
    pub initializer_range: InitializerRange,
}

impl Architecture {
    /// Parameters of the encoder with its pooler, without a head (Devlin et al. 2018, §3, give 110 M and 340 M, rounded).
    #[must_use]
    pub fn parameters(&self) -> u64 {
        (self.encoder.facts().costs.parameters)(&self.sizes())
    }

    /// The sizes that decide what the encoder takes.
    #[must_use]
    pub fn sizes(&self) -> EncoderSizes {
        EncoderSizes {
            layers: self.layers.into(),
            hidden: self.hidden.into(),
            heads: self.heads.into(),
            intermediate: self.intermediate.into(),
            vocab_size: self.vocab_size.into(),
            max_positions: self.max_positions.into(),
            type_vocab_size: self.type_vocab_size.into(),
        }
    }

    /// The dimensions of an encoder without attention: word vectors have no layers.
    #[must_use]
    pub const fn without_attention(encoder: EncoderType, layers: u32, hidden: u32) -> Self {
        Self {
            layers,
            hidden,
            heads: 1,
            intermediate: 0,
            vocab_size: 0,
            max_positions: 0,
            type_vocab_size: 2,
            causal: encoder.facts().objective.is_causal(),
            encoder,
            pooling: None,
            initializer_range: InitializerRange::BERT,
        }
    }
}

/// Where a run's weights come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InitialWeights {
    /// Truncated normal, standard deviation 0.02, from the seed's `init` stream.
    Random,
    /// Weights on disk, in any format that is read.
    Checkpoint {
        /// The folder, as the experiment names it.
        folder: String,
        /// SHA-256 of its weights.
        sha256: String,
        /// Where the folder came from, `hub:ORG/NAME@COMMIT`, when it was fetched from the hub.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hub: Option<String>,
        /// The head of a task among the weights, which decides whether training goes on with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<CheckpointHead>,
    },
    /// The model of a pretraining run. Its id stands for the weights, for it is a hash of all that decides them, so
    /// that runs are known before they can be started.
    Pretraining {
        /// The experiment of the pretraining run.
        experiment: String,
        /// The model's name there.
        model: String,
        /// The run's id.
        run: RunId,
        /// The step whose model it is, when that is not the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u64>,
    },
}

/// The head of a checkpoint, as its `config.json` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointHead {
    /// transformers' class of the model, the first of `architectures`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What its outputs are called, in the order of the logits, where they have names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

impl InitialWeights {
    /// The pretraining run whose model it is, of such a model.
    #[must_use]
    pub fn pretraining_run(&self) -> Option<&RunId> {
        match self {
            Self::Pretraining { run, .. } => Some(run),
            Self::Random | Self::Checkpoint { .. } => None,
        }
    }

    /// The same without the head of a task, which a pretraining has no use for.
    #[must_use]
    pub fn without_head(mut self) -> Self {
        if let Self::Checkpoint { head, .. } = &mut self {
            *head = None;
        }
        self
    }

    /// Takes out names and places, which do not decide the weights.
    pub(super) fn forget_names(&mut self) {
        match self {
            Self::Random => {}
            Self::Checkpoint { folder, hub, .. } => {
                folder.clear();
                *hub = None;
            }
            Self::Pretraining { experiment, model, .. } => {
                experiment.clear();
                model.clear();
            }
        }
    }
}
