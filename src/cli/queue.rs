//! How Slurm stands with runs, as `status` shows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::exec::slurm::{Place, TaskState};
use crate::sweep::{PRE_EMPTED, QUEUED, Queued, States};

/// What is to be known of array tasks, in lines for a terminal.
pub(super) fn lines(states: &States, queued: &Queued) -> Vec<String> {
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
pub(super) fn json(states: &States, Queued { queue, .. }: &Queued) -> Value {
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
