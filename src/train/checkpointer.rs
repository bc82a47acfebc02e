//! Checkpoints of a fine-tuning run that takes long enough to have some.

use std::io;
use std::time::Instant;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::optimizer::Optimizer;
use super::state::{read_state, write_state};
use crate::store::{Checkpoint, Checkpoints, Evaluation, RunFolder, Timings};
use crate::units::Seconds;

/// Runs of a few minutes are trained again instead: that costs less than a checkpoint's disk and care.
const EVERY: Seconds = Seconds(300.0);
/// A stop writes a checkpoint when at least this part of the time between two has gone by.
const WORTH_ON_STOP: f64 = 0.1;
/// The newest, and the one before should it be damaged.
const KEPT: usize = 2;

/// Where a run's checkpoints are, and when they are written.
#[derive(Debug)]
pub struct Checkpointer {
    checkpoints: Checkpoints,
    every: Seconds,
    /// When this process began with the run.
    begin: Instant,
    last: Instant,
    /// What earlier processes took, up to the checkpoint.
    earlier: Seconds,
}

/// Where the fit loop stands, between two steps. With the parameters and the moments it is all that the next step
/// and the record depend on: random numbers are drawn from streams by the numbers of epoch and step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FitPosition {
    /// The epoch at work, from 1.
    pub(super) epoch: u32,
    /// Batches of it that were taken.
    pub(super) batches: usize,
    /// Optimisation steps finished.
    pub(super) step: u64,
    /// Forward passes begun.
    pub(super) micro_step: u64,
    /// Tokens trained on.
    pub(super) tokens: u64,
    /// Σ loss × examples of the epoch so far.
    pub(super) loss_sum: f64,
    /// Examples of the epoch so far.
    pub(super) examples: usize,
    /// One for each epoch before.
    pub(super) evaluations: Vec<Evaluation>,
    /// Of the run so far.
    pub(super) timings: Timings,
}

impl Default for FitPosition {
    fn default() -> Self {
        Self {
            epoch: 1,
            batches: 0,
            step: 0,
            micro_step: 0,
            tokens: 0,
            loss_sum: 0.0,
            examples: 0,
            evaluations: Vec::new(),
            timings: Timings::default(),
        }
    }
}

/// What is kept of a position besides it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    position: FitPosition,
    /// Since the run began, in all processes.
    wall: Seconds,
}

impl Checkpointer {
    /// The checkpoints of the run in `folder`, which began at `begin`.
    #[must_use]
    pub fn of(folder: &RunFolder, begin: Instant) -> Self {
        Self { begin, ..Self::new(folder.checkpoints(KEPT), EVERY) }
    }

    /// Checkpoints that are written at most every so often.
    #[must_use]
    pub fn new(checkpoints: Checkpoints, every: Seconds) -> Self {
        let now = Instant::now();
        Self { checkpoints, every, begin: now, last: now, earlier: Seconds(0.0) }
    }

    /// What earlier processes took, up to the checkpoint that this one went on from.
    #[must_use]
    pub fn earlier(&self) -> Seconds {
        self.earlier
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

    /// `model` and its optimizer as `checkpoint` has them, and where the loop stood.
    ///
    /// # Errors
    /// When the checkpoint is of another model.
    pub(super) fn restore<M: Module>(
        &mut self,
        checkpoint: &Checkpoint,
        model: M,
    ) -> io::Result<(M, Optimizer, FitPosition)> {
        let Kept { position, wall } = serde_json::from_value(checkpoint.state.clone())?;
        let (model, optimizer) = read_state(checkpoint, model)?;
        self.earlier = wall;
        Ok((model, optimizer, position))
    }

    /// Writes a checkpoint when it is time, or when the run is to stop and it is worth it.
    ///
    /// # Errors
    /// When the disk says no.
    pub(super) fn save<M: Module>(
        &mut self,
        position: &FitPosition,
        model: &M,
        optimizer: &Optimizer,
        stopping: bool,
    ) -> Result<(), TrainError> {
        let due = if stopping { self.every.0 * WORTH_ON_STOP } else { self.every.0 };
        if position.step == 0 || self.last.elapsed().as_secs_f64() < due {
            return Ok(());
        }
        let wall = Seconds(self.earlier.0 + self.begin.elapsed().as_secs_f64());
        let kept = Kept { position: position.clone(), wall };
        self.checkpoints.write(position.step, &kept, |into| write_state(into, model, optimizer))?;
        self.last = Instant::now();
        Ok(())
    }
}
