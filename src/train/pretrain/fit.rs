//! The loop: examples in the order of a cursor, passes, Adam; and where it stands.

use std::time::Instant;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::batch::PretrainingBatch;
use super::pass::Passes;
use super::run::PretrainStep;
use super::tally::Tally;
use crate::corpus::examples::{Cursor, ExampleSet};
use crate::model::{ForwardDropout, PretrainingModel};
use crate::random::Stream;
use crate::store::{PretrainingObjective, RunSettings, StepEvent, Timings};
use crate::train::error::TrainError;
use crate::train::optimizer::Optimizer;
use crate::train::schedule::Schedule;
use crate::train::tape::Graph;
use crate::units::Seconds;

/// Where training stands. With the parameters and the moments it is all that the next step depends on: random
/// numbers are drawn from streams by the number of the step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// Optimisation steps finished.
    pub(super) step: u64,
    /// The phase of the next step, from 0.
    pub(super) phase: usize,
    /// Where the next step's examples begin in that phase's corpus.
    pub(super) cursor: Cursor,
    /// Tokens trained on.
    pub(super) tokens: u64,
    /// What the steps and the evaluations took.
    pub(super) timings: Timings,
    /// What the processes took that came this far.
    #[serde(default)]
    pub(super) wall: f64,
    /// Steps that the log has not told of yet.
    pub(super) window: Window,
}

/// Steps since the last line of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    tally: Tally,
    tokens: u64,
    seconds: f64,
}

/// A model in training.
pub(super) struct Fit<'a> {
    pub(super) settings: &'a RunSettings,
    pub(super) objective: &'a PretrainingObjective,
    pub(super) corpora: &'a [ExampleSet],
    /// With autodiff.
    pub(super) device: Device,
    pub(super) optimizer: Optimizer,
    pub(super) position: Position,
    schedule: Schedule,
    dropout: Stream,
}

impl<'a> Fit<'a> {
    pub(super) fn new(
        settings: &'a RunSettings,
        objective: &'a PretrainingObjective,
        corpora: &'a [ExampleSet],
        device: Device,
    ) -> Self {
        let schedule = Schedule::new(settings.optimization.optimizer, objective.steps(), settings.optimization.warmup);
        let dropout = Stream::new(settings.seed, "dropout");
        let (optimizer, position) = (Optimizer::new(), Position::default());
        Self { settings, objective, corpora, device, optimizer, position, schedule, dropout }
    }

    /// One optimisation step.
    ///
    /// # Errors
    /// [`TrainError::Diverged`]; when an example cannot be read.
    pub(super) fn step(&mut self, model: PretrainingModel) -> Result<(PretrainingModel, PretrainStep), TrainError> {
        let begin = Instant::now();
        let (parts, cursor) = self.batches()?;
        let batching = begin.elapsed().as_secs_f64();
        let passes = u64::from(self.settings.optimization.gradient_accumulation_steps);
        let dropout = |part: usize| {
            ForwardDropout::new(
                self.settings.optimization.dropout,
                self.dropout,
                self.position.step * passes + part as u64,
            )
        };
        let graph = Graph::of(self.settings.optimization.gradient_checkpointing);
        let Passes { gradients, tally, tokens, mut phases } =
            Passes::over(&parts, &model, dropout, graph, &self.device);
        phases.batching.0 += batching;
        let learning_rate = self.settings.optimization.learning_rate * self.schedule.factor(self.position.step);
        let start = Instant::now();
        let (model, gradient_norm) = match gradients {
            Some(gradients) => self.optimizer.step(model, gradients, learning_rate, &self.settings.optimization),
            None => (model, 0.0),
        };
        phases.optimizer = Seconds(start.elapsed().as_secs_f64());
        let step = self.position.step + 1;
        if !tally.loss().is_finite() || !gradient_norm.is_finite() {
            return Err(TrainError::Diverged { step, loss: tally.loss(), gradient_norm });
        }
        let seconds = Seconds(begin.elapsed().as_secs_f64());
        let phase = self.position.phase;
        self.advance(cursor, tokens);
        self.position.window.tally.add(&tally);
        self.position.window.tokens += tokens;
        self.position.window.seconds += seconds.0;
        let timings = &mut self.position.timings;
        timings.forward.0 += phases.forward.0;
        timings.backward.0 += phases.backward.0;
        timings.optimizer.0 += phases.optimizer.0;
        let (steps, loss) = (self.objective.steps(), tally.loss());
        let report = PretrainStep { step, steps, phase, loss, learning_rate, gradient_norm, tokens, seconds, phases };
        Ok((model, report))
    }

    /// The examples of the next step, in the parts of its passes, and the cursor after them.
    fn batches(&self) -> Result<(Vec<PretrainingBatch>, Cursor), TrainError> {
        let Position { phase, cursor, .. } = self.position;
        // There is a corpus for every phase.
        let Some(set) = self.corpora.get(phase) else { return Ok((Vec::new(), cursor)) };
        let size = self.settings.optimization.batch_size as usize;
        let (examples, cursor) = set.batch(self.settings.seed, cursor, size)?;
        let part = size.div_ceil(self.settings.optimization.gradient_accumulation_steps as usize).max(1);
        Ok((examples.chunks(part).map(PretrainingBatch::of).collect(), cursor))
    }

    /// Goes on to the next step, which may be the first of the next phase.
    fn advance(&mut self, cursor: Cursor, tokens: u64) {
        let position = &mut self.position;
        position.step += 1;
        position.cursor = cursor;
        position.tokens += tokens;
        let end: u64 = self.objective.phases[..=position.phase].iter().map(|phase| phase.steps).sum();
        if position.step == end {
            position.phase += 1;
            position.cursor = Cursor::default();
        }
    }

    /// What the log tells of the steps since its last line, `last` being the last of them.
    pub(super) fn tell(&mut self, last: &PretrainStep) -> StepEvent {
        let Window { tally, tokens, seconds } = std::mem::take(&mut self.position.window);
        let pairs = Some(tally.pairs).filter(|pairs| pairs.count > 0);
        StepEvent {
            step: last.step,
            epoch: None,
            phase: Some(last.phase + 1),
            loss: tally.loss(),
            mlm_loss: Some(tally.tokens.loss()),
            mlm_accuracy: Some(tally.tokens.accuracy()),
            nsp_loss: pairs.map(|pairs| pairs.loss()),
            nsp_accuracy: pairs.map(|pairs| pairs.accuracy()),
            learning_rate: last.learning_rate,
            gradient_norm: Some(last.gradient_norm),
            tokens_per_second: tokens as f64 / seconds.max(f64::MIN_POSITIVE),
        }
    }
}
