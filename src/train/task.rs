//! A task as the fit loop trains it: examples in a seeded order, evaluation on dev after each epoch.

use burn::tensor::Device;

use super::backward::Backward;
use super::batch::{Batch, DataPosition, Losses, PairInput, Part};
use super::checkpointer::Checkpointer;
use super::error::TrainError;
use super::evaluate::predict;
use super::fit::{Fit, FitResult};
use super::gradient_hook::GradientHook;
use super::loss::batch_loss;
use super::next_token::NextTokens;
use super::observer::{Observer, StepReport};
use super::pass::{Pass, pass_with_next_tokens};
use super::ranks::{Alone, Ranks};
use super::score::scores;
use super::workload::{DevOutputs, EvaluationPoint, LogWindow, Workload};
use crate::corpus::examples::Cursor;
use crate::diagnostic::Diagnostic;
use crate::kernel::DeviceFault;
use crate::model::{Classifier, ForwardDropout, PackedInput};
use crate::plan;
use crate::random::Stream;
use crate::store::{Evaluation, RunSettings, StepEvent};
use crate::task::{DevSplit, Task};
use crate::text::{FeatureSet, PackedBatch, training_batches};

/// What a run trains on.
#[derive(Clone, Copy, Debug)]
pub struct TrainingData<'a> {
    /// The task.
    pub task: &'a Task,
    /// Training examples.
    pub train: &'a FeatureSet,
    /// Dev splits.
    pub dev: &'a [DevSplit],
    /// The classes of a task that names them in its training data; else none.
    pub tags: &'a [String],
}

/// Trains `model` as `settings` say, on `device` (without autodiff; it is added here), resuming from the newest
/// checkpoint and writing some where there is a `checkpointer`.
///
/// # Errors
/// [`TrainError::Diverged`] when the loss or the gradient is no longer finite, [`TrainError::Stopped`]
/// when `observer` asks for it; when a checkpoint cannot be written.
pub fn fit(
    model: Classifier,
    settings: &RunSettings,
    data: TrainingData<'_>,
    device: &Device,
    observer: &mut dyn Observer,
    checkpointer: Option<&mut Checkpointer>,
) -> Result<FitResult<Classifier>, TrainError> {
    new_fit(settings, data, device, &Alone).run(model, observer, checkpointer)
}

/// The first optimisation step of `model`.
///
/// # Errors
/// As [`fit`], and when there are no training examples.
pub(super) fn first_step(
    model: Classifier,
    settings: &RunSettings,
    data: TrainingData<'_>,
    device: &Device,
) -> Result<StepReport, TrainError> {
    if data.train.is_empty() {
        return Err(Diagnostic::new("there are no training examples").into());
    }
    new_fit(settings, data, device, &Alone).first_step(model)
}

/// The start of training as `settings` say, by `ranks`, on `device` (without autodiff).
pub(super) fn new_fit<'a>(
    settings: &'a RunSettings,
    data: TrainingData<'a>,
    device: &Device,
    ranks: &'a dyn Ranks,
) -> Fit<'a, TaskWorkload<'a>> {
    let optimization = &settings.optimization;
    let workload = TaskWorkload {
        data,
        device: device.clone(),
        batch_size: optimization.batch_size.max(1),
        epochs: settings.epochs(),
        passes: optimization.gradient_accumulation_steps.max(1) as usize,
        shuffle: Stream::new(settings.seed, "shuffle"),
        lm_coef: settings.task().map_or(0.0, |of| of.lm_coef),
        pairs: if settings.reads_features() && data.task.reads_pairs() {
            PairInput::Apart
        } else if settings.task().is_some_and(|of| of.both_orders) {
            PairInput::BothOrders
        } else {
            PairInput::Together
        },
        order: (u64::MAX, Vec::new()),
        outputs: Vec::new(),
    };
    Fit::new(workload, settings, device, ranks)
}

pub(super) struct TaskWorkload<'a> {
    data: TrainingData<'a>,
    /// Without autodiff.
    device: Device,
    batch_size: u32,
    epochs: u32,
    /// Parts of a batch.
    passes: usize,
    shuffle: Stream,
    /// How much of the next token's loss is added to the task's.
    lm_coef: f64,
    /// How pairs are read.
    pairs: PairInput,
    /// An epoch, counted from 0, and its batches.
    order: (u64, Vec<Vec<u32>>),
    /// Of the last evaluation, for each dev split.
    outputs: DevOutputs,
}

/// What a pass should give.
pub(super) struct TaskTargets {
    /// The examples, in one order.
    batch: PackedBatch,
    /// Where the next token is learnt besides the task.
    next_tokens: Option<NextTokens>,
}

impl TaskWorkload<'_> {
    /// The batch at `cursor`, and where the next one begins.
    fn examples(&mut self, cursor: Cursor) -> (Vec<u32>, Cursor) {
        if self.order.0 != cursor.epoch {
            let draws = self.shuffle.at(cursor.epoch + 1);
            self.order = (cursor.epoch, training_batches(self.data.train.len(), self.batch_size, draws));
        }
        let index = (cursor.position / u64::from(self.batch_size)) as usize;
        let batch = self.order.1.get(index).cloned().unwrap_or_default();
        let next = if index + 1 < self.order.1.len() {
            Cursor { position: cursor.position + batch.len() as u64, ..cursor }
        } else {
            Cursor { epoch: cursor.epoch + 1, position: 0 }
        };
        (batch, next)
    }

    /// What a pass computes of the examples of `part`, whose gradients count `weight` in those of the batch of `examples`.
    fn part(&self, part: &[u32], examples: &[u32], weight: f64, device: &Device) -> Part<TaskTargets> {
        let batch = PackedBatch::pack(self.data.train, part);
        let read = self.pairs.read(&batch);
        let PackedBatch { ids, positions, segments, offsets, .. } = &*read;
        let next_tokens = (self.lm_coef > 0.0).then(|| {
            let whole = examples.iter().map(|&example| self.next_tokens_of(example)).sum();
            NextTokens::of(&read, self.lm_coef).part_of(whole, weight)
        });
        let (input, tokens) = (PackedInput::new(ids, positions, segments, offsets, device), ids.len() as u64);
        drop(read);
        Part { input, tokens, weight, targets: TaskTargets { batch, next_tokens } }
    }

    /// Tokens of an example that have a next one.
    fn next_tokens_of(&self, example: u32) -> usize {
        let (train, example) = (self.data.train, example as usize);
        let once = train.length(example).saturating_sub(train.sequences_of(example).len());
        if self.pairs == PairInput::BothOrders { 2 * once } else { once }
    }

    fn predict(&mut self, model: &Classifier) -> Result<(), DeviceFault> {
        let outputs = |split: &DevSplit| Ok((split.name, predict(model, &split.features, &self.device)?));
        self.outputs = self.data.dev.iter().map(outputs).collect::<Result<_, _>>()?;
        Ok(())
    }
}

impl Workload for TaskWorkload<'_> {
    type Model = Classifier;
    type Targets = TaskTargets;
    type Losses = f64;

    fn steps(&self) -> u64 {
        plan::steps(self.data.train.len() as u64, self.batch_size, self.epochs)
    }

    fn next_batch(
        &mut self,
        _: u64,
        at: DataPosition,
        device: &Device,
        ranks: &dyn Ranks,
    ) -> Result<Batch<TaskTargets>, TrainError> {
        let (examples, cursor) = self.examples(at.cursor);
        let weight_of = |examples: &[u32]| self.data.task.loss_weight(self.data.train, examples);
        let whole = weight_of(&examples);
        let parts = examples.chunks(examples.len().div_ceil(self.passes).max(1)).map(|part| (part, weight_of(part)));
        // A part with nothing to learn from has no loss; a batch without any has a loss of 0.
        let parts: Vec<_> = parts.filter(|(part, weight)| *weight > 0.0 || part.len() == examples.len()).collect();
        let (share, passes) = (ranks.share_of(parts.len()), parts.len());
        let parts = share
            .numbers()
            .filter_map(|number| parts.get(number))
            .map(|&(part, weight)| self.part(part, &examples, if whole > 0.0 { weight / whole } else { 1.0 }, device));
        let epoch = at.cursor.epoch as u32 + 1;
        let (parts, next) = (parts.collect(), DataPosition { cursor, ..at });
        Ok(Batch { parts, share, passes, examples: examples.len(), epoch, next })
    }

    fn pass(
        &self,
        model: &Classifier,
        part: &Part<TaskTargets>,
        dropout: Option<&ForwardDropout>,
        how: &Backward,
        hook: &GradientHook,
    ) -> Pass<f64> {
        let TaskTargets { batch, next_tokens } = &part.targets;
        let loss = |outputs| batch_loss(self.data.task.head, outputs, batch, &part.input.packing);
        let pass = pass_with_next_tokens(model, (&part.input, next_tokens.as_ref()), dropout, how, hook, loss);
        let weight = part.weight;
        Pass { losses: pass.losses.map(move |loss| loss * weight), ..pass }
    }

    fn step_event(&self, window: &LogWindow<f64>, last: &StepReport) -> StepEvent {
        StepEvent { epoch: Some(last.epoch), ..last.event(window.tokens_per_second()) }
    }

    fn logging_steps(&self) -> u64 {
        1
    }

    fn is_evaluated(&self, _: u64, next: DataPosition) -> bool {
        next.cursor.position == 0
    }

    fn evaluate(&mut self, model: &Classifier, at: &EvaluationPoint) -> Result<Option<Evaluation>, TrainError> {
        self.predict(model)?;
        let TrainingData { task, dev, tags, .. } = self.data;
        let outputs = dev.iter().zip(&self.outputs);
        let scores = outputs.flat_map(|(split, (_, outputs))| scores(task, split, outputs, tags)).collect();
        let EvaluationPoint { step, epochs, train_loss } = *at;
        Ok(Some(Evaluation { epoch: Some(epochs), step, train_loss: Some(train_loss), scores, held_out: None }))
    }

    fn dev_outputs(&mut self, model: &Classifier) -> Result<DevOutputs, TrainError> {
        if self.outputs.is_empty() {
            // It resumed after the last evaluation.
            self.predict(model)?;
        }
        Ok(std::mem::take(&mut self.outputs))
    }
}

/// The mean loss of a part, weighted by its share of the batch.
impl Losses for f64 {
    fn add(&mut self, more: &Self) {
        *self += more;
    }

    fn loss(&self) -> f64 {
        *self
    }

    fn to_words(&self) -> Vec<u64> {
        vec![self.to_bits()]
    }

    fn from_words(words: &[u64]) -> Self {
        words.first().map_or(0.0, |word| Self::from_bits(*word))
    }
}
