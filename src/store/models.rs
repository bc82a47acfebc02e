//! Which weights are kept, without locks: those of the best run of each task, model and data, over all runs and over
//! those of each plan that `plan.json` has. A run that no plan asks for removes nothing that a plan's export needs.
//!
//! A run writes its weights only if no better run with weights has a record, then its record, then
//! removes the weights of all runs that are the best of nothing with a record and weights. Whoever
//! writes the last record sees all others, so whatever the order, and wherever a process dies, the
//! best weights remain, and after the next finished run or [`RunsRoot::clean`](super::RunsRoot::clean) only they.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::atomic;
use super::error::StoreError;
use super::folder::RunFolder;
use super::plan_file::{Plans, planned};
use super::record::Record;
use super::run_id::RunId;

impl RunFolder {
    /// Whether this run, about to finish with `record`, should write its weights: unless for all that it could be the
    /// best of, a better run has a record and weights.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn wants_model(&self, record: &Record) -> Result<bool, StoreError> {
        let Some(plans) = self.plans()? else { return Ok(true) };
        let siblings = self.siblings()?;
        let others = with_model(&siblings);
        let all: Vec<&Record> = others.iter().map(|(_, other)| other).filter(|other| other.id != record.id).collect();
        Ok(best(&[&all[..], &[record]].concat(), &plans).contains(&record.id))
    }

    /// Removes the weights of every finished run of the same task and model but those that are the best of something.
    ///
    /// # Errors
    /// When a folder cannot be read or written.
    pub fn prune_models(&self) -> Result<(), StoreError> {
        match self.plans()? {
            Some(plans) => prune(&self.siblings()?, &plans),
            None => Ok(()),
        }
    }

    /// The plans of the run's experiment; `None` when they cannot be known, for their file is damaged.
    fn plans(&self) -> Result<Option<Plans>, StoreError> {
        planned(self.experiment_folder())
    }
}

/// Removes the weights of every finished run among `runs`, which are those of one task and model, but of those that are
/// the best of something. A pretraining keeps all of its models.
pub(super) fn prune(runs: &[RunFolder], plans: &Plans) -> Result<(), StoreError> {
    // Of one listing: a better run that finishes after it has weights that are not this process's to remove.
    let all = with_model(runs);
    let kept = best(&all.iter().map(|(_, record)| record).collect::<Vec<_>>(), plans);
    for (folder, _) in all.iter().filter(|(folder, _)| !kept.contains(folder.id())) {
        atomic::remove(&folder.model_folder())?;
    }
    Ok(())
}

/// The best of `runs`, which are of one task and model: of all with the same data, and of those in each plan.
fn best<'a>(runs: &[&'a Record], plans: &Plans) -> BTreeSet<RunId> {
    let places = |run: &&'a Record| {
        let (run, data) = (*run, run.settings.task().map(|of| &of.data_sha256));
        let of_plans = plans.iter().enumerate().filter(move |(_, plan)| plan.contains(&run.id)).map(|(at, _)| Some(at));
        of_plans.chain([None]).map(move |plan| ((data, plan), run))
    };
    best_of(runs.iter().flat_map(places)).into_values().map(|run| run.id.clone()).collect()
}

/// The finished runs on a task that have weights.
fn with_model(runs: &[RunFolder]) -> Vec<(&RunFolder, Record)> {
    let record = |folder: &RunFolder| folder.record().ok().flatten().filter(|record| record.task().is_some());
    let kept = runs.iter().filter(|folder| folder.model_folder().is_dir());
    kept.filter_map(|folder| Some((folder, record(folder)?))).collect()
}

/// The best of `records` for each task and model; of pretraining runs none is.
#[must_use]
pub fn best_runs<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeMap<(&'a str, &'a str), &'a Record> {
    let of_tasks = records.into_iter().filter(|record| record.task().is_some());
    best_of(of_tasks.map(|record| ((record.settings.task_name(), record.settings.model.as_str()), record)))
}

/// The best of the records of each key.
pub(super) fn best_of<'a, K: Ord>(records: impl Iterator<Item = (K, &'a Record)>) -> BTreeMap<K, &'a Record> {
    let mut best = BTreeMap::new();
    for (key, record) in records {
        let known = best.entry(key).or_insert(record);
        if by_rank(record, known).is_lt() {
            *known = record;
        }
    }
    best
}

/// The better run first: by the primary score in its direction, a run without one last; of equals
/// the smaller id.
#[must_use]
pub fn by_rank(a: &Record, b: &Record) -> Ordering {
    let higher_is_better = |record: &Record| {
        let Some(task) = record.task() else { return true };
        let primary = record.scores.iter().find(|score| score.metric == task.primary_metric);
        primary.is_none_or(|score| score.higher_is_better)
    };
    let by_score = match (a.primary_score(), b.primary_score()) {
        (Some(a_score), Some(b_score)) if higher_is_better(a) => b_score.total_cmp(&a_score),
        (Some(a_score), Some(b_score)) => a_score.total_cmp(&b_score),
        (a_score, b_score) => b_score.is_some().cmp(&a_score.is_some()),
    };
    by_score.then_with(|| a.id.cmp(&b.id))
}
