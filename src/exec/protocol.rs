//! What parent and worker say to each other: one JSON object a line.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::job::{Job, Report};
use crate::store::Failure;

/// From the parent, over the worker's standard input. Its end means that the parent is gone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub(super) enum Request {
    /// Do this job.
    Run(Assignment),
    /// Abandon the current job after the current optimisation step.
    Stop,
}

/// A job for a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Assignment {
    /// The folder of all runs.
    pub(super) root: PathBuf,
    /// The token of the claim with which the parent holds the job.
    pub(super) token: String,
    pub(super) job: Box<Job>,
}

/// From the worker, over its standard output. Other lines are not part of the protocol.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub(super) enum Reply {
    /// Ready for jobs.
    Ready,
    /// The job has arrived.
    Started,
    /// How the job goes.
    Report { report: Report },
    /// The record is on disk.
    Finished,
    /// The job failed; `failure.json` is on disk if that was possible.
    Failed { failure: Failure },
    /// The job was abandoned as asked.
    Stopped,
    /// Another process has the job now.
    ClaimLost,
}

/// Writes one message.
pub(super) fn send<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}
