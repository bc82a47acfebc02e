//! Checkpoints: when they are written, and what is in them besides parameters and moments.

use std::io;
use std::time::Instant;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::batch::{DataPosition, Losses};
use super::error::TrainError;
use super::optimizer::Optimizer;
use super::state::{read_state, write_state};
use super::workload::LogWindow;
use crate::store::{Checkpoint, Checkpoints, Evaluation, EventLog, RunFolder, StoreError, Timings};
use crate::units::Seconds;

/// When checkpoints are written, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckpointPolicy {
    /// After so many steps.
    pub save_steps: Option<u64>,
    /// After so much time.
    pub every: Option<Seconds>,
    /// At a stop, when the last one is at least as old as this.
    pub at_stop_after: Seconds,
    /// After the last step.
    pub at_end: bool,
    /// How many are kept: the newest, and those before should it be damaged.
    pub keep: usize,
}

impl CheckpointPolicy {
    /// Of runs on a task: those of a few minutes are trained again instead, which costs less than a checkpoint's disk
    /// and care.
    pub const TASK: Self = Self::of_task(Seconds(300.0));

    /// As [`Self::TASK`], so often.
    #[must_use]
    pub const fn of_task(every: Seconds) -> Self {
        Self { save_steps: None, every: Some(every), at_stop_after: Seconds(0.1 * every.0), at_end: false, keep: 2 }
    }

    /// Of a pretraining.
    #[must_use]
    pub const fn of_pretraining(save_steps: Option<u64>, every: Option<Seconds>, keep: usize) -> Self {
        Self { save_steps, every, at_stop_after: Seconds(0.0), at_end: true, keep }
    }

    fn is_due(&self, moment: Moment, step: u64, age: Seconds) -> bool {
        match moment {
            Moment::Step => {
                self.save_steps.is_some_and(|steps| step.is_multiple_of(steps))
                    || self.every.is_some_and(|every| age >= every)
            }
            Moment::Stop => age >= self.at_stop_after,
            Moment::End => self.at_end,
        }
    }
}

/// When a checkpoint may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// After any step.
    Step,
    /// The run is to stop.
    Stop,
    /// After the last step.
    End,
}

/// Where the fit loop stands, between two steps. With the parameters and the moments it is all that the next step
/// and the record depend on: random numbers are drawn from streams by the numbers of epoch and step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position<L> {
    /// Optimisation steps finished.
    pub(super) step: u64,
    /// Forward passes begun.
    pub(super) micro_step: u64,
    /// Where the examples of the next step begin.
    pub(super) data: DataPosition,
    /// Tokens trained on.
    pub(super) tokens: u64,
    /// Σ loss × examples since the last evaluation.
    pub(super) loss_sum: f64,
    /// Examples since the last evaluation.
    pub(super) examples: usize,
    /// Steps that an overflow had skipped, where losses are scaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) skipped_steps: Option<u64>,
    /// Steps that the log does not have yet.
    pub(super) window: LogWindow<L>,
    /// In order.
    pub(super) evaluations: Vec<Evaluation>,
    /// Where the time went, in all processes.
    pub(super) timings: Timings,
}

/// Where a run's checkpoints are, and when they are written.
#[derive(Debug)]
pub struct Checkpointer {
    checkpoints: Checkpoints,
    policy: CheckpointPolicy,
    /// Where the log is, and whose claim must stand when something is written.
    folder: Option<RunFolder>,
    /// When this process began with the run.
    begin: Instant,
    /// What earlier processes took, up to the checkpoint.
    earlier: Seconds,
    /// The step of the last one, and when it was written.
    last: (u64, Instant),
}

impl Checkpointer {
    /// The checkpoints of the run in `folder`, which began at `begin`.
    #[must_use]
    pub fn of(folder: &RunFolder, policy: CheckpointPolicy, begin: Instant) -> Self {
        let checkpoints = folder.checkpoints(policy.keep);
        Self { begin, folder: Some(folder.clone()), ..Self::new(checkpoints, policy) }
    }

    /// Checkpoints that are written as `policy` says.
    #[must_use]
    pub fn new(checkpoints: Checkpoints, policy: CheckpointPolicy) -> Self {
        let now = Instant::now();
        Self { checkpoints, policy, folder: None, begin: now, earlier: Seconds(0.0), last: (0, now) }
    }

    /// The log of the run, without what is about later steps than `step`; none outside of a run's folder.
    ///
    /// # Errors
    /// When it cannot be written, or the claim of the run is lost.
    pub(super) fn event_log(&self, step: u64) -> Result<Option<EventLog>, StoreError> {
        self.folder.as_ref().map(|folder| folder.event_log_after(step)).transpose()
    }

    /// Since the run began, in all processes.
    #[must_use]
    pub fn wall(&self) -> Seconds {
        Seconds(self.earlier.0 + self.begin.elapsed().as_secs_f64())
    }

    /// The newest checkpoint that can be used, and a note for each that cannot.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub(super) fn newest(&self) -> io::Result<(Option<Checkpoint>, Vec<String>)> {
        let (newest, unusable) = self.checkpoints.newest()?;
        let name = |one: &crate::store::Unusable| one.folder.file_name().unwrap_or_default().display().to_string();
        let notes =
            unusable.iter().map(|one| format!("the checkpoint {} cannot be used: {}", name(one), one.cause)).collect();
        Ok((newest, notes))
    }

    /// The checkpoint of this step.
    ///
    /// # Errors
    /// When there is none that can be used.
    pub(super) fn at(&self, step: u64) -> io::Result<Checkpoint> {
        self.checkpoints.at(step)
    }

    /// `model` and its optimizer as `checkpoint` has them, and where the loop stood.
    ///
    /// # Errors
    /// When the checkpoint is of another model.
    pub(super) fn restore<M: Module, L: Losses>(
        &mut self,
        checkpoint: &Checkpoint,
        model: M,
    ) -> io::Result<(M, Optimizer, Position<L>)> {
        let position: Position<L> = serde_json::from_value(checkpoint.state.clone())?;
        let (model, optimizer) = read_state(checkpoint, model)?;
        self.earlier = position.timings.wall;
        self.last = (position.step, Instant::now());
        Ok((model, optimizer, position))
    }

    /// Whether a checkpoint after `step` steps is due at this moment: the last one is of another step.
    pub(super) fn is_due(&self, step: u64, moment: Moment) -> bool {
        let age = Seconds(self.last.1.elapsed().as_secs_f64());
        step != self.last.0 && self.policy.is_due(moment, step, age)
    }

    /// Writes a checkpoint when it is due at this moment and the last one is of another step; says whether it did.
    ///
    /// # Errors
    /// When the disk says no, or the claim of the run is lost.
    pub(super) fn save<M: Module, L: Losses>(
        &mut self,
        position: &mut Position<L>,
        model: &M,
        optimizer: &Optimizer,
        moment: Moment,
    ) -> Result<bool, TrainError> {
        if !self.is_due(position.step, moment) {
            return Ok(false);
        }
        self.folder.as_ref().map_or(Ok(()), RunFolder::check_claim)?;
        position.timings.wall = self.wall();
        self.checkpoints.write(position.step, position, |into| write_state(into, model, optimizer))?;
        self.last = (position.step, Instant::now());
        Ok(true)
    }
}
