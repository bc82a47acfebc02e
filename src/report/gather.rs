//! What runs left, gathered from their folders: records, failures, logs.

use std::collections::BTreeSet;

use super::input::ExperimentInput;
use crate::store::{RunFolder, RunId, RunsRoot, StoreError, StoredPlan};

/// What there is of an experiment: the runs of `plan` with their records, failures and logs; without a plan, those of all
/// its folders. What cannot be read is left out and named in [`ExperimentInput::notes`]. `file` is the experiment file as
/// the user named it.
#[must_use]
pub fn gather(root: &RunsRoot, (name, file): (&str, Option<String>), plan: Option<&StoredPlan>) -> ExperimentInput {
    let planned = plan.into_iter().flat_map(|plan| &plan.runs).map(|run| run.settings.clone()).collect();
    let mut input = ExperimentInput { name: name.to_owned(), file, planned, ..ExperimentInput::default() };
    let known: Option<BTreeSet<&RunId>> = plan.map(|plan| plan.runs.iter().map(|run| &run.id).collect());
    let folders = root.folders(name).unwrap_or_else(|error| {
        input.notes.push(error.to_string());
        Vec::new()
    });
    let mut left_out = 0;
    for folder in folders {
        if known.as_ref().is_some_and(|known| !known.contains(folder.id())) {
            left_out += usize::from(folder.is_done());
        } else if let Err(error) = add(&folder, &mut input) {
            input.notes.push(format!("{error}; the run counts as missing"));
        }
    }
    if left_out > 0 {
        let asks = input.file.as_deref().unwrap_or(name);
        input.notes.push(format!("{left_out} records are left out: {asks} no longer asks for their settings"));
    }
    input
}

fn add(folder: &RunFolder, input: &mut ExperimentInput) -> Result<(), StoreError> {
    if let Some(record) = folder.record()? {
        input.records.push(record);
    } else if let (Some(failure), Some(settings)) = (folder.failure()?, folder.settings()?) {
        input.failures.push((settings, failure));
    }
    match folder.events() {
        Ok(events) if events.is_empty() => {}
        Ok(events) => drop(input.events.insert(folder.id().clone(), events)),
        Err(error) => input.notes.push(format!("{error}; the run's curves are left out")),
    }
    Ok(())
}
