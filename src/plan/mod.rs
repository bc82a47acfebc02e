//! The experiment resolved: a list of immutable runs, with nothing optional left.
//!
//! Everything that needs the disk or the device (checksums, token counts, dimensions of a checkpoint)
//! comes in through [`Inputs`], so that planning is a pure function.

mod filter;
mod forecast;
mod work;

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::spec::{self, Experiment};
use crate::store::settings::NUMERICS_VERSION;
use crate::store::{Architecture, Optimizer, Precision, RunId, RunSettings, Start, TrainingSettings};
use crate::units::Tokens;

pub use filter::Filter;
pub use forecast::{Calibration, Forecast, Totals, forecast, forward_flops, parameters};
pub use work::{evaluation_flops, model_parameters, trained_parameters, training_flops};

/// What planning needs to know about the machine, the models and the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// The resolved device: `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub device: String,
    /// Whether malformed rows are left out.
    pub skip_bad_rows: bool,
    /// By the model's name in the experiment.
    pub models: BTreeMap<String, ModelInput>,
    /// By task and model: the same text has other tokens under another vocabulary.
    pub tasks: BTreeMap<(String, String), TaskInput>,
}

/// A model, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInput {
    /// Its dimensions, vocabulary included.
    pub architecture: Architecture,
    /// Where its weights come from.
    pub start: Start,
    /// SHA-256 of its vocabulary file.
    pub vocabulary_sha256: String,
    /// Whether text is lower-cased and stripped of accents.
    pub lower_case: bool,
}

/// A task's data, as one model reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInput {
    /// SHA-256 of every file that a run reads, by file name.
    pub data_sha256: BTreeMap<String, String>,
    /// Examples of the training split.
    pub train_examples: u64,
    /// Their tokens, truncated to the experiment's longest sequence.
    pub train_tokens: u64,
    /// Examples of all dev splits.
    pub dev_examples: u64,
    /// Their tokens, truncated likewise.
    pub dev_tokens: u64,
}

/// An experiment's runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The experiment's name.
    pub experiment: String,
    /// In the order of the file: models, tasks, seeds, batch sizes, learning rates, epochs.
    pub runs: Vec<PlannedRun>,
}

/// A run to make, or made already.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRun {
    /// Its id.
    pub id: RunId,
    /// Everything that decides its result.
    pub settings: RunSettings,
    /// Optimisation steps.
    pub steps: u64,
    /// Examples seen in training, over all epochs.
    pub examples: u64,
    /// Tokens seen in training, over all epochs.
    pub tokens: Tokens,
    /// Examples of one evaluation; there is one at the end of each epoch.
    pub dev_examples: u64,
    /// Tokens of one evaluation.
    pub dev_tokens: Tokens,
}

/// Optimisation steps of a run: a step is a batch, in however many passes, and each epoch ends with a
/// batch of what is left.
#[must_use]
pub fn steps(train_examples: u64, batch_size: u32, epochs: u32) -> u64 {
    u64::from(epochs) * train_examples.div_ceil(u64::from(batch_size.max(1)))
}

/// Expands an experiment into its runs.
///
/// # Errors
/// A model that cannot read sequences as long as `max_length`, a task without training examples, two
/// models that are the same, and inputs that are missing.
pub fn expand(experiment: &Experiment, inputs: &Inputs) -> Result<Plan, Diagnostic> {
    let mut runs = Vec::new();
    for model in &experiment.models {
        let model_input = inputs.models.get(&model.name).ok_or_else(|| {
            experiment.finding(&format!("models.{}", model.name), format!("the model `{}` was not read", model.name))
        })?;
        length_fits(experiment, &model.name, model_input)?;
        for task in &experiment.tasks {
            let found = |message: String| experiment.finding(&format!("tasks.{task}"), message);
            let task_input = inputs
                .tasks
                .get(&(task.clone(), model.name.clone()))
                .ok_or_else(|| found(format!("the data of `{task}` was not read for `{}`", model.name)))?;
            if task_input.train_examples == 0 {
                return Err(found(format!("`{task}` has no training examples")).hint("is its training file empty?"));
            }
            let base = settings(experiment, inputs, &model.name, task, model_input, task_input);
            grid(experiment, &base, task_input, &mut runs);
        }
    }
    refuse_equal_runs(experiment, &runs)?;
    Ok(Plan { experiment: experiment.name.clone(), runs })
}

/// The settings that all runs of one model on one task share; the sweep's own are those of no point.
fn settings(
    experiment: &Experiment,
    inputs: &Inputs,
    model: &str,
    task: &str,
    model_input: &ModelInput,
    task_input: &TaskInput,
) -> RunSettings {
    let training = &experiment.training;
    RunSettings {
        model: model.to_owned(),
        architecture: model_input.architecture,
        start: model_input.start.clone(),
        task: task.to_owned(),
        task_options: None,
        approach: crate::store::Approach::FineTuning,
        batch_size: 0,
        learning_rate: 0.0,
        epochs: 0,
        seed: 0,
        training: TrainingSettings {
            max_length: training.max_length,
            warmup_fraction: training.warmup_fraction,
            weight_decay: training.weight_decay,
            dropout: training.dropout,
            clip_norm: training.clip_norm,
            gradient_accumulation: training.gradient_accumulation,
            activation_checkpointing: training.activation_checkpointing,
            precision: precision(training.precision),
            optimizer: optimizer(training.optimizer),
            adam_beta1: training.adam_beta1,
            adam_beta2: training.adam_beta2,
            adam_epsilon: training.epsilon(),
        },
        device: inputs.device.clone(),
        data_sha256: task_input.data_sha256.clone(),
        vocabulary_sha256: model_input.vocabulary_sha256.clone(),
        lower_case: model_input.lower_case,
        skip_bad_rows: inputs.skip_bad_rows,
        numerics_version: NUMERICS_VERSION,
    }
}

/// A precision as the file names it, as the settings of a run do.
#[must_use]
pub fn precision(written: spec::Precision) -> Precision {
    match written {
        spec::Precision::F32 => Precision::F32,
        spec::Precision::Bf16 => Precision::Bf16,
    }
}

fn optimizer(written: spec::Optimizer) -> Optimizer {
    match written {
        spec::Optimizer::AdamW {} => Optimizer::AdamW,
        spec::Optimizer::BertAdam {} => Optimizer::BertAdam,
    }
}

/// Puts a run for every seed and point of the sweep behind `runs`.
fn grid(experiment: &Experiment, base: &RunSettings, input: &TaskInput, runs: &mut Vec<PlannedRun>) {
    let sweep = &experiment.sweep;
    for &seed in &experiment.seeds {
        for &batch_size in &sweep.batch_size {
            for &learning_rate in &sweep.learning_rate {
                for &epochs in &sweep.epochs {
                    let settings = RunSettings { batch_size, learning_rate, epochs, seed, ..base.clone() };
                    runs.push(PlannedRun {
                        id: settings.id(),
                        settings,
                        steps: steps(input.train_examples, batch_size, epochs),
                        examples: u64::from(epochs) * input.train_examples,
                        tokens: Tokens(u64::from(epochs) * input.train_tokens),
                        dev_examples: input.dev_examples,
                        dev_tokens: Tokens(input.dev_tokens),
                    });
                }
            }
        }
    }
}

/// A preset's positions are checked with the file; a checkpoint's are known only now.
fn length_fits(experiment: &Experiment, model: &str, input: &ModelInput) -> Result<(), Diagnostic> {
    let (wanted, positions) = (experiment.training.max_length, input.architecture.max_positions);
    if wanted <= positions {
        return Ok(());
    }
    let written = experiment.place_of("training.max_length").is_some();
    let key = if written { "training.max_length".to_owned() } else { format!("models.{model}.checkpoint") };
    let message = format!("`max_length` is {wanted}, but the model `{model}` has {positions} positions");
    Err(experiment.finding(&key, message).hint(format!("set `training: {{max_length: {positions}}}` or less")))
}

/// Names do not decide a result, so two models of the same size and weights would be the same runs.
fn refuse_equal_runs(experiment: &Experiment, runs: &[PlannedRun]) -> Result<(), Diagnostic> {
    let mut seen: BTreeMap<&RunId, &RunSettings> = BTreeMap::new();
    for run in runs {
        let Some(first) = seen.insert(&run.id, &run.settings) else { continue };
        let (one, other) = (&first.model, &run.settings.model);
        let message = format!("the models `{one}` and `{other}` are the same: every run of one is a run of the other");
        let found = experiment.finding(&format!("models.{other}"), message);
        return Err(found.hint("remove one of them; for a second draw of random weights, add a seed"));
    }
    Ok(())
}

impl Plan {
    /// The runs that at least one of the filters lets pass; all of them without a filter.
    ///
    /// # Errors
    /// A filter that lets no run of this plan pass.
    pub fn only(&self, filters: &[Filter]) -> Result<Self, Diagnostic> {
        for filter in filters {
            filter.refuse_if_empty(&self.runs)?;
        }
        let passes =
            |run: &&PlannedRun| filters.is_empty() || filters.iter().any(|filter| filter.passes(&run.settings));
        Ok(Self { experiment: self.experiment.clone(), runs: self.runs.iter().filter(passes).cloned().collect() })
    }

    /// The runs in the order that keeps all slots busy until the end: the longest first; equally long
    /// ones in the order of the file.
    #[must_use]
    pub fn longest_first(&self, calibration: &Calibration) -> Vec<&PlannedRun> {
        let mut runs: Vec<(f64, &PlannedRun)> =
            self.runs.iter().map(|run| (forecast(run, calibration).seconds.0, run)).collect();
        runs.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        runs.into_iter().map(|(_, run)| run).collect()
    }

    /// Time, memory and disk of all runs together.
    #[must_use]
    pub fn totals(&self, calibration: &Calibration) -> Totals {
        Totals::of(&self.runs, calibration)
    }
}

#[cfg(test)]
mod tests;
