//! Which runs somebody works on now.

use super::input::Input;
use crate::store::{RunId, RunsRoot};

/// Notes in `input`, whose experiments' runs lie in `root`, which planned runs without a record are claimed by a process
/// that gives signs of life.
pub fn add_at_work(root: &RunsRoot, input: &mut Input) {
    for experiment in &mut input.experiments {
        let Ok(claims) = root.claims(&experiment.name) else { continue };
        let done: std::collections::BTreeSet<&RunId> = experiment.records.iter().map(|record| &record.id).collect();
        let ids = experiment.planned.iter().map(crate::store::RunSettings::id).filter(|id| !done.contains(id));
        let is_held = |id: &RunId| matches!(claims.holder(id), Ok(Some(holder)) if holder.alive);
        experiment.at_work = ids.filter(is_held).collect();
    }
}
