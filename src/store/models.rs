//! Which weights are kept: those of the best run of each task and model, without locks.
//!
//! A run writes its weights only if no better run with weights has a record, then its record, then
//! removes the weights of all runs that are worse than the best with a record and weights. Whoever
//! writes the last record sees all others, so whatever the order, and wherever a process dies, the
//! best weights remain, and after the next finished run or [`RunsRoot::clean`] only they.

use std::cmp::Ordering;

use super::atomic;
use super::error::StoreError;
use super::folder::RunFolder;
use super::record::Record;
use super::root::RunsRoot;

impl RunsRoot {
    /// See [`RunFolder::wants_model`].
    pub(super) fn wants_model(&self, record: &Record) -> Result<bool, StoreError> {
        let best = self.best_with_model(&record.experiment, &record.settings.task, &record.settings.model)?;
        Ok(best.is_none_or(|(_, best)| by_rank(record, &best) != Ordering::Greater))
    }

    /// Removes the weights of every finished run of a task and model but the best that has some.
    ///
    /// # Errors
    /// When a folder cannot be read or written.
    pub fn prune_models(&self, experiment: &str, task: &str, model: &str) -> Result<(), StoreError> {
        // Of one listing: a better run that finishes after it has weights that are not this process's to remove.
        let all = self.with_model(experiment, task, model)?;
        let Some((best, _)) = all.iter().min_by(|(_, a), (_, b)| by_rank(a, b)) else { return Ok(()) };
        for (folder, _) in all.iter().filter(|(folder, _)| folder.id() != best.id()) {
            atomic::remove(&folder.model_folder())?;
        }
        Ok(())
    }

    fn best_with_model(
        &self,
        experiment: &str,
        task: &str,
        model: &str,
    ) -> Result<Option<(RunFolder, Record)>, StoreError> {
        Ok(self.with_model(experiment, task, model)?.into_iter().min_by(|(_, a), (_, b)| by_rank(a, b)))
    }

    /// The finished runs that have weights.
    fn with_model(&self, experiment: &str, task: &str, model: &str) -> Result<Vec<(RunFolder, Record)>, StoreError> {
        let mut found = Vec::new();
        for folder in self.folders_of(experiment, task, model)? {
            if folder.model_folder().is_dir()
                && let Ok(Some(record)) = folder.record()
            {
                found.push((folder, record));
            }
        }
        Ok(found)
    }
}

/// The better run first: by the primary score in its direction, a run without one last; of equals
/// the smaller id.
#[must_use]
pub fn by_rank(a: &Record, b: &Record) -> Ordering {
    let higher_is_better = |record: &Record| {
        let primary = |score: &&super::Score| score.metric == record.primary_metric;
        record.scores.iter().find(primary).is_none_or(|score| score.higher_is_better)
    };
    let by_score = match (a.primary_score(), b.primary_score()) {
        (Some(a_score), Some(b_score)) if higher_is_better(a) => b_score.total_cmp(&a_score),
        (Some(a_score), Some(b_score)) => a_score.total_cmp(&b_score),
        (a_score, b_score) => b_score.is_some().cmp(&a_score.is_some()),
    };
    by_score.then_with(|| a.id.cmp(&b.id))
}
