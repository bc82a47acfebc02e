//! A run as the table of runs has it.

use crate::store::{Record, RunSettings};

/// One run on disk.
#[derive(Clone, Debug)]
pub struct ListedRun {
    /// Its id.
    pub id: String,
    /// The experiment that it belongs to.
    pub experiment: String,
    /// Its task.
    pub task: String,
    /// Its model.
    pub model: String,
    /// `done`, `running`, `failed`, `damaged` or `missing`.
    pub state: &'static str,
    /// What it left, or only its settings, as far as that is known.
    pub content: RunContent,
}

/// What the folder of a run says of it.
#[derive(Clone, Debug)]
pub enum RunContent {
    /// A finished run's record.
    Record(Box<Record>),
    /// The settings of one without a record.
    Settings(Box<RunSettings>),
    /// Neither can be read.
    Unknown,
}

impl ListedRun {
    pub(super) fn settings(&self) -> Option<&RunSettings> {
        match &self.content {
            RunContent::Record(record) => Some(&record.settings),
            RunContent::Settings(settings) => Some(settings),
            RunContent::Unknown => None,
        }
    }

    pub(super) fn record(&self) -> Option<&Record> {
        match &self.content {
            RunContent::Record(record) => Some(record),
            RunContent::Settings(_) | RunContent::Unknown => None,
        }
    }
}
