//! Runs to an MLflow tracking server, over its REST API (version 2.0; checked against MLflow 3.17.2).
//!
//! ```text
//! experiment ─▶ a parent run ─▶ a run for each of ours that ended: parameters, metrics by step, tags
//! ```
//!
//! A run carries our id as a tag, and, written last, a checksum of what was sent: a run that is there whole is left alone,
//! one that is not, or that ended otherwise since, is replaced. So exporting again, after a success or a failure, makes
//! nothing twice.

mod api;
mod content;

use std::collections::BTreeMap;

use serde_json::json;

use super::ExportedRun;
use crate::download::RetryPolicy;
use crate::report::State;
use api::{Api, Known};
use content::Content;

/// The tag with our id of a run; of the parent, the experiment's name.
const ID: &str = "bertbench.run_id";
/// The tag with the checksum of what was sent.
const SENT: &str = "bertbench.sent";
/// MLflow's own tag for the parent of a run.
const PARENT: &str = "mlflow.parentRunId";

/// Why runs could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum MlflowError {
    /// The address is none.
    #[error("`{0}` is no address of a tracking server")]
    Address(String),
    /// Nobody answers, or with faults of its own.
    #[error("{url} does not answer: {cause}")]
    Unreachable {
        /// The address that was asked.
        url: String,
        /// What went wrong, the last time.
        cause: String,
    },
    /// The server refuses what it was sent.
    #[error("{url} answers with status {status}: {message}")]
    Refused {
        /// The address that was asked.
        url: String,
        /// The status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// The answer is not one of MLflow's.
    #[error("{url} does not answer as MLflow does: {cause}")]
    Answer {
        /// The address that was asked.
        url: String,
        /// What is wrong.
        cause: String,
    },
}

/// Where to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server, such as `http://127.0.0.1:5000`.
    pub tracking_uri: String,
    /// A bearer token for it.
    pub token: Option<String>,
    /// How patient to be.
    pub retry: RetryPolicy,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Runs that were sent.
    pub sent: usize,
    /// Runs that were there already, as they are.
    pub kept: usize,
    /// Runs that have not ended and were left out.
    pub left_out: usize,
}

/// Sends the runs of an experiment that ended. `progress` is told of each.
///
/// # Errors
/// See [`MlflowError`]. What was sent before stays, and is not sent again.
pub fn export(
    target: &Target,
    experiment: &str,
    runs: &[ExportedRun<'_>],
    progress: &mut dyn FnMut(usize),
) -> Result<Exported, MlflowError> {
    let api = Api::new(target, experiment)?;
    let known: BTreeMap<String, Known> = api.known_runs()?;
    let ended: Vec<&ExportedRun<'_>> = runs.iter().filter(|run| !matches!(run.ending, State::Missing)).collect();
    let parent = parent(&api, experiment, runs, &known)?;
    let mut done = Exported { left_out: runs.len() - ended.len(), ..Exported::default() };
    for (at, run) in ended.into_iter().enumerate() {
        let content = Content::of(run);
        match known.get(run.id.0.as_str()) {
            Some(known) if known.sent.as_deref() == Some(content.checksum.as_str()) => done.kept += 1,
            known => {
                if let Some(known) = known {
                    api.post("runs/delete", &json!({"run_id": known.id}))?;
                }
                send(&api, run, &parent, &content)?;
                done.sent += 1;
            }
        }
        progress(at + 1);
    }
    Ok(done)
}

/// The run that stands for the experiment: the one that is there, else a new one.
fn parent(
    api: &Api,
    experiment: &str,
    runs: &[ExportedRun<'_>],
    known: &BTreeMap<String, Known>,
) -> Result<String, MlflowError> {
    let (mut started, mut ended) = (u64::MAX, 0);
    for (start, end) in runs.iter().map(ExportedRun::times).filter(|(start, _)| *start > 0) {
        (started, ended) = (started.min(start), ended.max(end));
    }
    let id = if let Some(known) = known.get(experiment) {
        known.id.clone()
    } else {
        let started = if started == u64::MAX { 0 } else { started };
        api.create(experiment, experiment, started, &[("bertbench.experiment".to_owned(), experiment.to_owned())])?
    };
    let is_over = runs.iter().all(|run| matches!(run.ending, State::Done(_)));
    api.update(&id, if is_over { "FINISHED" } else { "RUNNING" }, is_over.then_some(ended))?;
    Ok(id)
}

fn send(api: &Api, run: &ExportedRun<'_>, parent: &str, content: &Content) -> Result<(), MlflowError> {
    let (started, ended) = run.times();
    let name = format!("{} {} {}", run.settings.task_name(), run.settings.model, run.id);
    let mut tags = vec![(PARENT.to_owned(), parent.to_owned())];
    tags.extend(content.tags.iter().cloned());
    let id = api.create(&run.id.0, &name, started, &tags)?;
    api.log(&id, content)?;
    let status = if run.record().is_some() { "FINISHED" } else { "FAILED" };
    api.update(&id, status, Some(ended))?;
    // Last: whatever broke before, the next export begins the run anew.
    api.post("runs/set-tag", &json!({"run_id": id, "key": SENT, "value": content.checksum})).map(drop)
}
