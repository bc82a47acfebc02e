//! The fit loop: batches, forward, loss, backward, clipping, Adam, the log, evaluations and checkpoints.

mod step;

use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;

use step::Told;

use crate::kernel;
use crate::random::Stream;
use crate::store::{Evaluation, Event, EventLog, Optimization, RunSettings, Timings};
use crate::train::behind::Behind;
use crate::train::checkpointer::{Checkpointer, Moment, Position};
use crate::train::error::TrainError;
use crate::train::observer::Observer;
use crate::train::optimizer::Optimizer;
use crate::train::ranks::{GOES_ON, Ranks, STOPS};
use crate::train::schedule::Schedule;
use crate::train::workload::{DevOutputs, EvaluationPoint, Workload};
use crate::units::Tokens;

/// Steps whose losses a GPU may still owe while it is told the next one: it computes the first while the batch of the
/// last is packed.
pub(super) const STEPS_BEHIND: usize = 3;

/// A trained model with what the record needs.
#[derive(Debug)]
pub struct FitResult<M> {
    /// The model after the last step, without autodiff.
    pub model: M,
    /// In order: of a task one for each epoch.
    pub evaluations: Vec<Evaluation>,
    /// Of a task; the model's own.
    pub dev_outputs: DevOutputs,
    /// Optimisation steps taken.
    pub steps: u64,
    /// Of these, those whose gradients overflowed, so that they changed nothing; of a run whose losses are scaled.
    pub skipped_steps: Option<u64>,
    /// Tokens trained on, every epoch counted.
    pub tokens: Tokens,
    /// Forward, backward, optimizer and evaluation; the caller adds the rest.
    pub timings: Timings,
    /// What is to be known of the checkpoints that it resumed from, and of the log.
    pub notes: Vec<String>,
}

/// A model in training.
pub(super) struct Fit<'a, W: Workload> {
    workload: W,
    optimization: &'a Optimization,
    ranks: &'a dyn Ranks,
    schedule: Schedule,
    dropout: Stream,
    /// With autodiff.
    device: Device,
    optimizer: Optimizer,
    position: Position<W::Losses>,
    /// Steps of which it is not known yet what they lost. Of them, the position has only that they were taken.
    behind: Behind<Told<W::Losses>>,
    /// When a step was last known.
    known_at: Instant,
    log: Option<EventLog>,
    notes: Vec<String>,
}

/// What follows a step.
#[derive(Clone, Copy)]
struct Due {
    /// An evaluation or a snapshot.
    evaluation: bool,
    checkpoint: bool,
    /// There is no other step.
    end: bool,
}

impl Due {
    /// How many steps the device may owe: none when what follows reads where training stands, and none to other ranks.
    fn behind(self, ranks: &dyn Ranks) -> usize {
        let at_once = self.evaluation || self.checkpoint || self.end || ranks.size() > 1;
        if at_once { 0 } else { STEPS_BEHIND }
    }
}

impl<'a, W: Workload> Fit<'a, W> {
    /// The start of a run that `ranks` share; `device` is without autodiff, which is added here.
    pub(super) fn new(workload: W, settings: &'a RunSettings, device: &Device, ranks: &'a dyn Ranks) -> Self {
        let optimization = &settings.optimization;
        Self {
            schedule: Schedule::new(optimization.optimizer, workload.steps(), optimization.warmup),
            workload,
            optimization,
            ranks,
            dropout: Stream::new(settings.seed, "dropout"),
            device: device.clone().autodiff(),
            optimizer: Optimizer::new(),
            position: Position::default(),
            behind: Behind::new(),
            known_at: Instant::now(),
            log: None,
            notes: Vec::new(),
        }
    }

    /// Trains `model` from the newest checkpoint to the last step, as the leader of the ranks. Parameters and scores are
    /// those of a run that was never interrupted and of any number of ranks, bit for bit.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] when the loss or the gradient is no longer finite, [`TrainError::Stopped`] when
    /// `observer` asks for it; when an example cannot be read or a checkpoint cannot be written.
    pub(super) fn run(
        mut self,
        model: W::Model,
        observer: &mut dyn Observer,
        mut checkpointer: Option<&mut Checkpointer>,
    ) -> Result<FitResult<W::Model>, TrainError> {
        let resumed = self.resume(model, observer, checkpointer.as_deref_mut()).and_then(|model| {
            let log = checkpointer.as_ref().map(|checkpointer| checkpointer.event_log(self.position.step));
            self.log = log.transpose()?.flatten();
            Ok(model)
        });
        self.ranks.word_of_leader(self.position.step);
        let model = self.ranks.agree(resumed)?;
        observer.started(self.position.step, self.workload.steps());
        let trained = self.train(model, observer, checkpointer);
        if trained.is_err() {
            // A driver that still computes when the process ends can crash it.
            drop(self.device.sync());
        }
        kernel::release_memory();
        let model = trained?;
        let dev_outputs = self.workload.dev_outputs(&model)?;
        let Position { step: steps, skipped_steps, tokens, evaluations, timings, .. } = self.position;
        let (tokens, notes) = (Tokens(tokens), self.notes);
        Ok(FitResult { model, evaluations, dev_outputs, steps, skipped_steps, tokens, timings, notes })
    }

    /// Takes part in the run as another rank than the leader: computes, and neither evaluates nor writes.
    ///
    /// # Errors
    /// [`TrainError::Stopped`] when the leader stops, for whatever reason; as [`Self::run`].
    pub(super) fn follow(mut self, model: W::Model, checkpointer: &mut Checkpointer) -> Result<(), TrainError> {
        let resumed = match self.ranks.word_of_leader(0) {
            0 => Ok(model),
            step => checkpointer.at(step).and_then(|checkpoint| checkpointer.restore(&checkpoint, model)).map(
                |(model, optimizer, position)| {
                    (self.optimizer, self.position) = (optimizer, position);
                    model
                },
            ),
        };
        let mut model = self.ranks.agree(resumed.map_err(TrainError::from))?;
        while self.position.step < self.workload.steps() {
            if self.ranks.word_of_leader(GOES_ON) != GOES_ON {
                return Err(TrainError::Stopped { step: self.position.step });
            }
            model = self.tell(model)?;
            while self.next_known(0)?.is_some() {}
        }
        kernel::release_memory();
        Ok(())
    }

    /// As the newest checkpoint that can be used has it.
    fn resume(
        &mut self,
        model: W::Model,
        observer: &mut dyn Observer,
        checkpointer: Option<&mut Checkpointer>,
    ) -> Result<W::Model, TrainError> {
        let Some(checkpointer) = checkpointer else { return Ok(model) };
        let (newest, mut notes) = checkpointer.newest()?;
        let mut resumed = None;
        if let Some(checkpoint) = newest {
            match checkpointer.restore(&checkpoint, model.clone()) {
                Ok(state) => resumed = Some(state),
                Err(error) => {
                    notes.push(format!("the checkpoint after step {} cannot be used: {error}", checkpoint.step));
                }
            }
        }
        for note in &notes {
            observer.note(note);
        }
        self.notes.append(&mut notes);
        let Some((model, optimizer, position)) = resumed else { return Ok(model) };
        self.notes.push(format!("resumed from the checkpoint of step {}", position.step));
        (self.optimizer, self.position) = (optimizer, position);
        Ok(model)
    }

    fn train(
        &mut self,
        mut model: W::Model,
        observer: &mut dyn Observer,
        mut checkpointer: Option<&mut Checkpointer>,
    ) -> Result<W::Model, TrainError> {
        let steps = self.workload.steps();
        while self.position.step < steps {
            if observer.stop() {
                self.ranks.word_of_leader(STOPS);
                self.learn(0, observer)?;
                self.save(&model, Moment::Stop, checkpointer, observer)?;
                return Err(TrainError::Stopped { step: self.position.step });
            }
            self.ranks.word_of_leader(GOES_ON);
            model = self.tell(model)?;
            let due = self.due(checkpointer.as_deref());
            // Every rank finds out by itself that training diverged, and none waits for a word of the leader.
            self.learn(due.behind(self.ranks), observer)?;
            if let Err(error) = self.after_step(&model, due, observer, checkpointer.as_deref_mut()) {
                if self.position.step < steps {
                    self.ranks.word_of_leader(STOPS);
                }
                return Err(error);
            }
        }
        self.evaluate(&model, observer)?;
        self.save(&model, Moment::End, checkpointer, observer)?;
        Ok(model.valid())
    }

    /// What is due after the step that was told last.
    fn due(&self, checkpointer: Option<&Checkpointer>) -> Due {
        let Position { step, data, .. } = self.position;
        Due {
            evaluation: self.workload.is_evaluated(step, data),
            checkpoint: checkpointer.is_some_and(|checkpointer| checkpointer.is_due(step, Moment::Step)),
            end: step == self.workload.steps(),
        }
    }

    /// The evaluation, snapshot and checkpoint that are due.
    fn after_step(
        &mut self,
        model: &W::Model,
        due: Due,
        observer: &mut dyn Observer,
        checkpointer: Option<&mut Checkpointer>,
    ) -> Result<(), TrainError> {
        if due.evaluation {
            self.evaluate(model, observer)?;
            self.workload.keep_snapshot(model, self.position.step)?;
        }
        if due.checkpoint {
            self.save(model, Moment::Step, checkpointer, observer)?;
        }
        Ok(())
    }

    /// Reports and logs the steps that are known by now, and waits for the device until it owes `most` at most.
    fn learn(&mut self, most: usize, observer: &mut dyn Observer) -> Result<(), TrainError> {
        while let Some(report) = self.next_known(most)? {
            observer.step(&report);
            if report.step.is_multiple_of(self.workload.logging_steps()) || report.step == report.steps {
                let event = self.workload.step_event(&std::mem::take(&mut self.position.window), &report);
                self.log(&Event::Step(event), observer);
                observer.logged(&event);
            }
        }
        Ok(())
    }

    /// Evaluates the model unless it was done after this step.
    fn evaluate(&mut self, model: &W::Model, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let position = &mut self.position;
        if position.evaluations.last().is_some_and(|last| last.step == position.step) {
            return Ok(());
        }
        let start = Instant::now();
        let at = EvaluationPoint {
            step: position.step,
            epochs: position.data.cursor.epoch as u32,
            train_loss: position.loss_sum / position.examples.max(1) as f64,
        };
        let Some(evaluation) = self.workload.evaluate(&model.valid(), &at)? else { return Ok(()) };
        (position.loss_sum, position.examples) = (0.0, 0);
        position.timings.evaluation.0 += start.elapsed().as_secs_f64();
        position.evaluations.push(evaluation.clone());
        observer.evaluated(&evaluation);
        self.log(&Event::Evaluation(evaluation), observer);
        Ok(())
    }

    /// A line that cannot be written (a full disk) does not end a run; the record's own writing would say so.
    fn log(&mut self, event: &Event, observer: &mut dyn Observer) {
        let Some(log) = &mut self.log else { return };
        if let Err(error) = log.append(event) {
            let note = format!("the log lacks lines: {error}");
            if !self.notes.contains(&note) {
                observer.note(&note);
                self.notes.push(note);
            }
        }
    }

    fn save(
        &mut self,
        model: &W::Model,
        moment: Moment,
        checkpointer: Option<&mut Checkpointer>,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        let Some(checkpointer) = checkpointer else { return Ok(()) };
        if checkpointer.save(&mut self.position, model, &self.optimizer, moment)? {
            observer.saved(self.position.step);
        }
        Ok(())
    }
}
