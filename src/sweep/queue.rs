//! How Slurm stands with runs.

use std::collections::BTreeSet;

use super::states::States;
use crate::diagnostic::Error;
use crate::exec::slurm::{Place, Queue};
use crate::store::{RunId, RunSettings, RunsRoot};

/// The state of a run that an array task will do and that nobody has begun.
pub const QUEUED: &str = "queued";
/// The state of a run that was begun, and that its array task goes on with when it has a node again.
pub const PRE_EMPTED: &str = "pre-empted";

/// What Slurm says of an experiment's runs.
#[derive(Debug)]
pub struct Queued {
    /// Where the runs are in Slurm's queue.
    pub queue: Queue,
    /// The runs without a record that somebody has worked on.
    pub begun: BTreeSet<RunId>,
}

/// Puts what Slurm says of the missing runs in place of `missing`; `None` when nothing was ever sent to it.
pub(super) fn states<'a>(
    root: &RunsRoot,
    experiment: &str,
    runs: impl Iterator<Item = (&'a RunId, &'a RunSettings)>,
    states: &mut States,
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
