//! Runs in the formats of other trackers: TensorBoard's event files, and MLflow over REST.

pub mod mlflow;
mod parameters;
mod series;
pub mod tensorboard;

use std::collections::BTreeMap;

use crate::report::{ExperimentInput, State};
use crate::store::{Event, Record, RunId, RunSettings};

/// A run that is exported.
#[derive(Clone, Debug)]
pub struct ExportedRun<'a> {
    /// Its id.
    pub id: RunId,
    /// What was run.
    pub settings: &'a RunSettings,
    /// What became of it.
    pub ending: State<'a>,
    /// Its log, in the order of its steps.
    pub events: &'a [Event],
}

impl<'a> ExportedRun<'a> {
    /// The record of a finished run.
    #[must_use]
    pub fn record(&self) -> Option<&'a Record> {
        match self.ending {
            State::Done(record) => Some(record),
            State::Failed(_) | State::Missing => None,
        }
    }

    /// When it began and when it ended, in seconds since 1970-01-01 UTC; 0 where nobody wrote it down.
    fn times(&self) -> (u64, u64) {
        match self.ending {
            State::Done(record) => (record.provenance.started_unix, record.provenance.finished_unix),
            State::Failed(failure) => (failure.at_unix, failure.at_unix),
            State::Missing => (0, 0),
        }
    }

    /// `TASK/MODEL/ID`, as its folder is called.
    fn place(&self) -> String {
        format!("{}/{}/{}", self.settings.task_name(), self.settings.model, self.id)
    }
}

/// The runs of an experiment that have left something, by id.
#[must_use]
pub fn exported(found: &ExperimentInput) -> Vec<ExportedRun<'_>> {
    let planned = found.planned.iter().map(|settings| (settings.id(), settings, State::Missing));
    let begun = planned.filter(|(id, ..)| found.events.contains_key(id));
    let failed = found.failures.iter().map(|(of, failure)| (of.id(), of, State::Failed(failure)));
    let done = found.records.iter().map(|record| (record.id.clone(), &record.settings, State::Done(record)));
    let run = |(id, settings, ending)| {
        let events = found.events.get(&id).map_or(&[][..], Vec::as_slice);
        (id, (settings, ending, events))
    };
    // Of a run that is in several of them, what the last says.
    let by_id: BTreeMap<_, _> = begun.chain(failed).chain(done).map(run).collect();
    by_id.into_iter().map(|(id, (settings, ending, events))| ExportedRun { id, settings, ending, events }).collect()
}
