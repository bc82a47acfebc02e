//! What runs left, gathered from their folders: records, failures, logs.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::input::ExperimentInput;
use crate::store::{
    Event, Failure, Record, RunFolder, RunId, RunSettings, RunsRoot, StoreError, StoredPlan, TaskOptions,
};

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
    let found: Vec<Result<Found, StoreError>> = asked.par_iter().map(find).collect();
    for (folder, found) in asked.iter().zip(found) {
        match found {
            Ok(found) => found.add_to(folder.id(), &mut input),
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
struct Found {
    record: Option<Record>,
    failure: Option<(RunSettings, Failure)>,
    events: Vec<Event>,
    notes: Vec<String>,
}

impl Found {
    fn add_to(self, id: &RunId, input: &mut ExperimentInput) {
        input.notes.extend(self.notes);
        input.records.extend(self.record);
        input.failures.extend(self.failure);
        if !self.events.is_empty() {
            input.events.insert(id.clone(), self.events);
        }
    }
}

fn find(folder: &RunFolder) -> Result<Found, StoreError> {
    let mut found = Found { record: folder.record()?, failure: None, events: Vec::new(), notes: Vec::new() };
    if let Some(record) = &found.record {
        let damaged = folder.damaged_side_files(record);
        found.notes.extend(damaged.into_iter().map(|damage| format!("{damage}; the report does not read it")));
    } else if let (Some(failure), Some(settings)) = (folder.failure()?, folder.settings()?) {
        found.failure = Some((settings, failure));
    }
    match folder.events_of(found.record.as_ref()) {
        Ok(events) => found.events = events,
        Err(error) => found.notes.push(format!("{error}; the run's curves are left out")),
    }
    Ok(found)
}
