//! The fit loop: batches in a seeded order, forward, loss, backward, AdamW, evaluation after each epoch.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;

use super::checkpointer::{Checkpointer, FitPosition};
use super::error::TrainError;
use super::evaluate::predict;
use super::loss::{batch_loss, weight};
use super::optimizer::{FlatGradients, Optimizer, accumulate};
use super::pass::Pass;
use super::schedule::Schedule;
use super::tape::Graph;
use crate::kernel;
use crate::model::{Classifier, ForwardDropout, PackedInput};
use crate::plan;
use crate::random::Stream;
use crate::store::{Evaluation, RunSettings, Timings};
use crate::task::{DevSplit, Task};
use crate::text::{FeatureSet, PackedBatch, training_batches};
use crate::units::{Seconds, Tokens};

/// One optimisation step, as it is logged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Steps finished, this one included.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// The epoch that this step belongs to, from 1.
    pub epoch: u32,
    /// Mean loss of the step's examples, in nats (squared score units for regression).
    pub loss: f64,
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub gradient_norm: f64,
    /// Tokens of the step.
    pub tokens: u64,
    /// The whole step, batching to optimizer.
    pub seconds: Seconds,
    /// Where they went.
    pub phases: Phases,
}

/// The phases of an optimisation step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phases {
    /// Examples into a packed batch on the device.
    pub batching: Seconds,
    /// Forward passes, loss included.
    pub forward: Seconds,
    /// Backward passes.
    pub backward: Seconds,
    /// Clipping and the update of every parameter.
    pub optimizer: Seconds,
}

/// Who watches a run, and may stop it between two steps.
pub trait Watch {
    /// Before the first step: so many were taken before, by a process that wrote a checkpoint.
    ///
    /// # Errors
    /// When what was noted of later steps cannot be taken back.
    fn on_resume(&mut self, step: u64) -> Result<(), TrainError> {
        let _ = step;
        Ok(())
    }
    /// After each optimisation step.
    fn step(&mut self, report: &StepReport);
    /// After each evaluation.
    fn evaluated(&mut self, evaluation: &Evaluation);
    /// Whether to stop before the next step.
    fn stop(&mut self) -> bool;
}

/// What a run trains on.
#[derive(Clone, Copy, Debug)]
pub struct TrainingData<'a> {
    /// The task.
    pub task: &'static Task,
    /// Training examples.
    pub train: &'a FeatureSet,
    /// Dev splits.
    pub dev: &'a [DevSplit],
    /// The classes of a task that names them in its training data; else none.
    pub tags: &'a [String],
}

/// A trained model with what the record needs.
#[derive(Debug)]
pub struct FitResult {
    /// The model after the last step, without autodiff.
    pub model: Classifier,
    /// One evaluation per epoch.
    pub evaluations: Vec<Evaluation>,
    /// Outputs of the last evaluation per dev split, as [`predict`] gives them.
    pub logits: Vec<(&'static str, Vec<f32>)>,
    /// Optimisation steps taken.
    pub steps: u64,
    /// Tokens trained on, every epoch counted.
    pub tokens: Tokens,
    /// Forward, backward, optimizer and evaluation; the caller adds the rest.
    pub timings: Timings,
    /// What is to be known of the checkpoints that it went on from.
    pub notes: Vec<String>,
}

/// Trains `model` as `settings` say, on `device` (without autodiff; it is added here).
///
/// # Errors
/// [`TrainError::Diverged`] when the loss or the gradient is no longer finite, [`TrainError::Stopped`]
/// when `watch` asks for it.
pub fn fit(
    model: Classifier,
    settings: &RunSettings,
    material: TrainingData<'_>,
    device: &Device,
    watch: &mut dyn Watch,
) -> Result<FitResult, TrainError> {
    fit_with_checkpoints(model, settings, material, device, watch, None)
}

/// As [`fit`], going on from the newest checkpoint and writing some; the weights and scores are those of a run that
/// was never interrupted, bit for bit. [`Watch::on_resume`] is told first.
///
/// # Errors
/// As [`fit`], and when a checkpoint cannot be written.
pub fn fit_with_checkpoints(
    model: Classifier,
    settings: &RunSettings,
    material: TrainingData<'_>,
    device: &Device,
    watch: &mut dyn Watch,
    mut checkpointer: Option<&mut Checkpointer>,
) -> Result<FitResult, TrainError> {
    let steps = plan::steps(material.train.len() as u64, settings.optimization.batch_size, settings.epochs());
    let fit = Fit {
        settings,
        material,
        device: device.clone().autodiff(),
        schedule: Schedule::new(settings.optimization.optimizer, steps, settings.optimization.warmup),
        dropout: Stream::new(settings.seed, "dropout"),
        optimizer: Optimizer::new(),
        at: FitPosition::default(),
        notes: Vec::new(),
    };
    let (mut fit, model) = fit.resume(model, checkpointer.as_deref_mut())?;
    watch.on_resume(fit.at.step)?;
    let fitted = fit.run(model, steps, watch, checkpointer);
    kernel::release_memory();
    fitted
}

struct Fit<'a> {
    settings: &'a RunSettings,
    material: TrainingData<'a>,
    device: Device,
    schedule: Schedule,
    dropout: Stream,
    optimizer: Optimizer,
    at: FitPosition,
    notes: Vec<String>,
}

impl Fit<'_> {
    /// As the newest checkpoint that can be used has it.
    fn resume(
        mut self,
        model: Classifier,
        checkpointer: Option<&mut Checkpointer>,
    ) -> Result<(Self, Classifier), TrainError> {
        let Some(checkpointer) = checkpointer else { return Ok((self, model)) };
        let (newest, notes) = checkpointer.newest()?;
        self.notes.extend(notes);
        let Some(checkpoint) = newest else { return Ok((self, model)) };
        match checkpointer.restore(&checkpoint, model.clone()) {
            Ok((restored, optimizer, at)) => {
                self.notes.push(format!("resumed from the checkpoint of step {}", at.step));
                (self.optimizer, self.at) = (optimizer, at);
                Ok((self, restored))
            }
            Err(error) => {
                self.notes.push(format!("the checkpoint after step {} cannot be used: {error}", checkpoint.step));
                Ok((self, model))
            }
        }
    }

    fn run(
        &mut self,
        mut model: Classifier,
        steps: u64,
        watch: &mut dyn Watch,
        mut checkpointer: Option<&mut Checkpointer>,
    ) -> Result<FitResult, TrainError> {
        let shuffle = Stream::new(self.settings.seed, "shuffle");
        let mut logits = Vec::new();
        for epoch in self.at.epoch..=self.settings.epochs() {
            let batch_size = self.settings.optimization.batch_size;
            let batches = training_batches(self.material.train.len(), batch_size, shuffle.at(u64::from(epoch)));
            for batch in batches.iter().skip(self.at.batches) {
                if watch.stop() {
                    self.save(&model, checkpointer.as_deref_mut(), true)?;
                    return Err(TrainError::Stopped { step: self.at.step });
                }
                let (next, report) = self.optimize(model, batch, epoch, steps)?;
                model = next;
                self.at.loss_sum += report.loss * batch.len() as f64;
                self.at.examples += batch.len();
                self.at.batches += 1;
                watch.step(&report);
                self.save(&model, checkpointer.as_deref_mut(), false)?;
            }
            let train_loss = self.at.loss_sum / self.at.examples.max(1) as f64;
            let evaluation;
            (evaluation, logits) = self.evaluate(&model, epoch, train_loss);
            watch.evaluated(&evaluation);
            self.at.evaluations.push(evaluation);
            (self.at.epoch, self.at.batches, self.at.loss_sum, self.at.examples) = (epoch + 1, 0, 0.0, 0);
        }
        let FitPosition { step: steps, tokens, evaluations, timings, .. } = std::mem::take(&mut self.at);
        let (tokens, notes) = (Tokens(tokens), std::mem::take(&mut self.notes));
        Ok(FitResult { model: model.valid(), evaluations, logits, steps, tokens, timings, notes })
    }

    fn save(
        &self,
        model: &Classifier,
        checkpointer: Option<&mut Checkpointer>,
        stopping: bool,
    ) -> Result<(), TrainError> {
        checkpointer.map_or(Ok(()), |checkpointer| checkpointer.save(&self.at, model, &self.optimizer, stopping))
    }

    /// One optimisation step on the examples `batch`, in as many passes as gradient accumulation asks for.
    fn optimize(
        &mut self,
        model: Classifier,
        batch: &[u32],
        epoch: u32,
        steps: u64,
    ) -> Result<(Classifier, StepReport), TrainError> {
        let begin = Instant::now();
        let passes = self.settings.optimization.gradient_accumulation_steps.max(1) as usize;
        let (mut gradients, mut loss, mut tokens): (Option<FlatGradients>, f64, u64) = (None, 0.0, 0);
        let mut phases = Phases::default();
        let weight_of = |examples: &[u32]| weight(self.material.train, self.material.task.head, examples);
        let whole = weight_of(batch);
        let parts = batch.chunks(batch.len().div_ceil(passes).max(1)).map(|part| (part, weight_of(part)));
        // A part with nothing to learn from has no loss; a batch without any has a loss of 0.
        let parts: Vec<_> = parts.filter(|(part, weight)| *weight > 0.0 || part.len() == batch.len()).collect();
        for (part, weight) in parts {
            let weight = if whole > 0.0 { weight / whole } else { 1.0 };
            let (part_loss, part_gradients, part_tokens) = self.forward_backward(&model, part, &mut phases);
            tokens += part_tokens;
            loss += part_loss * weight;
            gradients = Some(accumulate(gradients, part_gradients, weight));
        }
        let learning_rate = self.settings.optimization.learning_rate * self.schedule.factor(self.at.step);
        let start = Instant::now();
        let (model, gradient_norm) =
            self.optimizer.step(model, gradients.unwrap_or_default(), learning_rate, &self.settings.optimization);
        phases.optimizer = Seconds(start.elapsed().as_secs_f64());
        self.at.timings.forward.0 += phases.forward.0;
        self.at.timings.backward.0 += phases.backward.0;
        self.at.timings.optimizer.0 += phases.optimizer.0;
        self.at.step += 1;
        self.at.tokens += tokens;
        if !loss.is_finite() || !gradient_norm.is_finite() {
            return Err(TrainError::Diverged { step: self.at.step, loss, gradient_norm });
        }
        let seconds = Seconds(begin.elapsed().as_secs_f64());
        let step = self.at.step;
        Ok((model, StepReport { step, steps, epoch, loss, learning_rate, gradient_norm, tokens, seconds, phases }))
    }

    /// One pass over `examples`: the mean loss, the gradients and the number of tokens.
    fn forward_backward(
        &mut self,
        model: &Classifier,
        examples: &[u32],
        phases: &mut Phases,
    ) -> (f64, FlatGradients, u64) {
        let training = &self.settings.optimization;
        let start = Instant::now();
        let batch = PackedBatch::pack(self.material.train, examples);
        let input = PackedInput::new(&batch.ids, &batch.positions, &batch.segments, &batch.offsets, &self.device);
        phases.batching.0 += start.elapsed().as_secs_f64();
        let dropout = ForwardDropout::new(training.dropout, self.dropout, self.at.micro_step);
        self.at.micro_step += 1;
        let loss = |outputs| batch_loss(self.material.task.head, outputs, &batch, &input.packing);
        let pass = Pass::new(model, &input, dropout.as_ref(), Graph::of(training.gradient_checkpointing), loss);
        phases.forward.0 += pass.forward.0;
        phases.backward.0 += pass.backward.0;
        (pass.loss, pass.gradients, batch.ids.len() as u64)
    }

    fn evaluate(
        &mut self,
        model: &Classifier,
        epoch: u32,
        train_loss: f64,
    ) -> (Evaluation, Vec<(&'static str, Vec<f32>)>) {
        let start = Instant::now();
        let model = model.valid();
        let device = self.device.clone().inner();
        let mut scores = Vec::new();
        let mut logits = Vec::new();
        for split in self.material.dev {
            let outputs = predict(&model, &split.features, &device);
            scores.extend(super::score::scores(self.material.task, split, &outputs, self.material.tags));
            logits.push((split.name, outputs));
        }
        self.at.timings.evaluation.0 += start.elapsed().as_secs_f64();
        let (epoch, train_loss, step) = (Some(epoch), Some(train_loss), self.at.step);
        (Evaluation { epoch, step, train_loss, scores, held_out: None }, logits)
    }
}
