//! What a finished run leaves. Reports are made from records alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evaluation::{Evaluation, Score};
use super::run_id::RunId;
use super::settings::RunSettings;
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
    /// Every score at the end of the run: on the dev splits of a task, on held-out text of a pretraining that has some.
    pub scores: Vec<Score>,
    /// Evaluations in order: of a task, one at the end of each epoch.
    pub evaluations: Vec<Evaluation>,
    /// Optimisation steps taken.
    pub steps: u64,
    /// Of these, those whose gradients overflowed in float16, so that they changed nothing; with `precision: f16` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_steps: Option<u64>,
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
    /// The pretraining run that the weights come from, when the experiment names one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<Origin>,
    /// Remarks a reader must see: a head that was initialised, tensors that were ignored, …
    pub notes: Vec<String>,
    /// What only runs with this objective leave.
    pub outcome: Outcome,
    /// BLAKE3 of the other files that the run left, by their path in its folder; filled in when it is written. What
    /// lives longer than the run's work (`log.txt`) or has a checksum of its own (`settings.json`) is not among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

/// What a run leaves besides, by its objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Of a task.
    Task(TaskOutcome),
    /// Of a pretraining.
    Pretraining {
        /// SHA-256 of the weights of each model that is kept, by the step after which it was.
        weights_sha256: BTreeMap<u64, String>,
    },
}

/// How a task's scores are to be read, and of which examples they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskOutcome {
    /// `mini` for the mini benchmark, else the published benchmark's name, such as `GLUE`.
    pub benchmark: String,
    /// The name of the score by which the task is judged, such as `accuracy`.
    pub primary_metric: String,
    /// The dev split that [`Record::primary_score`] reads first, such as `dev` or `dev_matched`.
    pub primary_split: String,
    /// The primary metric of always predicting the most frequent class on dev (0 for correlations).
    pub majority: f64,
    /// The best primary metric that any model can expect, when the data's maker knows it.
    pub ceiling: Option<f64>,
    /// Examples of the training split and of each dev split, as their publishers count them: rows, questions, sentences.
    pub examples: BTreeMap<String, u64>,
    /// Sequences that the model reads of each split, where these are not the examples: windows over long texts, parts of
    /// sentences.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<String, u64>,
    /// Malformed rows that `--skip-bad-rows` left out, by file.
    pub skipped_rows: BTreeMap<String, u64>,
}

/// The pretraining run whose model a run started from, as it was then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Everything that decided the weights.
    pub settings: RunSettings,
    /// The step whose weights were taken; the last one, or one of the run's snapshots.
    pub step: u64,
    /// The scores on held-out text after that step, when the model was evaluated there.
    pub evaluation: Option<Evaluation>,
    /// How long the whole pretraining took.
    pub wall: Seconds,
    /// SHA-256 of the weights that were read.
    pub weights_sha256: String,
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
    /// Evaluations, and predictions of unlabelled sets.
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
    /// `panic`, `diverged`, `out_of_memory`, `device`, `killed`, `disk_full` or `error`.
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
        format!("{experiment}/{}/{}/{id}", settings.task_name(), settings.model)
    }

    /// What a run on a task left; none of a pretraining.
    #[must_use]
    pub fn task(&self) -> Option<&TaskOutcome> {
        match &self.outcome {
            Outcome::Task(of) => Some(of),
            Outcome::Pretraining { .. } => None,
        }
    }

    /// SHA-256 of the weights that a pretraining kept after `step`.
    #[must_use]
    pub fn weights_sha256(&self, step: u64) -> Option<&str> {
        match &self.outcome {
            Outcome::Task(_) => None,
            Outcome::Pretraining { weights_sha256 } => weights_sha256.get(&step).map(String::as_str),
        }
    }

    /// The name of the score by which the run is judged; of a pretraining, the perplexity on held-out text.
    #[must_use]
    pub fn primary_metric(&self) -> &str {
        self.task().map_or("perplexity", |task| &task.primary_metric)
    }

    /// The score by which the run is judged: the primary metric on the primary split.
    #[must_use]
    pub fn primary_score(&self) -> Option<f64> {
        let split = self.task().map_or("held_out", |task| &task.primary_split);
        self.score(self.primary_metric(), split)
    }

    /// One score at the end of the run.
    #[must_use]
    pub fn score(&self, metric: &str, split: &str) -> Option<f64> {
        self.scores.iter().find(|score| score.metric == metric && score.split == split)?.value
    }

    /// What a run that starts from the model of `step` (the last one when `None`) keeps of this pretraining.
    /// `None` when no such model was kept.
    #[must_use]
    pub fn origin(&self, step: Option<u64>) -> Option<Origin> {
        let step = step.unwrap_or(self.steps);
        Some(Origin {
            settings: self.settings.clone(),
            step,
            evaluation: self.evaluations.iter().find(|evaluation| evaluation.step == step).cloned(),
            wall: self.timings.wall,
            weights_sha256: self.weights_sha256(step)?.to_owned(),
        })
    }
}

impl Timings {
    /// The same of a whole run of `wall` that trained on `tokens`: what is left over, and the speed.
    #[must_use]
    pub fn concluded(self, wall: Seconds, tokens: Tokens) -> Self {
        let work = self.forward.0 + self.backward.0 + self.optimizer.0;
        Self {
            wall,
            overhead_fraction: 1.0 - (work + self.evaluation.0) / wall.0.max(f64::MIN_POSITIVE),
            tokens_per_second: tokens.0 as f64 / work.max(f64::MIN_POSITIVE),
            ..self
        }
    }
}
