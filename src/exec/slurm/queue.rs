//! How Slurm stands with the runs that were sent to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::commands::{SlurmError, output};
use super::script::Script;
use super::submission::submissions;
use crate::store::{RunId, RunsRoot};

/// What an array task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It waits for a node, for the first time or again.
    Pending,
    /// It has a node.
    Running,
    /// It has ended, in Slurm's word, such as `COMPLETED`, `TIMEOUT` or `NODE_FAIL`; nothing when Slurm no longer
    /// knows it.
    Ended(Option<String>),
}

/// The array task that a run is to be done by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Job and task, such as `17_2`.
    pub task: String,
    /// What it does.
    pub state: TaskState,
    /// The node that it is or was on; empty when it has none.
    pub node: String,
    /// Since when it runs, or when Slurm expects it to, as Slurm writes it.
    pub since: String,
    /// Why it waits, as Slurm says it.
    pub reason: String,
    /// What it prints.
    pub log: PathBuf,
}

/// The array tasks of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    places: BTreeMap<RunId, Place>,
    jobs: BTreeMap<String, usize>,
    /// Why Slurm does not answer, if so: nothing counts as queued then.
    pub silence: Option<String>,
}

impl Queue {
    /// What Slurm says of the runs of `experiment`; `None` when none was ever sent.
    ///
    /// # Errors
    /// When Slurm does not answer, or the lists of runs cannot be read.
    pub fn of(root: &RunsRoot, experiment: &str) -> Result<Option<Self>, SlurmError> {
        match Self::if_known(root, experiment)? {
            Some(Self { silence: Some(said), .. }) => Err(SlurmError::Refused { program: "squeue", said }),
            queue => Ok(queue),
        }
    }

    /// As [`Self::of`], also where Slurm does not answer.
    ///
    /// # Errors
    /// When the lists of runs cannot be read.
    pub fn if_known(root: &RunsRoot, experiment: &str) -> Result<Option<Self>, SlurmError> {
        let sent = submissions(root, experiment)?;
        if sent.is_empty() {
            return Ok(None);
        }
        // The store tells of runs without Slurm: where it does not answer, they count as missing.
        let (mut told, silence) = match squeue(experiment) {
            Ok(told) => (told, None),
            Err(SlurmError::NotFound(_)) => (BTreeMap::new(), Some("it is not on this machine".to_owned())),
            Err(SlurmError::Refused { said, .. }) => (BTreeMap::new(), Some(said)),
            Err(other) => return Err(other),
        };
        if silence.is_none() {
            let forgotten =
                |job: &str, tasks: usize| (1..=tasks).any(|task| !told.contains_key(&format!("{job}_{task}")));
            let jobs: BTreeSet<&str> =
                sent.iter().filter(|of| forgotten(&of.job, of.tasks.len())).map(|of| of.job.as_str()).collect();
            for (task, state) in sacct(&jobs.into_iter().collect::<Vec<_>>()) {
                told.entry(task).or_insert(state);
            }
        }
        let mut queue = Self { silence, ..Self::default() };
        for of in &sent {
            for (at, ids) in of.tasks.iter().enumerate() {
                let task = format!("{}_{}", of.job, at + 1);
                let log = PathBuf::from(format!("{}-{}.log", of.files.display(), at + 1));
                let place = match told.get(&task) {
                    Some(told) => Place { log, ..told.clone() },
                    None => Place { log, ..Place::of(task, TaskState::Ended(None), [""; 3]) },
                };
                if place.is_active() {
                    *queue.jobs.entry(of.job.clone()).or_default() += 1;
                }
                // A later submission has the say, unless an earlier one is still at it.
                for id in ids {
                    if place.is_active() || !queue.places.get(id).is_some_and(Place::is_active) {
                        queue.places.insert(id.clone(), place.clone());
                    }
                }
            }
        }
        Ok(Some(queue))
    }

    /// The array task of a run, if it was ever sent.
    #[must_use]
    pub fn place(&self, id: &RunId) -> Option<&Place> {
        self.places.get(id)
    }

    /// The jobs that wait or run, and how many array tasks of each do.
    #[must_use]
    pub fn jobs(&self) -> &BTreeMap<String, usize> {
        &self.jobs
    }
}

impl Place {
    /// An array task with its node, its time and its reason; where it prints is not known.
    fn of(task: String, state: TaskState, [node, since, reason]: [&str; 3]) -> Self {
        let [node, since, reason] = [node, since, reason].map(str::to_owned);
        Self { task, state, node, since, reason, log: PathBuf::new() }
    }

    /// Whether it waits or runs.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.state, TaskState::Pending | TaskState::Running)
    }
}

/// The jobs of the experiment, of all users: those that wait or run, and those that ended a few minutes ago.
fn squeue(experiment: &str) -> Result<BTreeMap<String, Place>, SlurmError> {
    let name = format!("--name={}", Script::job_name(experiment));
    let format = "--format=%F_%K|%T|%N|%S|%r";
    output("squeue", &["--noheader", "--array", "--states=all", &name, format]).map(|text| read(&text))
}

/// What the accounting database says, on clusters with one.
fn sacct(jobs: &[&str]) -> BTreeMap<String, Place> {
    if jobs.is_empty() {
        return BTreeMap::new();
    }
    let jobs = format!("--jobs={}", jobs.join(","));
    let format = "--format=JobID,State,NodeList,Start,Reason";
    let asked = output("sacct", &["--noheader", "--parsable2", "--allocations", &jobs, format]);
    asked.map(|text| read(&text)).unwrap_or_default()
}

/// Lines of `task|state|node|since|reason`.
fn read(text: &str) -> BTreeMap<String, Place> {
    let line = |line: &str| {
        let mut fields = line.split('|').map(str::trim);
        let (task, state) = (fields.next()?.to_owned(), state(fields.next()?));
        let mut field = || fields.next().filter(|text| !["N/A", "None", "None assigned", "Unknown"].contains(text));
        let fields = [field(), field(), field()].map(Option::unwrap_or_default);
        Some((task.clone(), Place::of(task, state, fields)))
    };
    text.lines().filter_map(line).collect()
}

/// Of the states in squeue(1); `CANCELLED by 1000` is sacct's.
fn state(word: &str) -> TaskState {
    match word.split_whitespace().next().unwrap_or_default() {
        "PENDING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD" | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => {
            TaskState::Pending
        }
        "RUNNING" | "CONFIGURING" | "COMPLETING" | "RESIZING" | "SIGNALING" | "STAGE_OUT" | "STOPPED" | "SUSPENDED" => {
            TaskState::Running
        }
        other => TaskState::Ended(Some(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_programs_are_read() {
        let told = read(
            "1_1|RUNNING|n1|2026-11-29T10:38:17|None\n1_2|PENDING||N/A|Dependency\n\
             1_3|CANCELLED by 1000|None assigned|Unknown|None\n1_[4-9]|PENDING|None assigned|Unknown|Priority\n",
        );
        assert_eq!(told["1_1"].state, TaskState::Running);
        assert_eq!((told["1_1"].node.as_str(), told["1_1"].since.as_str()), ("n1", "2026-11-29T10:38:17"));
        assert_eq!(told["1_2"].state, TaskState::Pending);
        assert_eq!((told["1_2"].since.as_str(), told["1_2"].reason.as_str()), ("", "Dependency"));
        assert_eq!(told["1_3"].state, TaskState::Ended(Some("CANCELLED".into())));
        assert_eq!(told["1_3"].node, "");
    }
}
