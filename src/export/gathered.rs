//! The runs of an experiment that have left something.

use std::collections::BTreeMap;

use super::{Ending, ExportedRun};
use crate::report::ExperimentInput;
use crate::store::{RunId, RunSettings};

/// The runs that left something, by id, in the order of records, failures and plan.
#[must_use]
pub fn ids(found: &ExperimentInput) -> Vec<(RunId, &RunSettings)> {
    let failed = found.failures.iter().map(|(settings, _)| (settings.id(), settings));
    let done = found.records.iter().map(|record| (record.id.clone(), &record.settings));
    let mut ids: BTreeMap<RunId, &RunSettings> = done.chain(failed).collect();
    for settings in &found.planned {
        let id = settings.id();
        if found.events.contains_key(&id) {
            ids.entry(id).or_insert(settings);
        }
    }
    ids.into_iter().collect()
}

/// Those runs, as they are exported.
#[must_use]
pub fn exported<'a>(found: &'a ExperimentInput, ids: &'a [(RunId, &'a RunSettings)]) -> Vec<ExportedRun<'a>> {
    let records: BTreeMap<&RunId, _> = found.records.iter().map(|record| (&record.id, record)).collect();
    let failures: BTreeMap<RunId, _> = found.failures.iter().map(|(of, failure)| (of.id(), failure)).collect();
    let run = |(id, settings): &'a (RunId, &'a RunSettings)| {
        let done = records.get(id).map(|record| Ending::Done(record));
        let failed = failures.get(id).map(|failure| Ending::Failed(failure));
        let events = found.events.get(id).map_or(&[][..], Vec::as_slice);
        ExportedRun { id, settings, ending: done.or(failed).unwrap_or(Ending::None), events }
    };
    ids.iter().map(run).collect()
}
