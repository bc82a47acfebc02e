//! Runs jobs: order, slots, isolation, failures, sharing with other processes.
//!
//! The parent ([`Local::execute`]) claims a run, hands it to a worker process and keeps the claim
//! alive; the worker ([`worker::serve`]) trains and writes the run's folder, the record last. A worker
//! that dies takes one run with it, not the sweep. Nothing here prints: an [`Observer`] is told.

mod assignment;
mod child;
mod execute;
mod job;
mod local;
mod observer;
mod outcome;
mod panics;
mod protocol;
pub mod slurm;
mod stop;
mod sweep;
mod waiting;
pub mod worker;
mod worker_exit;

use std::io;

pub use child::WorkerCommand;
pub use job::{Job, Options, Phase, Progress, Report, Summary, Unfinished};
pub use local::Local;
pub use observer::{Observer, Silent};
pub use stop::StopFlag;

use crate::diagnostic::Error;
use crate::store::StoreError;

/// Why a sweep could not go on. What was done is on disk.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The runs' folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The worker that leads ranks died.
    #[error(
        "the process that trains ended ({0}), and with it the sweep; what it was doing is missing, and goes on from its \
         last checkpoint when this is started again"
    )]
    Leader(String),
    /// Worker processes do not start.
    #[error("worker processes cannot be started: {0}")]
    Worker(String),
}

impl From<io::Error> for ExecError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<ExecError> for Error {
    fn from(error: ExecError) -> Self {
        Self::system(error)
    }
}
