//! How far an experiment is.

use std::collections::BTreeMap;

use super::needed::{self, NeededRun};
use super::queue::{self, PRE_EMPTED, QUEUED, Queued};
use super::running::{self, Left, Running};
use super::states::{States, is_to_do, states};
use crate::config::ExperimentFile;
use crate::diagnostic::Error;
use crate::resolve::Identity;
use crate::store::{Event, Failure, PretrainingObjective, Record, RunId, StoreError, best_runs, unless_damaged};

/// The states that are always counted.
const STATES: [&str; 4] = ["done", "running", "failed", "missing"];
/// A state that is counted only where a run is in it.
const DAMAGED: &str = "damaged";

/// How far an experiment is.
#[derive(Debug)]
pub struct Status {
    /// How far each run is.
    pub states: States,
    /// What Slurm says of them, where any was ever sent to it.
    pub queue: Option<Queued>,
    /// What the experiment's kind has besides.
    pub of: StatusOf,
}

/// What the two kinds of experiments have besides the states of their runs.
#[derive(Debug)]
pub enum StatusOf {
    /// Of one with tasks.
    Tasks(TaskStatus),
    /// Of one that pretrains: its runs.
    Runs(Vec<RunProgress>),
}

/// How far an experiment with tasks is.
#[derive(Debug)]
pub struct TaskStatus {
    /// A sum for each task and model.
    pub sums: Vec<TaskSum>,
    /// The pretraining that its models start from.
    pub starts_from: Vec<NeededRun>,
    /// The runs at work.
    pub running: Vec<Running>,
    /// What is left to do.
    pub left: Left,
    /// Why runs failed.
    pub failures: Vec<(RunId, Failure)>,
}

/// The runs of a task and model.
#[derive(Clone, Debug)]
pub struct TaskSum {
    /// The task.
    pub task: String,
    /// The model.
    pub model: String,
    /// How many runs are in each state.
    pub counts: BTreeMap<&'static str, usize>,
    /// The metric and the score of the best run that is done; a score may be undefined.
    pub best: Option<(String, Option<f64>)>,
}

/// How far a pretraining run is.
#[derive(Clone, Debug)]
pub struct RunProgress {
    /// Its id.
    pub id: RunId,
    /// The model that it makes.
    pub model: String,
    /// Its seed.
    pub seed: u64,
    /// How far it is, in a word.
    pub state: &'static str,
    /// The last step that was logged.
    pub step: u64,
    /// How many it has.
    pub steps: u64,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// How far the experiment is; `note` says which files are damaged.
///
/// # Errors
/// A folder of runs that cannot be read; a Slurm that answers with an error.
pub fn status(identity: &Identity, note: fn(&str)) -> Result<Status, Error> {
    let (name, root) = (&identity.experiment.base().name, &identity.root);
    let mut states = states(root, name, identity.runs.iter().map(|run| &run.settings), note)?;
    let ids = identity.runs.iter().map(|run| (&run.id, &run.settings));
    let queue = queue::states(root, name, ids, &mut states)?;
    let of = match identity.experiment {
        ExperimentFile::Tasks(_) => StatusOf::Tasks(tasks(identity, &states, note)?),
        ExperimentFile::Pretraining(_) => StatusOf::Runs(runs(identity, &states, note)?),
    };
    Ok(Status { states, queue, of })
}

fn tasks(identity: &Identity, states: &States, note: fn(&str)) -> Result<TaskStatus, StoreError> {
    let needed = identity.needed();
    let needed = needed.iter().map(|(experiment, run)| (*experiment, &run.id, &run.settings));
    let starts_from = needed::states(&identity.root, needed, note)?;
    let mut counts: BTreeMap<(&str, &str), BTreeMap<&'static str, usize>> = BTreeMap::new();
    for run in &identity.runs {
        let of = counts.entry((run.settings.task_name(), &run.settings.model)).or_default();
        *of.entry(states[&run.id]).or_default() += 1;
    }
    let done = done(identity, states)?;
    let best = best_runs(&done);
    let score = |of: &&Record| (of.primary_metric().to_owned(), of.primary_score());
    let sum = |(of, counts): ((&str, &str), _)| TaskSum {
        task: of.0.to_owned(),
        model: of.1.to_owned(),
        counts,
        best: best.get(&of).map(score),
    };
    let failures = identity.root.failures(&identity.experiment.base().name)?.into_iter();
    let failures = failures.filter(|(folder, _)| states.contains_key(folder.id()));
    Ok(TaskStatus {
        sums: counts.into_iter().map(sum).collect(),
        starts_from,
        running: running::running(identity, states, note)?,
        left: running::left_of(identity, states, &done),
        failures: failures.map(|(folder, failure)| (folder.id().clone(), failure)).collect(),
    })
}

/// The records of the runs that are done.
fn done(identity: &Identity, states: &States) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    for run in identity.runs.iter().filter(|run| states[&run.id] == "done") {
        records.extend(identity.root.folder(&identity.experiment.base().name, &run.settings)?.record()?);
    }
    Ok(records)
}

fn runs(identity: &Identity, states: &States, note: fn(&str)) -> Result<Vec<RunProgress>, StoreError> {
    let mut rows = Vec::new();
    for run in &identity.runs {
        let (settings, state) = (&run.settings, states[&run.id]);
        let folder = identity.root.folder(&identity.experiment.base().name, settings)?;
        let events = unless_damaged(folder.events().map(Some), note)?.unwrap_or_default();
        rows.push(RunProgress {
            id: run.id.clone(),
            model: settings.model.clone(),
            seed: settings.seed,
            state,
            step: events.last().map_or(0, Event::step),
            steps: settings.pretraining().map_or(0, PretrainingObjective::steps),
            failure: if state == "failed" { folder.failure()? } else { None },
        });
    }
    Ok(rows)
}

impl Status {
    /// Whether no run is to be waited for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.states.values().any(|state| is_to_do(state))
    }

    /// How many runs are in each state: the usual ones, others that runs are in, and those of a cluster.
    #[must_use]
    pub fn totals(&self) -> Vec<(&'static str, usize)> {
        let count = |word: &str| self.states.values().filter(|state| **state == word).count();
        let damaged = (count(DAMAGED) > 0).then_some(DAMAGED);
        let of_queue = [QUEUED, PRE_EMPTED].into_iter().filter(|_| self.queue.is_some());
        STATES.into_iter().chain(damaged).chain(of_queue).map(|word| (word, count(word))).collect()
    }
}
