//! Worker processes on this machine.

use std::path::{Path, PathBuf};

use super::child::WorkerCommand;
use crate::store::{Process, machine};

/// So many worker processes on this machine, each doing one run at a time.
#[derive(Clone, Debug)]
pub struct Local {
    /// Runs at the same time; 0 counts as 1.
    pub slots: usize,
    /// Threads of each (`RAYON_NUM_THREADS`); 0 counts as 1.
    pub threads_per_slot: usize,
    /// The programs that call [`serve`](super::worker::serve), at least one: a slot has that of its number, and those after
    /// the last one the first again.
    pub workers: Vec<WorkerCommand>,
    /// Whether the worker computes together with processes on which this one has no influence (ranks of MPI): there is
    /// one for the whole sweep, from its start to its end, and its death ends the sweep.
    pub leads_ranks: bool,
}

/// The log of a slot's workers: `<machine>-<process>-<its start>-<slot>.log`.
pub(super) fn log_path(logs: &Path, slot: usize) -> PathBuf {
    let Process { pid, started_unix } = Process::current();
    logs.join(format!("{}-{pid}-{started_unix}-{slot}.log", machine()))
}
