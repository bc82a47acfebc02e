//! Which weights are kept: those of the best run of each task and model, without locks.
//!
//! A run writes its weights only if no better run with weights has a record, then its record, then
//! removes the weights of all runs that are worse than the best with a record and weights. Whoever
//! writes the last record sees all others, so whatever the order, and wherever a process dies, the
//! best weights remain, and after the next finished run or [`RunsRoot::clean`](super::RunsRoot::clean) only they.

use std::cmp::Ordering;

use super::atomic;
use super::error::StoreError;
use super::folder::RunFolder;
use super::record::Record;

impl RunFolder {
    /// Whether this run, about to finish with `record`, should write its weights: unless a better run
    /// of its task and model has a record and weights.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn wants_model(&self, record: &Record) -> Result<bool, StoreError> {
        let siblings = self.siblings()?;
        let others = with_model(&siblings);
        Ok(best(&others).is_none_or(|(_, best)| by_rank(record, best) != Ordering::Greater))
    }

    /// Removes the weights of every finished run of the same task and model but the best that has some.
    ///
    /// # Errors
    /// When a folder cannot be read or written.
    pub fn prune_models(&self) -> Result<(), StoreError> {
        prune(&self.siblings()?)
    }
}

/// Removes the weights of every finished run among `runs`, which are those of one task and model, but the best's. A
/// pretraining keeps all of its models.
pub(super) fn prune(runs: &[RunFolder]) -> Result<(), StoreError> {
    // Of one listing: a better run that finishes after it has weights that are not this process's to remove.
    let all = with_model(runs);
    let Some((best, _)) = best(&all) else { return Ok(()) };
    for (folder, _) in all.iter().filter(|(folder, _)| folder.id() != best.id()) {
        atomic::remove(&folder.model_folder())?;
    }
    Ok(())
}

fn best<'a>(runs: &'a [(&RunFolder, Record)]) -> Option<&'a (&'a RunFolder, Record)> {
    runs.iter().min_by(|(_, a), (_, b)| by_rank(a, b))
}

/// The finished runs on a task that have weights.
fn with_model(runs: &[RunFolder]) -> Vec<(&RunFolder, Record)> {
    let record = |folder: &RunFolder| folder.record().ok().flatten().filter(|record| record.task().is_some());
    let kept = runs.iter().filter(|folder| folder.model_folder().is_dir());
    kept.filter_map(|folder| Some((folder, record(folder)?))).collect()
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
