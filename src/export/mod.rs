//! Runs in the formats of other trackers: TensorBoard's event files, and MLflow over REST.

mod gathered;
pub mod mlflow;
mod parameters;
mod series;
pub mod tensorboard;

pub use gathered::{exported, ids};

use crate::store::{Event, Failure, Record, RunId, RunSettings};

/// A run that is exported.
#[derive(Clone, Copy, Debug)]
pub struct ExportedRun<'a> {
    /// Its id.
    pub id: &'a RunId,
    /// What was run.
    pub settings: &'a RunSettings,
    /// What became of it.
    pub ending: Ending<'a>,
    /// Its log, in the order of its steps.
    pub events: &'a [Event],
}

/// What became of a run.
#[derive(Clone, Copy, Debug)]
pub enum Ending<'a> {
    /// It finished.
    Done(&'a Record),
    /// It ended without a record.
    Failed(&'a Failure),
    /// It is at work, or was left on the way.
    None,
}

impl<'a> ExportedRun<'a> {
    /// The record of a finished run.
    #[must_use]
    pub fn record(&self) -> Option<&'a Record> {
        match self.ending {
            Ending::Done(record) => Some(record),
            Ending::Failed(_) | Ending::None => None,
        }
    }

    /// When it began and when it ended, in seconds since 1970-01-01 UTC; 0 where nobody wrote it down.
    fn times(&self) -> (u64, u64) {
        match self.ending {
            Ending::Done(record) => (record.provenance.started_unix, record.provenance.finished_unix),
            Ending::Failed(failure) => (failure.at_unix, failure.at_unix),
            Ending::None => (0, 0),
        }
    }

    /// `TASK/MODEL/ID`, as its folder is called.
    fn place(&self) -> String {
        format!("{}/{}/{}", self.settings.task_name(), self.settings.model, self.id)
    }
}
