//! What runs left, gathered from their folders: records, failures, logs.

use std::collections::BTreeSet;

use super::input::ExperimentInput;
use crate::store::{RunFolder, RunId, RunsRoot, StoreError, StoredPlan, TaskOptions};

/// What there is of an experiment: the runs of `plan` with their records, failures and logs; without a plan, those of all
/// its folders. What cannot be read is left out and named in [`ExperimentInput::notes`]. `file` is the experiment file as
/// the user named it.
#[must_use]
pub fn gather(root: &RunsRoot, (name, file): (&str, Option<String>), plan: Option<&StoredPlan>) -> ExperimentInput {
    let planned = plan.into_iter().flat_map(|plan| &plan.runs).map(|run| run.settings.clone()).collect();
    let options = plan.map_or_else(Vec::new, options);
    let mut input = ExperimentInput { name: name.to_owned(), file, planned, options, ..ExperimentInput::default() };
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

/// What `bertbench run` was given besides the file, to ask for the runs of `plan`.
fn options(plan: &StoredPlan) -> Vec<String> {
    let tasks = || plan.runs.iter().filter_map(|run| run.settings.task());
    let lossy = |options: &TaskOptions| matches!(options, TaskOptions::Tags(of) if of.format.contains("lossy"));
    let set = plan.overrides.iter().flat_map(|set| ["--set".to_owned(), set.clone()]);
    let skips = tasks().any(|task| task.skip_bad_rows).then(|| "--skip-bad-rows".to_owned());
    let reads_any_bytes = tasks().any(|task| task.options.as_ref().is_some_and(lossy)).then(|| "--lossy".to_owned());
    set.chain(skips).chain(reads_any_bytes).collect()
}

fn add(folder: &RunFolder, input: &mut ExperimentInput) -> Result<(), StoreError> {
    if let Some(record) = folder.record()? {
        for damage in folder.damaged_side_files(&record) {
            input.notes.push(format!("{damage}; the report does not read it"));
        }
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
