//! The experiment file as written: what serde reads and what the JSON schema describes. The doc
//! comments here are the descriptions that an editor shows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::approach::Approach;
use super::hub::DEFAULT_REVISION;
use super::task::WrittenTask;
use super::written_pretrain::{WrittenPretrain, WrittenRecipe};

/// `[CLS]`, one token and `[SEP]`: the shortest sequence that says anything.
pub(super) const SHORTEST_SEQUENCE: u32 = 3;

// Limits far above any published encoder, which keep products of dimensions from overflowing.
pub(super) const MAX_LAYERS: u32 = 1000;
pub(super) const MAX_HIDDEN: u32 = 1 << 16;
pub(super) const MAX_INTERMEDIATE: u32 = 1 << 18;
pub(super) const MAX_POSITIONS: u32 = 1 << 20;

/// One experiment: models × tasks × the points of a sweep × seeds; or, with `pretrain`, models × seeds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["tasks", "sweep"]}, {"required": ["pretrain"]}]))]
pub(super) struct Written {
    /// The experiment's name: the name of its folder under `runs/`. Letters, digits, `-`, `_` and `.`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"), length(max = 100))]
    pub(super) experiment: String,
    /// The models to compare, by names of your choice.
    #[schemars(length(min = 1))]
    pub(super) models: BTreeMap<String, WrittenModel>,
    /// The tasks to fine-tune on. MNLI's model also answers the diagnostic set AX.
    #[serde(default)]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(super) tasks: Vec<String>,
    /// What the models are pretrained on, and how; in place of `tasks` and `sweep`.
    pub(super) pretrain: Option<WrittenPretrain>,
    /// Settings of single tasks, by their names; tasks of your own are declared here.
    #[serde(default)]
    pub(super) task_settings: BTreeMap<String, WrittenTask>,
    /// How the encoders are used: `fine_tuning`, or `{feature_based: {layers: …}}` for tasks that tag words.
    #[serde(default)]
    pub(super) approach: Approach,
    /// A folder that holds the tasks' data in the official layout: `RTE/`, `SQuAD/`, …
    /// Without it (and without `mini`), the data cache is used.
    pub(super) data: Option<String>,
    /// Use the generated mini benchmark in place of `data`. Its scores are not GLUE scores.
    pub(super) mini: Option<WrittenMini>,
    /// The grid: every batch size × learning rate × number of epochs is a run.
    #[serde(default)]
    pub(super) sweep: Sweep,
    /// One run per seed at every point of the sweep.
    #[serde(default = "default_seeds")]
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(super) seeds: Vec<u64>,
    /// Training settings that the sweep keeps fixed.
    #[serde(default)]
    pub(super) training: Training,
    /// Where to compute. `auto` takes the fastest device that this build supports and the machine has.
    #[serde(default)]
    pub(super) device: Device,
    /// How many runs go at the same time. Without it, as many as the machine can hold.
    #[schemars(range(min = 1))]
    pub(super) slots: Option<u32>,
}

fn default_seeds() -> Vec<u64> {
    vec![1]
}

/// A model: exactly one of `preset`, `architecture` and `checkpoint`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["preset"]}, {"required": ["architecture"]}, {"required": ["checkpoint"]}]))]
#[schemars(rename = "Model")]
pub(super) struct WrittenModel {
    /// A published size, with random weights.
    pub(super) preset: Option<Preset>,
    /// A size of your own, with random weights.
    pub(super) architecture: Option<WrittenArchitecture>,
    /// Trained weights: a folder with `config.json`, weights and `vocab.txt`, `hub: ORG/NAME`, or a model that another
    /// experiment pretrains, `{experiment: NAME, model: NAME}`.
    pub(super) checkpoint: Option<WrittenCheckpoint>,
    /// The `WordPiece` vocabulary, a `vocab.txt`. A checkpoint brings its own; for the others the
    /// `vocab.txt` of the data folder is used.
    pub(super) vocabulary: Option<String>,
    /// Whether text is lower-cased and stripped of accents. A checkpoint knows; else `true`.
    pub(super) lower_case: Option<bool>,
    /// The tasks that this model is trained on; all of the experiment's when left out.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub(super) tasks: Option<Vec<String>>,
    /// How this model's encoder is used, whatever the experiment's `approach` says.
    pub(super) approach: Option<Approach>,
    /// How this model is pretrained, where that is not as the experiment's `pretrain` says.
    pub(super) pretrain: Option<WrittenRecipe>,
}

/// Where published weights are: the text is a folder, the mapping a model of the hub.
#[derive(Clone, Debug)]
pub(super) enum WrittenCheckpoint {
    Folder(String),
    Hub(WrittenHub),
    Pretraining(WrittenPretrained),
    /// Keys that do not go together, and what to do.
    Contradiction(&'static str, &'static str),
}

/// A model that an experiment with `pretrain` leaves. The file `NAME.yaml` beside this one declares it; it is
/// pretrained first when that was not done.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pretrained")]
pub(super) struct WrittenPretrained {
    /// The experiment's name.
    pub(super) experiment: String,
    /// The model's name there.
    pub(super) model: String,
    /// The step whose model it is, one of its `snapshots`; the last one when left out.
    #[schemars(range(min = 1))]
    pub(super) step: Option<u64>,
    /// The seed of the pretraining, when it has several.
    pub(super) seed: Option<u64>,
}

/// Either of the two mappings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMapping {
    hub: Option<String>,
    revision: Option<String>,
    experiment: Option<String>,
    model: Option<String>,
    step: Option<u64>,
    seed: Option<u64>,
}

/// A model of the Hugging Face hub; it is fetched into the hub's cache on this machine when needed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Hub")]
pub(super) struct WrittenHub {
    /// The repository, such as `google-bert/bert-base-uncased`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?$"), length(max = 96))]
    pub(super) hub: String,
    /// A branch, a tag or the hash of a commit; the hash needs no network once the files are there.
    #[serde(default = "default_revision")]
    #[schemars(length(min = 1))]
    pub(super) revision: String,
}

fn default_revision() -> String {
    DEFAULT_REVISION.to_owned()
}

impl<'de> Deserialize<'de> for WrittenCheckpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CheckpointVisitor)
    }
}

/// By hand, because `untagged` would lose the places of errors inside the mapping.
struct CheckpointVisitor;

impl<'de> Visitor<'de> for CheckpointVisitor {
    type Value = WrittenCheckpoint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a folder, `{hub: ORG/NAME}` or `{experiment: NAME, model: NAME}`")
    }

    fn visit_str<E: de::Error>(self, folder: &str) -> Result<WrittenCheckpoint, E> {
        Ok(WrittenCheckpoint::Folder(folder.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenCheckpoint, A::Error> {
        let WrittenMapping { hub, revision, experiment, model, step, seed } =
            WrittenMapping::deserialize(MapAccessDeserializer::new(map))?;
        match (hub, experiment) {
            (Some(_), Some(_)) => Ok(WrittenCheckpoint::Contradiction(
                "both `hub` and `experiment` say where the weights are",
                "keep one: `{hub: ORG/NAME}` or `{experiment: NAME, model: NAME}`",
            )),
            (_, Some(experiment)) if revision.is_none() => {
                let model = model.ok_or_else(|| de::Error::missing_field("model"))?;
                Ok(WrittenCheckpoint::Pretraining(WrittenPretrained { experiment, model, step, seed }))
            }
            (_, Some(_)) => Ok(WrittenCheckpoint::Contradiction(
                "a `revision` is of a model of the hub",
                "remove it: `{experiment: NAME, model: NAME}`",
            )),
            (hub, None) if model.is_none() && step.is_none() && seed.is_none() => {
                let hub = hub.ok_or_else(|| de::Error::missing_field("hub"))?;
                Ok(WrittenCheckpoint::Hub(WrittenHub { hub, revision: revision.unwrap_or_else(default_revision) }))
            }
            (_, None) => Err(de::Error::missing_field("experiment")),
        }
    }
}

impl JsonSchema for WrittenCheckpoint {
    fn schema_name() -> Cow<'static, str> {
        "Checkpoint".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let hub = generator.subschema_for::<WrittenHub>();
        let pretrained = generator.subschema_for::<WrittenPretrained>();
        json_schema!({"oneOf": [{"type": "string", "description": "A folder.", "minLength": 1}, hub, pretrained]})
    }
}

/// The sizes that have names: BERT-base and BERT-large (Devlin et al. 2018), and the smaller ones
/// (Turc et al. 2019): tiny 2 layers of width 128, mini 4/256, small 4/512, medium 8/512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// 12 layers, hidden size 768, 12 heads.
    BertBase,
    /// 24 layers, hidden size 1024, 16 heads.
    BertLarge,
    /// 2 layers, hidden size 128, 2 heads.
    #[serde(alias = "tiny")]
    BertTiny,
    /// 4 layers, hidden size 256, 4 heads.
    #[serde(alias = "mini")]
    BertMini,
    /// 4 layers, hidden size 512, 8 heads.
    #[serde(alias = "small")]
    BertSmall,
    /// 8 layers, hidden size 512, 8 heads.
    #[serde(alias = "medium")]
    BertMedium,
}

/// The dimensions of a BERT encoder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Architecture")]
pub(super) struct WrittenArchitecture {
    /// Transformer layers.
    #[schemars(range(min = 1, max = MAX_LAYERS))]
    pub(super) layers: u32,
    /// Hidden size.
    #[schemars(range(min = 1, max = MAX_HIDDEN))]
    pub(super) hidden: u32,
    /// Attention heads; divides `hidden`.
    #[schemars(range(min = 1, max = MAX_HIDDEN))]
    pub(super) heads: u32,
    /// Width of the feed-forward layer; four times `hidden` when left out.
    #[schemars(range(min = 1, max = MAX_INTERMEDIATE))]
    pub(super) intermediate: Option<u32>,
    /// The longest sequence that the model can read, in tokens.
    #[serde(default = "default_max_positions")]
    #[schemars(range(min = SHORTEST_SEQUENCE, max = MAX_POSITIONS))]
    pub(super) max_positions: u32,
}

// BERT's position embeddings have 512 rows (Devlin et al. 2018, appendix A.2).
fn default_max_positions() -> u32 {
    512
}

/// The generated mini benchmark.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Mini")]
pub(super) struct WrittenMini {
    /// The seed of the generator: the same seed gives the same data.
    #[serde(default = "default_mini_seed")]
    pub(super) seed: u64,
}

fn default_mini_seed() -> u64 {
    1
}

/// The lists whose every combination is a run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Sequences per optimisation step.
    #[schemars(length(min = 1), inner(range(min = 1)), extend("uniqueItems" = true))]
    pub batch_size: Vec<u32>,
    /// Peak learning rates.
    #[schemars(length(min = 1), extend(
        "items" = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "uniqueItems" = true
    ))]
    pub learning_rate: Vec<f64>,
    /// Passes over the training data.
    #[schemars(length(min = 1), inner(range(min = 1)), extend("uniqueItems" = true))]
    pub epochs: Vec<u32>,
}

/// Training settings that the sweep keeps fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Longest sequence in tokens, `[CLS]` and `[SEP]` included; longer texts are truncated, split or read in
    /// windows. Each task's own when left out, 128 for GLUE.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = SHORTEST_SEQUENCE))]
    pub max_length: Option<u32>,
    /// Fraction of all steps over which the learning rate rises from 0.
    #[schemars(range(min = 0, max = 1))]
    pub warmup_fraction: f64,
    /// Decoupled weight decay, not applied to biases and layer norms.
    #[schemars(range(min = 0))]
    pub weight_decay: f64,
    /// Dropout probability of embeddings, attention, residual branches and the head.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub dropout: f64,
    /// Gradients are scaled down to this global norm.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub clip_norm: f64,
    /// Forward and backward passes that a step's batch is split into, for machines with less memory.
    #[schemars(range(min = 1))]
    pub gradient_accumulation: u32,
    /// Keep only each layer's input and compute the layer again in the backward pass: the same numbers
    /// with less memory and about a third more time.
    pub activation_checkpointing: bool,
    /// The numbers that matrix products take: `f32`, or `bf16` for mixed precision.
    pub precision: Precision,
    /// How gradients become updates: `{adamw: {}}` or `{bert_adam: {}}`.
    pub optimizer: Optimizer,
    /// Adam's β1.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub adam_beta1: f64,
    /// Adam's β2.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub adam_beta2: f64,
    /// Adam's ε; 1e-8 for `adamw` and 1e-6 for `bert_adam` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub adam_epsilon: Option<f64>,
}

/// The numbers that matrix products take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// Mixed precision: bfloat16 operands; sums, weights and everything else in 32-bit floats. On
    /// processors with AVX512-BF16 or AMX only.
    Bf16,
}

/// How gradients become updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// `PyTorch`'s `AdamW`, with bias correction; the rate falls linearly from the warmup's end to 0.
    #[serde(rename = "adamw")]
    AdamW {},
    /// The optimizer of google-research/bert, without bias correction; the rate falls on the line from
    /// the peak at the first step to 0, and the warmup stands before that line.
    BertAdam {},
}

impl Optimizer {
    /// ε where the file names none.
    #[must_use]
    pub fn default_epsilon(self) -> f64 {
        match self {
            // PyTorch's AdamW and the Hugging Face Trainer.
            Self::AdamW {} => 1e-8,
            // google-research/bert, optimization.py, create_optimizer.
            Self::BertAdam {} => 1e-6,
        }
    }
}

impl Training {
    /// Adam's ε, the optimizer's own when the file names none.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        self.adam_epsilon.unwrap_or_else(|| self.optimizer.default_epsilon())
    }
}

impl Default for Training {
    fn default() -> Self {
        Self {
            max_length: None,
            // Devlin et al. 2018, appendix A.2, as run_classifier.py applies it to fine-tuning.
            warmup_fraction: 0.1,
            // Devlin et al. 2018, appendix A.2: decay 0.01, dropout 0.1, β1 0.9, β2 0.999.
            weight_decay: 0.01,
            dropout: 0.1,
            // google-research/bert, optimization.py: clip_by_global_norm 1.0.
            clip_norm: 1.0,
            gradient_accumulation: 1,
            activation_checkpointing: false,
            precision: Precision::F32,
            optimizer: Optimizer::AdamW {},
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: None,
        }
    }
}

/// Where to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The fastest device that this build supports and the machine has.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A GPU through WebGPU shaders.
    Wgpu,
    /// A GPU through Vulkan and SPIR-V.
    Vulkan,
    /// An NVIDIA GPU.
    Cuda,
}
