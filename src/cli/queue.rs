//! How Slurm stands with runs, as `status` shows it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::error::Error;
use crate::exec::slurm::{Place, Queue, TaskState};
use crate::store::{RunId, RunSettings, RunsRoot};

/// A run that an array task will do and that nobody has begun.
const QUEUED: &str = "queued";
/// A run that was begun, and that its array task goes on with when it has a node again.
const PRE_EMPTED: &str = "pre-empted";

/// What [`states`] can find besides the states that the store tells of.
pub(super) const STATES: [&str; 2] = [QUEUED, PRE_EMPTED];

/// What Slurm says of an experiment's runs.
pub(super) struct Queued {
    queue: Queue,
    /// The runs without a record that somebody has worked on.
    begun: BTreeSet<RunId>,
}

/// Puts what Slurm says of the missing runs in place of `missing`; `None` when nothing was ever sent to it.
pub(super) fn states<'a>(
    root: &RunsRoot,
    experiment: &str,
    runs: impl Iterator<Item = (&'a RunId, &'a RunSettings)>,
    states: &mut BTreeMap<RunId, &'static str>,
) -> Result<Option<Queued>, Error> {
    let Some(queue) = Queue::if_known(root, experiment)? else { return Ok(None) };
    let mut begun = BTreeSet::new();
    for (id, settings) in runs {
        let Some(state) = states.get_mut(id).filter(|state| **state == "missing") else { continue };
        let is_begun = matches!(root.folder(experiment, settings)?.settings(), Ok(Some(_)));
        if is_begun {
            begun.insert(id.clone());
        }
        if queue.place(id).is_some_and(Place::is_active) {
            *state = if is_begun { PRE_EMPTED } else { QUEUED };
        }
    }
    Ok(Some(Queued { queue, begun }))
}

/// What is to be known of array tasks, in lines for a terminal.
pub(super) fn lines(states: &BTreeMap<RunId, &'static str>, queued: &Queued) -> Vec<String> {
    let Queued { queue, begun } = queued;
    if let Some(why) = &queue.silence {
        return vec![format!("note: `squeue`: {why}; queued runs count as missing")];
    }
    let (mut lines, mut waiting, mut ended) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for (id, state) in states {
        let Some(place) = queue.place(id) else { continue };
        let Place { task, node, since, reason, .. } = place;
        match (*state, &place.state) {
            ("running", TaskState::Running) => {
                lines.push(format!("running {id}: {node}, array task {task}, since {since}"));
            }
            (QUEUED | PRE_EMPTED, TaskState::Pending) => *waiting.entry((*state, reason)).or_insert(0) += 1,
            ("missing", TaskState::Ended(Some(word))) if !["COMPLETED", "CANCELLED"].contains(&word.as_str()) => {
                let of = ended.entry(task).or_insert_with(|| EndedTask { place, word, is_begun: false, missing: 0 });
                of.is_begun |= begun.contains(id);
                of.missing += 1;
            }
            _ => {}
        }
    }
    lines.extend(waiting.into_iter().map(|((state, reason), runs)| {
        let reason = if reason.is_empty() { String::new() } else { format!(", {reason}") };
        format!("{state}: {runs} runs wait for a node{reason}")
    }));
    lines.extend(ended.values().map(EndedTask::line));
    lines
}

/// An array task that ended with an error, and left runs missing.
struct EndedTask<'a> {
    place: &'a Place,
    /// Slurm's word for it.
    word: &'a str,
    /// Whether one of those runs was begun.
    is_begun: bool,
    missing: usize,
}

impl EndedTask<'_> {
    fn line(&self) -> String {
        let Self { place: Place { task, node, log, .. }, word, is_begun, missing } = self;
        let what = if *is_begun { "ended before its runs were done" } else { "failed to start" };
        let node = if node.is_empty() { String::new() } else { format!(" on {node}") };
        format!("array task {task} {what}: {word}{node}, {missing} runs missing ({})", log.display())
    }
}

/// The array tasks of runs that are not done, for programs.
pub(super) fn json(states: &BTreeMap<RunId, &'static str>, Queued { queue, .. }: &Queued) -> Value {
    let of = states.iter().filter(|(_, state)| **state != "done");
    let rows = of.filter_map(|(id, state)| {
        let place = queue.place(id)?;
        let (slurm, log) = (word(&place.state), place.log.display().to_string());
        Some(json!({"id": id, "state": state, "array_task": place.task, "slurm_state": slurm, "node": place.node,
                    "since": place.since, "reason": place.reason, "log": log}))
    });
    rows.collect()
}

fn word(state: &TaskState) -> Option<&str> {
    match state {
        TaskState::Pending => Some("PENDING"),
        TaskState::Running => Some("RUNNING"),
        TaskState::Ended(word) => word.as_deref(),
    }
}
