//! What of the disk and the device decides which runs an experiment has.

use std::collections::BTreeMap;

use crate::config::Dimensions;
use crate::settings::Masking;
use crate::store::{Architecture, InitialWeights, VocabularyIdentity};

/// What decides which runs an experiment has: all that enters their ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// The resolved device: `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub device: String,
    /// Whether malformed rows are left out.
    pub skip_bad_rows: bool,
    /// By the model's name in the experiment.
    pub models: BTreeMap<String, ModelInput>,
    /// SHA-256 of every file that a run on a task reads, by task and by file name.
    pub data: BTreeMap<String, BTreeMap<String, String>>,
    /// By the model's name, where models are pretrained.
    pub corpora: BTreeMap<String, CorporaInput>,
}

/// A model, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInput {
    /// Its dimensions, vocabulary included.
    pub architecture: Architecture,
    /// Where its weights come from.
    pub initial_weights: InitialWeights,
    /// What turns text into its tokens.
    pub vocabulary: VocabularyIdentity,
}

/// Rows of the segment embeddings: first and second text (Devlin et al. 2018, §3).
const SEGMENTS: u32 = 2;

/// A model of random weights with so many tokens; a `causal` one sees to the left alone.
#[must_use]
pub fn architecture(of: &Dimensions, vocab_size: u32, causal: bool) -> Architecture {
    Architecture {
        layers: of.layers,
        hidden: of.hidden,
        heads: of.heads,
        intermediate: of.intermediate,
        vocab_size,
        max_positions: of.max_positions,
        type_vocab_size: SEGMENTS,
        causal,
        encoder: of.encoder,
        pooling: of.pooling,
        initializer_range: of.initializer_range,
    }
}

/// What a model is pretrained on.
#[derive(Clone, Debug, PartialEq)]
pub struct CorporaInput {
    /// The corpus of each phase.
    pub phases: Vec<CorpusInput>,
    /// The corpus that it is evaluated on.
    pub held_out: Option<CorpusInput>,
    /// What the corpora ask for in the places of masked tokens.
    pub masking: Option<Masking>,
}

/// A corpus.
#[derive(Clone, Debug, PartialEq)]
pub struct CorpusInput {
    /// What becomes [`CorpusPhase::data`](crate::store::CorpusPhase::data).
    pub id: String,
    /// Longest example in tokens.
    pub max_length: u32,
}
