//! The settings of a pretraining run, resolved.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::settings::{Architecture, InitialWeights, Optimizer, Precision, RunId};

/// Everything that decides what a pretraining run gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainSettings {
    /// The model's name in the experiment file; empty outside of one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The encoder's dimensions.
    pub architecture: Architecture,
    /// Where the weights come from.
    pub start: InitialWeights,
    /// The objective of the pretraining.
    pub objective: Objective,
    /// What it is learned on, one after the other, under one schedule of the learning rate.
    pub phases: Vec<PretrainPhase>,
    /// Examples per optimisation step.
    pub batch_size: u32,
    /// Optimisation steps take this many forward and backward passes.
    pub gradient_accumulation_steps: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Steps over which it rises from 0. It falls to 0 at the last step of the last phase.
    pub warmup_steps: u64,
    /// Decoupled weight decay, not applied to biases and layer norms.
    pub weight_decay: f64,
    /// How gradients become updates.
    pub optimizer: Optimizer,
    /// Adam's β1.
    pub adam_beta1: f64,
    /// Adam's β2.
    pub adam_beta2: f64,
    /// Adam's ε.
    pub adam_epsilon: f64,
    /// Gradients are scaled down to this global norm.
    pub max_grad_norm: f64,
    /// Dropout probability of embeddings, attention probabilities and residual branches.
    pub dropout: f64,
    /// The number format of matrix products.
    pub precision: Precision,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// The resolved device: `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub device: String,
    /// SHA-256 of the vocabulary file.
    pub vocabulary_sha256: String,
    /// What the model is evaluated on, and when.
    pub evaluation: Option<PretrainEvaluation>,
    /// What the corpora ask for in the places of masked tokens. It is a part of their checksums, and stands here for
    /// reports; absent in settings of before, and where nothing is masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<Masking>,
    /// Steps, ascending, after which the model is kept besides the last one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<u64>,
    /// Layers are computed twice, for less memory; decides nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gradient_checkpointing: bool,
    /// When checkpoints are written; decides nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saving: Option<PretrainSaving>,
    /// Steps between lines of the log.
    pub logging_steps: u64,
    /// [`PRETRAINING_NUMERICS_VERSION`](super::settings::PRETRAINING_NUMERICS_VERSION) at the time.
    pub numerics_version: u32,
}

/// What a model is pretrained to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Masked tokens, and whether the second segment follows the first (section 3.1 of the paper).
    MaskedLmAndNextSentence,
    /// Masked tokens alone ("No NSP", section 5.1).
    MaskedLm,
    /// After each token the next one, by a causal model ("LTR & No NSP", section 5.1).
    CausalLm,
}

/// Which tokens are to be predicted, and how often what stands in their places (section 3.1 and table 8 of the paper).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masking {
    /// The share of tokens that are to be predicted.
    pub masked_lm_prob: f64,
    /// The probability that such a token becomes `[MASK]`.
    pub mask_prob: f64,
    /// The probability that it is kept.
    pub keep_prob: f64,
    /// The share that become any token.
    pub random_prob: f64,
    /// Whether all pieces of a word are masked together.
    pub whole_word: bool,
}

/// Steps on one corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainPhase {
    /// Longest example in tokens.
    pub max_length: u32,
    /// Optimisation steps.
    pub steps: u64,
    /// The checksum of the prepared corpus.
    pub data: String,
}

/// When checkpoints are written, besides the last step and a stop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainSaving {
    /// Steps from one checkpoint to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_steps: Option<u64>,
    /// Minutes from one checkpoint to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_minutes: Option<f64>,
    /// The number of checkpoints to keep.
    pub save_total_limit: u32,
}

/// Evaluation on examples that are not trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainEvaluation {
    /// The checksum of the prepared corpus.
    pub data: String,
    /// Steps from one evaluation to the next. The last step is always followed by one.
    pub every: u64,
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaskedLmAndNextSentence => "masked tokens, next sentence",
            Self::MaskedLm => "masked tokens",
            Self::CausalLm => "next token",
        })
    }
}

impl Objective {
    /// Whether the next sentence is predicted.
    #[must_use]
    pub fn predicts_next_sentence(self) -> bool {
        self == Self::MaskedLmAndNextSentence
    }
}

impl PretrainSettings {
    /// Steps of all phases.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.phases.iter().map(|phase| phase.steps).sum()
    }

    /// The id of this run: a hash of all that decides its weights, and of the steps whose models it leaves. Names,
    /// paths, evaluations and the log do not enter it.
    #[must_use]
    pub fn id(&self) -> RunId {
        let mut decisive = Self {
            model: String::new(),
            evaluation: None,
            masking: None,
            gradient_checkpointing: false,
            saving: None,
            logging_steps: 0,
            ..self.clone()
        };
        decisive.start.forget_names();
        let json = serde_json::to_vec(&decisive).unwrap_or_default();
        RunId(blake3::hash(&json).to_hex()[..12].to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> PretrainSettings {
        let size = 4;
        PretrainSettings {
            model: String::new(),
            architecture: Architecture {
                layers: 1,
                hidden: size,
                heads: 2,
                intermediate: size,
                vocab_size: 9,
                max_positions: 8,
                type_vocab_size: 2,
                causal: false,
            },
            start: InitialWeights::Checkpoint { folder: "a".into(), sha256: "00".into(), hub: None },
            objective: Objective::MaskedLmAndNextSentence,
            phases: [(128, 90), (512, 10)]
                .map(|(max_length, steps)| PretrainPhase { max_length, steps, data: "d".into() })
                .to_vec(),
            batch_size: 256,
            gradient_accumulation_steps: 1,
            learning_rate: 1e-4,
            warmup_steps: 10,
            weight_decay: 0.01,
            optimizer: Optimizer::BertAdam,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-6,
            max_grad_norm: 1.0,
            dropout: 0.1,
            precision: Precision::F32,
            seed: 1,
            device: "cpu".into(),
            vocabulary_sha256: "v".into(),
            evaluation: Some(PretrainEvaluation { data: "h".into(), every: 5 }),
            masking: None,
            snapshots: Vec::new(),
            gradient_checkpointing: false,
            saving: None,
            logging_steps: 10,
            numerics_version: 3,
        }
    }

    #[test]
    fn the_id_is_of_what_decides_the_weights() {
        let one = settings();
        assert_eq!(one.steps(), 100);
        let start = |folder: &str, sha256: &str| InitialWeights::Checkpoint {
            folder: folder.into(),
            sha256: sha256.into(),
            hub: None,
        };
        let same = [
            PretrainSettings { evaluation: None, ..settings() },
            PretrainSettings { logging_steps: 1, ..settings() },
            PretrainSettings { gradient_checkpointing: true, ..settings() },
            PretrainSettings { model: "other".into(), ..settings() },
            PretrainSettings { start: start("b", "00"), ..settings() },
        ];
        assert!(same.iter().all(|other| other.id() == one.id()));
        let mut fewer = settings();
        fewer.phases[1].steps -= 1;
        let others = [
            PretrainSettings { start: start("a", "01"), ..settings() },
            PretrainSettings { objective: Objective::MaskedLm, ..settings() },
            PretrainSettings { objective: Objective::CausalLm, ..settings() },
            PretrainSettings { warmup_steps: 11, ..settings() },
            PretrainSettings { snapshots: vec![50], ..settings() },
            PretrainSettings { precision: Precision::Bf16, ..settings() },
            fewer,
        ];
        assert!(others.iter().all(|other| other.id() != one.id()));
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<PretrainSettings>(&json).unwrap(), one);
    }
}
