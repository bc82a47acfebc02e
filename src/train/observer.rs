//! Who follows a run while it trains.

use crate::kernel::ScaledStep;
use crate::store::{Evaluation, StepEvent};
use crate::units::Seconds;

/// One optimisation step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Steps finished, this one included.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// The epoch of a task, or the phase of a pretraining, that this step belongs to, from 1.
    pub epoch: u32,
    /// Mean loss of the step, in nats (squared score units for regression).
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Global gradient norm before clipping; not finite where the step was skipped.
    pub gradient_norm: f64,
    /// What loss scaling did, where there is some.
    pub scaled: Option<ScaledStep>,
    /// Tokens of the step.
    pub tokens: u64,
    /// The whole step, batching to optimizer.
    pub seconds: Seconds,
    /// Where they went.
    pub phases: Phases,
}

impl StepReport {
    /// The line of the log about this step, as far as every run has it.
    pub(super) fn event(&self, tokens_per_second: f64) -> StepEvent {
        StepEvent {
            step: self.step,
            loss: self.loss,
            learning_rate: self.learning_rate,
            gradient_norm: Some(self.gradient_norm).filter(|norm| norm.is_finite()),
            loss_scale: self.scaled.map(|scaled| scaled.loss_scale),
            skipped_steps: self.scaled.map(|scaled| scaled.skipped_steps),
            tokens_per_second,
            ..StepEvent::default()
        }
    }
}

/// The phases of an optimisation step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phases {
    /// Examples into packed batches on the device.
    pub batching: Seconds,
    /// Forward passes, loss included.
    pub forward: Seconds,
    /// Backward passes.
    pub backward: Seconds,
    /// Clipping and the update of every parameter.
    pub optimizer: Seconds,
}

/// Follows a run, and may stop it between two steps.
pub trait Observer {
    /// Before the first step: `step` of `steps` were taken before, by a process that wrote a checkpoint.
    fn started(&mut self, step: u64, steps: u64) {
        let _ = (step, steps);
    }
    /// Something that a reader should know, such as a checkpoint that cannot be used.
    fn note(&mut self, text: &str) {
        let _ = text;
    }
    /// After each optimisation step.
    fn step(&mut self, report: &StepReport) {
        let _ = report;
    }
    /// A line of the log.
    fn logged(&mut self, event: &StepEvent) {
        let _ = event;
    }
    /// After each evaluation.
    fn evaluated(&mut self, evaluation: &Evaluation) {
        let _ = evaluation;
    }
    /// A checkpoint was written after `step`.
    fn saved(&mut self, step: u64) {
        let _ = step;
    }
    /// Whether to stop before the next step.
    fn stop(&mut self) -> bool {
        false
    }
}
