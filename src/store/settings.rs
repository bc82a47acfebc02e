//! The settings of a run, resolved: nothing optional is left open, and everything that decides the
//! result is here, so that the run's id is a hash of this and nothing else.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approach::{Approach, TaskOptions};

/// Raised whenever a change of the code changes the numbers that a run produces, so that old records
/// are not mistaken for the new code's.
///
/// 1: the composed operations; 2: the fused kernels, and weights drawn in pairs; 3: fused multiply-adds in the
/// exponential and in GELU.
pub const NUMERICS_VERSION: u32 = 3;

/// As [`NUMERICS_VERSION`], of runs that pretrain.
///
/// 4: the decoder's products in the fused kernels; runs on tasks have no decoder.
pub const PRETRAINING_NUMERICS_VERSION: u32 = 4;

/// A run's id: the first 12 hexadecimal digits of the BLAKE3 hash of its settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run, resolved: one model × one task × one point of the sweep × one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// The model's name in the experiment file.
    pub model: String,
    /// Its dimensions.
    pub architecture: Architecture,
    /// Where its weights come from.
    pub start: InitialWeights,
    /// The task's name, such as `rte`.
    pub task: String,
    /// The varying_settings of the task's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_options: Option<TaskOptions>,
    /// How the encoder is used.
    #[serde(default, skip_serializing_if = "Approach::is_fine_tuning")]
    pub approach: Approach,
    /// Sequences per optimisation step.
    pub batch_size: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Passes over the training split.
    pub epochs: u32,
    /// Seed of every random stream of the run.
    pub seed: u64,
    /// What the sweep does not vary.
    pub training: TrainingSettings,
    /// The resolved device: `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub device: String,
    /// SHA-256 of every data file that the run reads, by file name.
    pub data_sha256: BTreeMap<String, String>,
    /// SHA-256 of the vocabulary file.
    pub vocabulary_sha256: String,
    /// Whether text is lower-cased and stripped of accents before WordPiece.
    pub lower_case: bool,
    /// Whether malformed rows are left out.
    pub skip_bad_rows: bool,
    /// [`NUMERICS_VERSION`] at the time.
    pub numerics_version: u32,
}

/// The dimensions of a BERT encoder (Devlin et al. 2018, §3).
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
    /// Whether every token attends to itself and the tokens before it alone (section 5.1, "LTR"). Records from before
    /// there was a choice mean `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub causal: bool,
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

impl InitialWeights {
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

/// Training settings that a sweep keeps fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSettings {
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included.
    pub max_length: u32,
    /// Fraction of all steps over which the learning rate rises from 0.
    pub warmup_fraction: f64,
    /// Decoupled weight decay, not applied to biases and layer norms.
    pub weight_decay: f64,
    /// Dropout probability of embeddings, attention probabilities, residual branches and the head.
    pub dropout: f64,
    /// Gradients are scaled down to this global norm.
    pub max_grad_norm: f64,
    /// Optimisation steps take this many forward and backward passes.
    pub gradient_accumulation_steps: u32,
    /// Whether layers are computed again in the backward pass, for less memory. Changes no bit of the
    /// result, so it is no part of a run's id.
    #[serde(default)]
    pub gradient_checkpointing: bool,
    /// The number format of matrix products. Records from before there was a choice mean f32.
    #[serde(default)]
    pub precision: Precision,
    /// How gradients become updates.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Adam's β1.
    pub adam_beta1: f64,
    /// Adam's β2.
    pub adam_beta2: f64,
    /// Adam's ε.
    pub adam_epsilon: f64,
}

/// The numbers that matrix products take; everything else is in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16 operands, sums in f32: mixed precision.
    Bf16,
}

impl Precision {
    /// As experiment files and records write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How gradients become updates, with the schedule and the clipping that belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// As in PyTorch and the Hugging Face Trainer: bias correction, decay of the rate from the warmup's end.
    #[default]
    #[serde(rename = "adamw")]
    AdamW,
    /// As in google-research/bert: no bias correction, decay of the rate from the first step.
    BertAdam,
}

impl TrainingSettings {
    /// These settings without what does not decide a result.
    #[must_use]
    pub fn decisive(&self) -> Self {
        Self { gradient_checkpointing: false, ..self.clone() }
    }
}

impl RunSettings {
    /// The id of this run. Names and paths that do not decide the result (the model's name, the
    /// checkpoint's folder or place on the hub) do not enter it; checksums do.
    #[must_use]
    pub fn id(&self) -> RunId {
        let mut decisive = self.clone();
        decisive.model.clear();
        decisive.start.forget_names();
        decisive.training = decisive.training.decisive();
        // Struct fields and BTreeMap keys serialise in a fixed order; f64 in its shortest exact form.
        let mut json = serde_json::to_value(&decisive).unwrap_or_default();
        if let Some(Value::Object(training)) = json.get_mut("training") {
            // Keys that came after the first records take no part at their defaults, so that older
            // records keep their ids.
            training.shift_remove("gradient_checkpointing");
            if self.training.precision == Precision::default() {
                training.shift_remove("precision");
            }
            if self.training.optimizer == Optimizer::default() {
                training.shift_remove("optimizer");
            }
        }
        RunId(blake3::hash(json.to_string().as_bytes()).to_hex()[..12].to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::approach::{FeatureBased, Layers, SpanOptions};
    use super::super::example;
    use super::*;

    /// The id that the same settings had before there was a choice of the optimizer and of the precision,
    /// and their record's JSON of that time.
    #[test]
    fn older_records_keep_their_ids_and_are_read() {
        let settings = example::settings("rte", 1);
        assert_eq!(settings.id().0, "f1b5ad4a512a");
        let mut json = serde_json::to_value(&settings).unwrap();
        let training = json["training"].as_object_mut().unwrap();
        assert!(training.shift_remove("optimizer").is_some());
        assert!(training.shift_remove("gradient_checkpointing").is_some());
        assert_eq!(training.shift_remove("precision"), Some("f32".into()));
        assert_eq!(serde_json::from_value::<RunSettings>(json).unwrap(), settings);
    }

    #[test]
    fn a_causal_model_is_another_one_and_the_key_is_left_out_of_others() {
        let settings = example::settings("rte", 1);
        let json = serde_json::to_string(&settings).unwrap();
        assert!(!json.contains("causal"), "{json}");
        let causal =
            RunSettings { architecture: Architecture { causal: true, ..settings.architecture }, ..settings.clone() };
        assert_ne!(causal.id(), settings.id());
        let json = serde_json::to_string(&causal).unwrap();
        assert_eq!(serde_json::from_str::<RunSettings>(&json).unwrap(), causal);
    }

    #[test]
    fn the_tasks_options_and_the_approach_decide_a_result() {
        let settings = example::settings("squad1", 1);
        let spans = RunSettings { task_options: Some(TaskOptions::Spans(SpanOptions::default())), ..settings.clone() };
        let layers = FeatureBased { layers: Layers::ConcatLastFour, hidden: 768, lstm_layers: 2 };
        let frozen = RunSettings { approach: Approach::FeatureBased(layers), ..settings.clone() };
        for other in [&spans, &frozen] {
            assert_ne!(other.id(), settings.id());
            let json = serde_json::to_string(other).unwrap();
            assert_eq!(serde_json::from_str::<RunSettings>(&json).unwrap(), *other);
        }
        assert!(serde_json::to_string(&spans).unwrap().contains(r#""task_options":{"spans":{"doc_stride":128"#));
    }

    #[test]
    fn optimizer_and_precision_decide_a_result_and_recomputation_does_not() {
        let settings = example::settings("rte", 1);
        let mut other = settings.clone();
        other.training.gradient_checkpointing = true;
        assert_eq!(other.id(), settings.id());
        other.training.optimizer = Optimizer::BertAdam;
        assert_ne!(other.id(), settings.id());
        let mut other = settings.clone();
        other.training.precision = Precision::Bf16;
        assert_ne!(other.id(), settings.id());
        let json = serde_json::to_string(&other).unwrap();
        assert!(json.contains(r#""precision":"bf16""#), "{json}");
        assert_eq!(serde_json::from_str::<RunSettings>(&json).unwrap(), other);
    }
}
