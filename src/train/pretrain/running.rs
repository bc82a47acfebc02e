//! The steps of a pretraining run, and what is written between them: log, evaluations, snapshots, checkpoints.

use std::time::Instant;

use burn::module::Module;

use super::evaluate::evaluate_pretraining;
use super::fit::Fit;
use super::run::{PretrainContext, PretrainWatch, Saving, write_model};
use crate::model::PretrainingModel;
use crate::store::{Checkpoints, Event, EventLog, RunFolder};
use crate::train::error::TrainError;
use crate::train::state::write_state;
use crate::units::Seconds;

/// The time of all processes that work on a run.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) begin: Instant,
    /// Seconds of those before this one.
    pub(super) earlier: f64,
}

impl Clock {
    pub(super) fn wall(self) -> Seconds {
        Seconds(self.earlier + self.begin.elapsed().as_secs_f64())
    }
}

/// A run at work.
pub(super) struct Running<'a> {
    pub(super) folder: &'a RunFolder,
    pub(super) context: &'a PretrainContext,
    pub(super) clock: Clock,
    pub(super) fit: Fit<'a>,
    pub(super) checkpoints: Checkpoints,
    pub(super) log: EventLog,
    /// The step of the last checkpoint, and when it was written.
    pub(super) last_saved: (u64, Instant),
    pub(super) last_evaluated: Option<u64>,
    pub(super) watch: &'a mut dyn PretrainWatch,
}

impl Running<'_> {
    /// The steps that are left; gives the model without autodiff.
    pub(super) fn finish(&mut self, mut model: PretrainingModel) -> Result<PretrainingModel, TrainError> {
        let steps = self.fit.objective.steps();
        while self.fit.position.step < steps {
            if self.watch.stop() {
                self.save(&model)?;
                return Err(TrainError::Stopped { step: self.fit.position.step });
            }
            let report;
            (model, report) = self.fit.step(model)?;
            self.watch.step(&report);
            if report.step.is_multiple_of(self.fit.objective.logging_steps) || report.step == steps {
                let event = self.fit.tell(&report);
                self.log.append(&Event::Step(event))?;
                self.watch.logged(&event);
            }
            let every = self.fit.objective.evaluation.as_ref().map(|evaluation| evaluation.every);
            let is_kept = report.step < steps && self.fit.objective.snapshots.contains(&report.step);
            if is_kept || every.is_some_and(|every| report.step.is_multiple_of(every)) {
                self.evaluate(&model)?;
            }
            if is_kept {
                let (settings, corpora) = (self.fit.settings, &self.context.corpora);
                let valid = model.valid();
                self.folder.write_snapshot(report.step, |into| write_model(into, &valid, settings, corpora))?;
            }
            if self.is_time_to_save(report.step) {
                self.save(&model)?;
            }
        }
        self.evaluate(&model)?;
        self.save(&model)?;
        Ok(model.valid())
    }

    fn is_time_to_save(&self, step: u64) -> bool {
        let Saving { save_steps, every, .. } = self.context.saving;
        let elapsed = self.last_saved.1.elapsed().as_secs_f64();
        save_steps.is_some_and(|steps| step.is_multiple_of(steps)) || every.is_some_and(|every| elapsed >= every.0)
    }

    /// Writes a checkpoint unless the last one is of this step.
    fn save(&mut self, model: &PretrainingModel) -> Result<(), TrainError> {
        self.folder.check_claim()?;
        self.fit.position.wall = self.clock.wall().0;
        let position = &self.fit.position;
        if position.step == self.last_saved.0 {
            return Ok(());
        }
        let optimizer = &self.fit.optimizer;
        self.checkpoints.write(position.step, position, |into| write_state(into, model, optimizer))?;
        self.last_saved = (position.step, Instant::now());
        self.watch.saved(position.step);
        Ok(())
    }

    /// Evaluates unless it was done after this step.
    fn evaluate(&mut self, model: &PretrainingModel) -> Result<(), TrainError> {
        let (Some(set), Some(_)) = (&self.context.held_out, &self.fit.objective.evaluation) else { return Ok(()) };
        let step = self.fit.position.step;
        if self.last_evaluated.replace(step) == Some(step) {
            return Ok(());
        }
        let begin = Instant::now();
        let device = self.fit.device.clone().inner();
        let scores = evaluate_pretraining(&model.valid(), set, step, &device)?;
        self.fit.position.timings.evaluation.0 += begin.elapsed().as_secs_f64();
        self.log.append(&Event::Evaluation(scores.clone()))?;
        self.watch.evaluated(&scores);
        Ok(())
    }
}
