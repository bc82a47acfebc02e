//! The experiment resolved: a list of immutable runs, with nothing optional left.
//!
//! Everything that needs the disk or the device comes in through [`Inputs`] (checksums, dimensions, weights: what ids
//! are made of) and [`Sizes`] (token counts: what forecasts are made of), so that planning is a pure function.

mod features;
mod filter;
mod fits;
mod forecast;
mod gpu_memory;
mod inputs;
mod outline;
mod pretraining;
mod sizes;
mod tasks;
mod varying_settings;
mod wall;
mod work;

use std::collections::BTreeMap;

use fits::{has_layers, predicts_next_token};

use crate::config::{self, Experiment, Model, Task};
use crate::diagnostic::Diagnostic;
use crate::settings::Optimizer;
use crate::store::{NUMERICS_VERSION, Objective, Optimization, RunId, RunIdentity, RunSettings, TaskObjective, Warmup};
use crate::units::Tokens;

pub use filter::Filter;
pub use forecast::{Calibration, Forecast, Totals, forecast};
pub use inputs::{CorporaInput, CorpusInput, Inputs, ModelInput, architecture};
pub use outline::{Outline, outline};
pub use pretraining::{expand_pretraining, identify_pretraining};
pub use sizes::{CorpusSize, Sizes, TaskSize, steps};
pub use tasks::{known_tasks, task_options};
pub use varying_settings::varying_settings;
pub use wall::{Upcoming, wall};
pub use work::{
    LastLayer, classifier_flops, evaluation_flops, flops, forward_flops, model_parameters, trained_parameters,
    training_flops,
};

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
    /// Examples seen in training, each as often as it is.
    pub examples: u64,
    /// Tokens seen in training; of a pretraining, by the mean length of its examples.
    pub tokens: Tokens,
    /// What is evaluated on the way.
    pub evaluations: Evaluations,
}

/// The evaluations of a run: of a task, one at the end of each epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evaluations {
    /// How many.
    pub count: u64,
    /// Sequences of each.
    pub examples: u64,
    /// Examples of the dev split by which the task is judged, as its publisher counts them; 0 of a pretraining.
    pub judged: u64,
    /// Tokens of each.
    pub tokens: Tokens,
}

/// The runs of an experiment, by what decides their results alone.
///
/// # Errors
/// A model that cannot read sequences as long as a task's, or has not the layers that are read, two models that are
/// the same, and inputs that are missing.
pub fn identify(experiment: &Experiment, inputs: &Inputs) -> Result<Vec<RunIdentity>, Diagnostic> {
    let mut runs = Vec::new();
    for model in &experiment.models {
        let model_input = inputs.models.get(&model.name).ok_or_else(|| {
            experiment
                .base
                .finding(&format!("models.{}", model.name), format!("the model `{}` was not read", model.name))
        })?;
        has_layers(experiment, model, model_input)?;
        predicts_next_token(experiment, model, model_input)?;
        for task in experiment.tasks_of(model) {
            let (name, positions) = (&task.name, model_input.architecture.max_positions);
            // A preset's positions are checked with the file; a checkpoint's are known only now.
            if task.max_length > positions {
                return Err(experiment.too_long(task, &model.name, positions));
            }
            let data_sha256 = inputs.data.get(name).ok_or_else(|| {
                experiment.base.finding(&format!("tasks.{name}"), format!("the data of `{name}` was not read"))
            })?;
            let base = settings(experiment, inputs, (model, model_input), (task, data_sha256));
            runs.extend(grid(experiment, &base));
        }
    }
    refuse_equal_runs(experiment, &runs)?;
    Ok(runs)
}

/// Expands an experiment into its runs, and how much they compute.
///
/// # Errors
/// As [`identify`]; a task without training examples.
pub fn expand(experiment: &Experiment, inputs: &Inputs, sizes: &Sizes) -> Result<Plan, Diagnostic> {
    let planned = |run: RunIdentity| {
        let (task, model) = (run.settings.task_name().to_owned(), run.settings.model.clone());
        let found = |message: String| experiment.base.finding(&format!("tasks.{task}"), message);
        let size = sizes.tasks.get(&(task.clone(), model.clone()));
        let size = size.ok_or_else(|| found(format!("the data of `{task}` was not read for `{model}`")))?;
        if size.train_examples == 0 {
            return Err(found(format!("`{task}` has no training examples")).hint("is its training file empty?"));
        }
        Ok(size.of(run))
    };
    let runs = identify(experiment, inputs)?.into_iter().map(planned).collect::<Result<_, _>>()?;
    Ok(Plan { experiment: experiment.base.name.clone(), runs })
}

/// The settings that all runs of one model on one task share; the sweep's own are those of no point.
fn settings(
    experiment: &Experiment,
    inputs: &Inputs,
    (model, model_input): (&Model, &ModelInput),
    (task, data_sha256): (&Task, &BTreeMap<String, String>),
) -> RunSettings {
    let training = &experiment.base.training;
    RunSettings {
        model: model.name.clone(),
        architecture: model_input.architecture,
        initial_weights: model_input.initial_weights.clone(),
        vocabulary: model_input.vocabulary.clone(),
        seed: 0,
        device: inputs.device.clone(),
        optimization: Optimization {
            warmup: Warmup::Fraction(training.warmup_fraction),
            ..optimization(training, training.optimizer, training.epsilon())
        },
        objective: Objective::Task(TaskObjective {
            task: task.name.clone(),
            options: task_options(task),
            approach: model.approach,
            max_length: task.max_length,
            epochs: 0,
            data_sha256: data_sha256.clone(),
            skip_bad_rows: inputs.skip_bad_rows,
            lm_coef: training.lm_coef,
            both_orders: training.both_orders && task.similarity,
        }),
        numerics_version: NUMERICS_VERSION,
    }
}

/// The part of the optimization that the sweep and the schedule do not vary.
fn optimization(training: &config::Training, optimizer: Optimizer, adam_epsilon: f64) -> Optimization {
    Optimization {
        batch_size: 0,
        learning_rate: 0.0,
        warmup: Warmup::Steps(0),
        weight_decay: training.weight_decay,
        dropout: training.dropout,
        max_grad_norm: training.max_grad_norm,
        gradient_accumulation_steps: training.gradient_accumulation_steps,
        gradient_checkpointing: training.gradient_checkpointing,
        precision: training.precision,
        autotune: training.autotune,
        optimizer,
        adam_beta1: training.adam_beta1,
        adam_beta2: training.adam_beta2,
        adam_epsilon,
    }
}

/// A run for every seed and point of the sweep.
fn grid(experiment: &Experiment, base: &RunSettings) -> Vec<RunIdentity> {
    let (sweep, mut runs) = (&experiment.sweep, Vec::new());
    for &seed in &experiment.base.seeds {
        for &batch_size in &sweep.batch_size {
            for &learning_rate in &sweep.learning_rate {
                for &epochs in &sweep.epochs {
                    runs.push(RunIdentity::of(at_point(base, seed, (batch_size, learning_rate, epochs))));
                }
            }
        }
    }
    runs
}

fn at_point(base: &RunSettings, seed: u64, (batch_size, learning_rate, epochs): (u32, f64, u32)) -> RunSettings {
    let mut settings = RunSettings { seed, ..base.clone() };
    (settings.optimization.batch_size, settings.optimization.learning_rate) = (batch_size, learning_rate);
    if let Objective::Task(of) = &mut settings.objective {
        of.epochs = epochs;
    }
    settings
}

/// Names do not decide a result, so two models of the same size and weights would be the same runs.
fn refuse_equal_runs(experiment: &Experiment, runs: &[RunIdentity]) -> Result<(), Diagnostic> {
    let mut seen: BTreeMap<&RunId, &RunSettings> = BTreeMap::new();
    for run in runs {
        let Some(first) = seen.insert(&run.id, &run.settings) else { continue };
        let (one, other) = (&first.model, &run.settings.model);
        let message = format!("the models `{one}` and `{other}` are the same: every run of one is a run of the other");
        let found = experiment.base.finding(&format!("models.{other}"), message);
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
        let settings: Vec<&RunSettings> = self.runs.iter().map(|run| &run.settings).collect();
        filters.iter().try_for_each(|filter| filter.refuse_if_empty(&settings))?;
        let passes =
            |run: &&PlannedRun| filters.is_empty() || filters.iter().any(|filter| filter.passes(&run.settings));
        Ok(Self { experiment: self.experiment.clone(), runs: self.runs.iter().filter(passes).cloned().collect() })
    }

    /// Time, memory and disk of all runs together.
    #[must_use]
    pub fn totals(&self, calibration: &Calibration) -> Totals {
        Totals::of(&self.runs, calibration)
    }
}

#[cfg(test)]
mod tests;
