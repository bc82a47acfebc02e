//! An optimisation step: what the device is told, and what it says of it later.

use std::time::Instant;

use super::Fit;
use crate::kernel::{Deferred, StepNorm};
use crate::model::ForwardDropout;
use crate::store::Optimization;
use crate::train::backward::Backward;
use crate::train::batch::Losses;
use crate::train::error::TrainError;
use crate::train::observer::{Phases, StepReport};
use crate::train::pass::Passes;
use crate::train::tape::Graph;
use crate::train::workload::Workload;
use crate::units::Seconds;

/// Gradients that overflow at this loss scale are not small numbers that were scaled up.
const LEAST_LOSS_SCALE: f64 = 1.0;

/// A step that the device was told to take, with what it says of it.
pub(super) struct Told<L> {
    step: u64,
    epoch: u32,
    examples: usize,
    tokens: u64,
    learning_rate: f64,
    begin: Instant,
    phases: Phases,
    losses: L,
    norm: StepNorm,
}

impl<L: Losses> Told<L> {
    /// Whether training cannot go on: nothing finite is left, or nothing that a smaller loss scale would keep finite.
    fn diverged(&self) -> bool {
        let overflows = match self.norm.scaled {
            Some(scaled) => scaled.skipped && scaled.loss_scale <= LEAST_LOSS_SCALE,
            None => !self.norm.norm.is_finite(),
        };
        overflows || !self.losses.loss().is_finite()
    }
}

impl<W: Workload> Fit<'_, W> {
    /// Tells the device to take one optimisation step, in as many passes as its batch has parts. What it lost is known
    /// later: [`Self::next_known`].
    ///
    /// # Errors
    /// When an example cannot be read, or the device failed.
    pub(super) fn tell(&mut self, model: W::Model) -> Result<W::Model, TrainError> {
        let begin = Instant::now();
        let Optimization { learning_rate, dropout, gradient_checkpointing, precision, .. } = *self.optimization;
        let loss_scale = self.optimizer.loss_factor(precision, &self.device);
        let how = Backward { graph: Graph::of(gradient_checkpointing), loss_scale };
        let position = &mut self.position;
        let batch = self.workload.next_batch(position.step, position.data, &self.device, self.ranks)?;
        let batching = Seconds(begin.elapsed().as_secs_f64());
        let dropout = |pass| ForwardDropout::new(dropout, self.dropout, position.micro_step + pass);
        let workload = &self.workload;
        let pass = |part: &_, dropout: Option<&_>, hook: &_| workload.pass(&model, part, dropout, &how, hook);
        let passes = if batch.share.is_partial() {
            Passes::over_all(self.ranks, &model, &batch, dropout, pass)?
        } else {
            Passes::over(&batch.parts, dropout, pass)
        };
        let Passes { gradients, losses, tokens, forward, backward } = passes;
        let learning_rate = learning_rate * self.schedule.factor(position.step);
        let start = Instant::now();
        let (model, norm) = match gradients {
            Some(gradients) => self.optimizer.step(model, gradients, learning_rate, self.optimization),
            None => (model, Deferred::default()),
        };
        let optimizer = Seconds(start.elapsed().as_secs_f64());
        position.step += 1;
        position.micro_step += batch.passes as u64;
        position.data = batch.next;
        position.tokens += tokens;
        let (step, epoch, examples) = (position.step, batch.epoch, batch.examples);
        let phases = Phases { batching, forward, backward, optimizer };
        self.behind.push(losses.and(norm).map(move |(losses, norm)| Told {
            step,
            epoch,
            examples,
            tokens,
            learning_rate,
            begin,
            phases,
            losses,
            norm,
        }));
        Ok(model)
    }

    /// The oldest step that is not reported yet, if it is known, or when the device owes more than `most`.
    ///
    /// # Errors
    /// [`TrainError::Diverged`]; when the device failed.
    pub(super) fn next_known(&mut self, most: usize) -> Result<Option<StepReport>, TrainError> {
        let start = Instant::now();
        let Some(told) = self.behind.next_but(most)? else { return Ok(None) };
        let diverged = told.diverged();
        let Told { step, epoch, examples, tokens, learning_rate, begin, mut phases, losses, norm } = told;
        let StepNorm { norm: gradient_norm, scaled } = norm;
        // What a device still computed.
        phases.backward.0 += start.elapsed().as_secs_f64();
        let loss = losses.loss();
        if diverged {
            return Err(TrainError::Diverged { step, loss, gradient_norm });
        }
        // A device takes one step after the other.
        let seconds = Seconds(begin.max(self.known_at).elapsed().as_secs_f64());
        self.known_at = Instant::now();
        let position = &mut self.position;
        position.loss_sum += loss * examples as f64;
        position.examples += examples;
        position.skipped_steps = scaled.map(|scaled| scaled.skipped_steps);
        position.window.losses.add(&losses);
        position.window.tokens += tokens;
        position.window.seconds += seconds.0;
        position.timings.forward.0 += phases.forward.0;
        position.timings.backward.0 += phases.backward.0;
        position.timings.optimizer.0 += phases.optimizer.0;
        let steps = self.workload.steps();
        let report =
            StepReport { step, steps, epoch, loss, learning_rate, gradient_norm, scaled, tokens, seconds, phases };
        Ok(Some(report))
    }

    /// The first step of `model` alone. Waits for the device: a driver that still computes when the process ends can
    /// crash it.
    pub(in crate::train) fn first_step(mut self, model: W::Model) -> Result<StepReport, TrainError> {
        let _model = self.tell(model)?;
        let mut first = None;
        while let Some(report) = self.next_known(0)? {
            first = Some(report);
        }
        // What went wrong there shows in the loss.
        drop(self.device.sync());
        first.ok_or(TrainError::Stopped { step: 0 })
    }
}
