//! What the fit loop trains: a model, the batches of its steps, their loss, and how it is evaluated.

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::backward::Backward;
use super::batch::{Batch, DataPosition, Losses, Part};
use super::error::TrainError;
use super::gradient_hook::GradientHook;
use super::observer::StepReport;
use super::pass::Pass;
use super::ranks::Ranks;
use crate::model::ForwardDropout;
use crate::store::{Evaluation, StepEvent};

/// The outputs of a model on each dev split, by its name, as [`predict`](super::predict) gives them.
pub type DevOutputs = Vec<(&'static str, Vec<f32>)>;

/// A task to be learned, or text to be pretrained on.
pub(super) trait Workload: Sync {
    /// What is trained.
    type Model: Module + Sync;
    /// What a part of a batch should give.
    type Targets: Sync;
    /// What passes and steps lost.
    type Losses: Losses;

    /// Optimisation steps of the run.
    fn steps(&self) -> u64;

    /// What this one of `ranks` computes of the batch of the step after `step` steps, which begins at `at`, with
    /// autodiff on `device`.
    ///
    /// # Errors
    /// When an example cannot be read, by any rank.
    fn next_batch(
        &mut self,
        step: u64,
        at: DataPosition,
        device: &Device,
        ranks: &dyn Ranks,
    ) -> Result<Batch<Self::Targets>, TrainError>;

    /// Forward and backward over a part of a batch; `hook` is called with gradients as they are found.
    fn pass(
        &self,
        model: &Self::Model,
        part: &Part<Self::Targets>,
        dropout: Option<&ForwardDropout>,
        how: &Backward,
        hook: &GradientHook,
    ) -> Pass<Self::Losses>;

    /// The line of the log about the steps since the line before, `last` being the last of them.
    fn step_event(&self, window: &LogWindow<Self::Losses>, last: &StepReport) -> StepEvent;

    /// Steps from one line of the log to the next.
    fn logging_steps(&self) -> u64;

    /// Whether the model is evaluated or kept after `step` steps, the next of which begins at `next`.
    fn is_evaluated(&self, step: u64, next: DataPosition) -> bool;

    /// Evaluates `model` (without autodiff); `None` when there is nothing to evaluate it on.
    ///
    /// # Errors
    /// When an example cannot be read.
    fn evaluate(&mut self, model: &Self::Model, at: &EvaluationPoint) -> Result<Option<Evaluation>, TrainError>;

    /// What `model` (without autodiff), the trained one, gives on each dev split.
    ///
    /// # Errors
    /// When the device failed.
    fn dev_outputs(&mut self, model: &Self::Model) -> Result<DevOutputs, TrainError> {
        let _ = model;
        Ok(Vec::new())
    }

    /// Keeps `model` (with autodiff) as it is after `step` steps, when that was asked for.
    ///
    /// # Errors
    /// When the disk says no.
    fn keep_snapshot(&self, model: &Self::Model, step: u64) -> Result<(), TrainError> {
        let _ = (model, step);
        Ok(())
    }
}

/// Steps since the last line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogWindow<L> {
    pub(super) losses: L,
    pub(super) tokens: u64,
    pub(super) seconds: f64,
}

impl<L> LogWindow<L> {
    /// Training tokens a second.
    pub(super) fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

/// When an evaluation takes place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct EvaluationPoint {
    /// Optimisation steps finished.
    pub(super) step: u64,
    /// Epochs finished.
    pub(super) epochs: u32,
    /// Mean loss of the examples since the evaluation before.
    pub(super) train_loss: f64,
}
