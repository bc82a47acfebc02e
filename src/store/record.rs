//! What a finished run leaves. Reports are made from records alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pretrain_record::Pretraining;
use super::settings::{RunId, RunSettings};
use crate::units::{Bytes, Seconds, Tokens};

/// A complete run: its settings, scores, timings and provenance. Written last, so that its existence
/// (`record.json`) means that everything else of the run is on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The run's id.
    pub id: RunId,
    /// The experiment's name.
    pub experiment: String,
    /// What was run.
    pub settings: RunSettings,
    /// `mini` for the mini benchmark, else the published benchmark's name, such as `GLUE`.
    pub benchmark: String,
    /// The name of the score by which the task is judged, such as `accuracy`.
    pub primary_metric: String,
    /// The dev split that [`Record::primary_score`] reads first, such as `dev` or `dev_matched`.
    pub primary_split: String,
    /// Every dev score at the end of the run.
    pub scores: Vec<Score>,
    /// Evaluations in order: one at the end of each epoch.
    pub evaluations: Vec<Evaluation>,
    /// The primary metric of always predicting the most frequent class on dev (0 for correlations).
    pub majority: f64,
    /// The best primary metric that any model can expect, when the data's maker knows it.
    pub ceiling: Option<f64>,
    /// Training examples, and examples of each dev split.
    pub examples: BTreeMap<String, u64>,
    /// Malformed rows that `--skip-bad-rows` left out, by file.
    pub skipped_rows: BTreeMap<String, u64>,
    /// Optimisation steps taken.
    pub steps: u64,
    /// Tokens seen in training.
    pub tokens: Tokens,
    /// Where the time went.
    pub timings: Timings,
    /// Peak resident memory of the process that trained.
    pub peak_memory: Bytes,
    /// What ran it.
    pub host: Host,
    /// Which code ran it, and when.
    pub provenance: Provenance,
    /// The pretraining that the weights come from, when the experiment names one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<Pretraining>,
    /// Remarks a reader must see: a head that was initialised, tensors that were ignored, …
    pub notes: Vec<String>,
}

/// One number with all that is needed to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// `accuracy`, `f1`, `exact_match`, `precision`, `recall`, `mcc`, `pearson`, `spearman`, `loss`.
    pub metric: String,
    /// The split that was scored: `dev`, `dev_matched` and `dev_mismatched`, or a `test` whose labels are published.
    pub split: String,
    /// The value, as a fraction (0.884, not 88.4) or a correlation; NaN is stored as null.
    pub value: Option<f64>,
    /// `fraction`, `correlation`, `nats` or `squared score`.
    pub unit: String,
    /// Whether more is better.
    pub higher_is_better: bool,
}

/// The state of a run at the end of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Epochs finished.
    pub epoch: u32,
    /// Optimisation steps finished.
    pub step: u64,
    /// Mean training loss since the last evaluation.
    pub train_loss: f64,
    /// Dev scores.
    pub scores: Vec<Score>,
}

/// Where the time of a run went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// From the start of the run to its record.
    pub wall: Seconds,
    /// Reading features and weights, building the model.
    pub setup: Seconds,
    /// Forward passes of training, loss included.
    pub forward: Seconds,
    /// Backward passes.
    pub backward: Seconds,
    /// Clipping and AdamW.
    pub optimizer: Seconds,
    /// Evaluation on dev, and predictions of unlabelled sets.
    pub evaluation: Seconds,
    /// Everything else, as a fraction of `wall`.
    pub overhead_fraction: f64,
    /// Training tokens per second of forward, backward and optimizer.
    pub tokens_per_second: f64,
}

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Operating system and version.
    pub os: String,
    /// Processor model.
    pub cpu: String,
    /// Logical cores of the machine.
    pub cores: u32,
    /// Threads that this run used.
    pub threads: u32,
    /// Main memory.
    pub memory: Bytes,
    /// Device used: `cpu` or the GPU's name.
    pub device: String,
}

/// The code and the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of bertbench.
    pub bertbench: String,
    /// Version of burn.
    pub burn: String,
    /// Version of the Rust compiler.
    pub rustc: String,
    /// Commit of the code, when built from a git checkout.
    pub git_commit: Option<String>,
    /// Whether that checkout had uncommitted changes.
    pub git_dirty: bool,
    /// Start, seconds since 1970-01-01 UTC.
    pub started_unix: u64,
    /// End, seconds since 1970-01-01 UTC.
    pub finished_unix: u64,
}

/// A run that did not finish (`failure.json`); it has no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `panic`, `diverged`, `out_of_memory`, `killed` or `error`.
    pub kind: String,
    /// The cause in words.
    pub cause: String,
    /// When, seconds since 1970-01-01 UTC.
    pub at_unix: u64,
}

impl Record {
    /// `EXPERIMENT/TASK/MODEL/ID`: the run that it is of.
    pub(super) fn place(&self) -> String {
        let Self { id, experiment, settings, .. } = self;
        format!("{experiment}/{}/{}/{id}", settings.task, settings.model)
    }

    /// The score by which this run is judged: the primary metric on the primary split.
    #[must_use]
    pub fn primary_score(&self) -> Option<f64> {
        self.score(&self.primary_metric, &self.primary_split)
    }

    /// One score at the end of the run.
    #[must_use]
    pub fn score(&self, metric: &str, split: &str) -> Option<f64> {
        self.scores.iter().find(|score| score.metric == metric && score.split == split)?.value
    }
}
