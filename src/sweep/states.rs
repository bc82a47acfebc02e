//! How far runs are.

use std::collections::BTreeMap;

use crate::store::{RunId, RunSettings, RunsRoot, StoreError};

/// How far each run is, in a word.
pub type States = BTreeMap<RunId, &'static str>;

/// How far each of these runs of `experiment` is; `note` says why a record does not count.
pub(super) fn states<'a>(
    root: &RunsRoot,
    experiment: &str,
    runs: impl IntoIterator<Item = &'a RunSettings>,
    note: fn(&str),
) -> Result<States, StoreError> {
    let state = |settings: &RunSettings| {
        let folder = root.folder(experiment, settings)?;
        let state = folder.state()?;
        state.damage().iter().for_each(|damage| note(damage));
        Ok((folder.id().clone(), state.word()))
    };
    runs.into_iter().map(state).collect()
}

/// Whether a run in this state is still to be made; one that failed is done again only when that is asked for.
pub(super) fn is_to_do(state: &str) -> bool {
    !["done", "failed"].contains(&state)
}
