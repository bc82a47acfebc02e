//! What a run will take, as a pure function of its dimensions and of rates measured on this machine.

use std::collections::BTreeMap;

use super::PlannedRun;
use super::gpu_memory::held_on_gpu;
use super::work::{evaluation_flops, kept_numbers, model_parameters, trained_parameters, training_flops};
use crate::store::{Objective, RunSettings};
use crate::units::{Bytes, Seconds};

/// Rates of this machine and device, measured by short runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Floating-point operations per second of a forward and a backward pass, counted as
    /// [`forward_flops`](super::forward_flops) × 3.
    pub forward_backward_flops_per_second: f64,
    /// Floating-point operations per second of a forward pass without gradients.
    pub evaluation_flops_per_second: f64,
    /// Parameters that clipping and `AdamW` handle per second.
    pub optimizer_parameters_per_second: f64,
    /// What a step costs whatever its size.
    pub step_overhead: Seconds,
    /// What a run costs whatever its length: setup, writing the record.
    pub run_overhead: Seconds,
    /// Memory of the process before it builds a model.
    pub base_memory: Bytes,
}

/// What one run will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Wall-clock time in one slot.
    pub seconds: Seconds,
    /// Peak memory, when every sequence of a batch has the greatest length: an upper bound.
    pub peak_memory: Bytes,
    /// What the run's folder will hold at most, a pretraining's checkpoints and models included; not the best model of
    /// a task, which [`Totals`] counts.
    pub disk: Bytes,
}

/// What a plan will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Totals {
    /// Number of runs.
    pub runs: usize,
    /// The sum over all runs: the time in one slot.
    pub seconds: Seconds,
    /// The largest of any run.
    pub peak_memory: Bytes,
    /// All run folders, for each task the largest model's weights, and the checkpoints of the largest long run.
    pub disk: Bytes,
}

/// A float32: four bytes. Training holds the weight, its gradient and `AdamW`'s two moments.
const FLOAT_BYTES: u64 = 4;
/// The gradient and the moments.
const TRAINED_COPIES: u64 = 3;

// Sizes of a run's files: settings, record and provenance; a line of the metrics log with step, loss,
// rate and time; a line of predictions.
const RUN_FILES_BYTES: u64 = 16 * 1024;
const LOG_LINE_BYTES: u64 = 96;
const PRETRAINING_LOG_LINE_BYTES: u64 = 320;
const PREDICTION_BYTES: u64 = 24;

/// Runs write checkpoints after so long; they keep two, and a third is being written.
const CHECKPOINTS_AFTER: Seconds = Seconds(300.0);
const CHECKPOINTS: u64 = 3;
const MOMENTS: u64 = 2;

/// Forecasts one run. A rate of 0 gives an infinite time, which is shown as unknown.
#[must_use]
pub fn forecast(run: &PlannedRun, calibration: &Calibration) -> Forecast {
    Forecast { seconds: seconds(run, calibration), peak_memory: peak_memory(run, calibration), disk: disk(run) }
}

fn seconds(run: &PlannedRun, calibration: &Calibration) -> Seconds {
    let (settings, of) = (&run.settings, &run.evaluations);
    let training = training_flops(settings, run.tokens.0, run.examples);
    let evaluation = of.count as f64 * evaluation_flops(settings, of.tokens.0, of.examples);
    let steps = run.steps as f64;
    let passes = steps * f64::from(settings.optimization.gradient_accumulation_steps);
    let optimizer = steps * trained_parameters(settings) as f64 / calibration.optimizer_parameters_per_second;
    Seconds(
        training / calibration.forward_backward_flops_per_second
            + evaluation / calibration.evaluation_flops_per_second
            + optimizer
            + passes * calibration.step_overhead.0
            + calibration.run_overhead.0,
    )
}

/// Weights, gradients and moments, what a forward pass keeps for the backward pass, and a GPU's operands in 16 bits.
fn peak_memory(run: &PlannedRun, calibration: &Calibration) -> Bytes {
    let settings = &run.settings;
    let sequences = u64::from(settings.optimization.sequences_per_pass()) * settings.orders();
    let tokens = sequences * u64::from(settings.max_length());
    let numbers = model_parameters(settings) + TRAINED_COPIES * trained_parameters(settings);
    let numbers = numbers.saturating_add(tokens.saturating_mul(kept_numbers(settings)));
    let held = FLOAT_BYTES.saturating_mul(numbers).saturating_add(held_on_gpu(settings, tokens).0);
    Bytes(calibration.base_memory.0.saturating_add(held))
}

fn disk(run: &PlannedRun) -> Bytes {
    let Objective::Pretraining(of) = &run.settings.objective else {
        return Bytes(RUN_FILES_BYTES + LOG_LINE_BYTES * run.steps + PREDICTION_BYTES * run.evaluations.examples);
    };
    let lines = run.steps / of.logging_steps.max(1) + run.evaluations.count;
    let checkpoints = of.saving.map_or(CHECKPOINTS, |saving| u64::from(saving.save_total_limit) + 1);
    let models = 1 + of.snapshots.len() as u64;
    let weights = FLOAT_BYTES * model_parameters(&run.settings);
    let files = RUN_FILES_BYTES + PRETRAINING_LOG_LINE_BYTES * lines;
    Bytes(files + weights * models + checkpoint_bytes(&run.settings) * checkpoints)
}

/// Every weight, and both moments of those that are trained.
fn checkpoint_bytes(settings: &RunSettings) -> u64 {
    FLOAT_BYTES * (model_parameters(settings) + MOMENTS * trained_parameters(settings))
}

impl Totals {
    /// The totals of `runs`.
    pub(super) fn of(runs: &[PlannedRun], calibration: &Calibration) -> Self {
        let mut totals = Self { runs: runs.len(), seconds: Seconds(0.0), peak_memory: Bytes(0), disk: Bytes(0) };
        let mut best_models: BTreeMap<&str, u64> = BTreeMap::new();
        let mut checkpoints = 0;
        for run in runs {
            let forecast = forecast(run, calibration);
            totals.seconds.0 += forecast.seconds.0;
            totals.peak_memory = totals.peak_memory.max(forecast.peak_memory);
            totals.disk.0 += forecast.disk.0;
            let Objective::Task(of) = &run.settings.objective else { continue };
            let weights = FLOAT_BYTES * model_parameters(&run.settings);
            let largest = best_models.entry(&of.task).or_default();
            *largest = weights.max(*largest);
            if forecast.seconds > CHECKPOINTS_AFTER {
                checkpoints = checkpoints.max(CHECKPOINTS * checkpoint_bytes(&run.settings));
            }
        }
        // Checkpoints go when their run is done.
        totals.disk.0 += best_models.values().sum::<u64>() + checkpoints;
        totals
    }
}
