//! What runs left, gathered from their folders: records, failures, logs; and which of them somebody works on now.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::input::{ExperimentInput, Input};
use crate::store::{RunFolder, RunId, RunSettings, RunsRoot, StoreError, StoredPlan, TaskOptions};

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
    let (asked, others): (Vec<RunFolder>, Vec<RunFolder>) =
        folders.into_iter().partition(|folder| known.as_ref().is_none_or(|known| known.contains(folder.id())));
    let left_out = others.par_iter().filter(|folder| folder.is_done()).count();
    // Reading is most of the work, and each folder stands for itself; the order stays that of the folders.
    let found: Vec<Result<ExperimentInput, StoreError>> = asked.par_iter().map(find).collect();
    for found in found {
        match found {
            Ok(found) => {
                input.notes.extend(found.notes);
                input.records.extend(found.records);
                input.failures.extend(found.failures);
                input.events.extend(found.events);
            }
            Err(error) => input.notes.push(format!("{error}; the run counts as missing")),
        }
    }
    match root.encoder_speed() {
        Ok(speed) => input.encoder_speed = speed,
        Err(error) => input.notes.push(format!("{error}; the report does not read it")),
    }
    if left_out > 0 {
        let asks = input.file.as_deref().unwrap_or(name);
        input.notes.push(format!("{left_out} records are left out: {asks} no longer asks for their settings"));
    }
    input
}

/// Notes in `input`, whose experiments' runs lie in `root`, which planned runs without a record are claimed by a process
/// that gives signs of life.
pub fn add_at_work(root: &RunsRoot, input: &mut Input) {
    for experiment in &mut input.experiments {
        let Ok(claims) = root.claims(&experiment.name) else { continue };
        let done: BTreeSet<&RunId> = experiment.records.iter().map(|record| &record.id).collect();
        let ids = experiment.planned.iter().map(RunSettings::id).filter(|id| !done.contains(id));
        let is_held = |id: &RunId| matches!(claims.holder(id), Ok(Some(holder)) if holder.alive);
        experiment.at_work = ids.filter(is_held).collect();
    }
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

/// What there is of a run.
fn find(folder: &RunFolder) -> Result<ExperimentInput, StoreError> {
    let mut found = ExperimentInput::default();
    let record = folder.record()?;
    if let Some(record) = &record {
        let damaged = folder.damaged_side_files(record);
        found.notes.extend(damaged.into_iter().map(|damage| format!("{damage}; the report does not read it")));
    } else if let (Some(failure), Some(settings)) = (folder.failure()?, folder.settings()?) {
        found.failures.push((settings, failure));
    }
    match folder.events_of(record.as_ref()) {
        Ok(events) if events.is_empty() => {}
        Ok(events) => drop(found.events.insert(folder.id().clone(), events)),
        Err(error) => found.notes.push(format!("{error}; the run's curves are left out")),
    }
    found.records.extend(record);
    Ok(found)
}
