//! What runs left, gathered from their folders: records, failures, curves.

use std::collections::BTreeSet;

use super::input::{CurvePoint, ExperimentInput, PretrainingInput};
use crate::store::{Event, RunId, RunSettings, RunsRoot, StoreError, StoredPlan};

/// What there is of an experiment: the runs of `plan`, their records, failures and curves. What is left out goes to
/// `notes`; `file` is the experiment file as the user named it.
///
/// # Errors
/// A folder that cannot be read.
pub fn gather(
    root: &RunsRoot,
    (name, file): (&str, Option<String>),
    plan: &StoredPlan<RunSettings>,
    notes: &mut Vec<String>,
) -> Result<ExperimentInput, StoreError> {
    let known: BTreeSet<&RunId> = plan.runs.iter().map(|run| &run.id).collect();
    let found = root.records(name)?;
    notes.extend(found.damaged.iter().map(|damaged| format!("{damaged}; the run counts as missing")));
    let (records, others): (Vec<_>, Vec<_>) = found.records.into_iter().partition(|record| known.contains(&record.id));
    if !others.is_empty() {
        let (left, asks) = (others.len(), file.as_deref().unwrap_or(name));
        notes.push(format!("{left} records are left out: {asks} no longer asks for their settings"));
    }
    let planned = plan.runs.iter().map(|run| run.settings.clone()).collect();
    let mut input = ExperimentInput { name: name.to_owned(), file, planned, records, ..ExperimentInput::default() };
    for (folder, failure) in root.failures(name)? {
        if let Some(settings) = folder.settings()?
            && known.contains(folder.id())
        {
            input.failures.push((settings, failure));
        }
    }
    for record in &input.records {
        let events = root.folder(name, &record.settings)?.events()?;
        input.curves.insert(record.id.clone(), events.iter().filter_map(point).collect());
    }
    Ok(input)
}

/// As [`gather`], of an experiment that pretrains.
///
/// # Errors
/// A folder that cannot be read.
pub fn gather_pretraining(
    root: &RunsRoot,
    (name, file): (&str, Option<String>),
    plan: &StoredPlan<RunSettings>,
    notes: &mut Vec<String>,
) -> Result<PretrainingInput, StoreError> {
    let known: BTreeSet<&RunId> = plan.runs.iter().map(|run| &run.id).collect();
    let planned = plan.runs.iter().map(|run| run.settings.clone()).collect();
    let mut input = PretrainingInput { name: name.to_owned(), file, planned, ..PretrainingInput::default() };
    for folder in root.folders(name)? {
        if !known.contains(folder.id()) {
            continue;
        }
        match (folder.record(), folder.settings()) {
            (Ok(Some(record)), _) => input.records.push(record),
            (Ok(None), Ok(Some(settings))) => {
                if let Some(failure) = folder.failure()? {
                    input.failures.push((settings, failure));
                }
            }
            (Err(damaged @ StoreError::Damaged { .. }), _) => {
                notes.push(format!("{damaged}; the run counts as missing"));
            }
            (Ok(None), _) => continue,
            (Err(other), _) => return Err(other),
        }
        input.curves.insert(folder.id().clone(), folder.events()?);
    }
    Ok(input)
}

fn point(event: &Event) -> Option<CurvePoint> {
    match event {
        Event::Step(step) => Some(CurvePoint { step: step.step, loss: step.loss, learning_rate: step.learning_rate }),
        Event::Evaluation(_) => None,
    }
}
