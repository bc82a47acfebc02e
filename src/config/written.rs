//! The experiment file as written: what serde reads and what the JSON schema describes. The doc
//! comments here are the descriptions that an editor shows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::task::WrittenTask;
use super::written_model::WrittenModel;
use super::written_pretrain::WrittenPretrain;
use super::written_training::Training;
use crate::settings::{Approach, Cluster, Device, number};

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
    /// How the encoders are used: `fine_tuning`, or `{feature_based: {layers: …}}`, frozen under an LSTM.
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
    /// In place of `device`: several of one kind, such as `[vulkan:0, vulkan:1]`. Each does one run at a time, the longest
    /// first; one that is named twice does two.
    #[schemars(length(min = 1))]
    pub(super) devices: Option<Vec<Device>>,
    /// Runs at the same time; as many as the machine can hold when left out.
    #[schemars(range(min = 1))]
    pub(super) slots: Option<u32>,
    /// What belongs to the cluster that the runs can be sent to; no result depends on it.
    #[serde(default)]
    pub(super) cluster: Cluster,
}

fn default_seeds() -> Vec<u64> {
    vec![1]
}

/// The generated mini benchmark.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Mini")]
pub(super) struct WrittenMini {
    /// The seed of the generator: the same seed gives the same data.
    #[serde(default = "number::<1, u64>")]
    pub(super) seed: u64,
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
