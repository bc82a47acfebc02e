//! Jobs that start from the model of a pretraining run wait until it is done: a part of [`Sweep`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::ExecError;
use super::job::Job;
use super::sweep::{Slot, Sweep};
use crate::store::RunId;

/// How it stands with the pretraining that a job starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prerequisite {
    Done,
    /// It is at work, or will be.
    Coming,
    /// Nobody here will do it.
    Lost,
}

impl Sweep<'_> {
    /// Puts those of the `pretrained` jobs, which are done, among the pending ones that are started from and whose weights
    /// are damaged.
    pub(super) fn check_models(&mut self, pretrained: &[Job]) -> Result<(), ExecError> {
        let mut starts = BTreeSet::new();
        for job in &self.pending {
            starts.extend(job.after(self.root)?.map(|folder| folder.id().clone()));
        }
        for job in pretrained.iter().filter(|job| starts.contains(&job.id)) {
            let folder = job.folder(self.root)?;
            if let Some(record) = folder.record()?
                && folder.check_weights(&record).is_err_and(|error| error.is_damage())
            {
                self.summary.skipped -= 1;
                self.pending.push_front(job.clone());
            }
        }
        Ok(())
    }

    /// Takes the jobs that cannot be started yet out of the pending ones.
    pub(super) fn hold_back_dependents(&mut self) -> Result<(), ExecError> {
        let mut known = BTreeMap::new();
        for job in std::mem::take(&mut self.pending) {
            if self.prerequisite(&job, &mut known)? == Prerequisite::Done {
                self.pending.push_back(job);
            } else {
                self.waiting.push(job);
            }
        }
        Ok(())
    }

    /// Puts waiting jobs whose pretraining is done behind the pending ones. Those whose pretraining will not be done
    /// are left missing.
    pub(super) fn release_dependents(&mut self) -> Result<(), ExecError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut known = BTreeMap::new();
        let mut woken = VecDeque::new();
        for job in std::mem::take(&mut self.waiting) {
            match self.prerequisite(&job, &mut known)? {
                Prerequisite::Done => woken.push_back(job),
                Prerequisite::Coming => self.waiting.push(job),
                Prerequisite::Lost => {
                    self.summary.blocked += 1;
                    self.observer.job_blocked(&job);
                }
            }
        }
        self.pending.append(&mut woken);
        Ok(())
    }

    /// Looks at each pretraining run once, for many jobs start from the same.
    fn prerequisite(&self, job: &Job, known: &mut BTreeMap<RunId, Prerequisite>) -> Result<Prerequisite, ExecError> {
        let Some(folder) = job.after(self.root)? else { return Ok(Prerequisite::Done) };
        if let Some(found) = known.get(folder.id()) {
            return Ok(*found);
        }
        let is_it = |other: &Job| other.id == *folder.id();
        let busy = self.slots.iter().any(|slot| matches!(slot, Slot::Busy(_, task) if is_it(&task.job)));
        let found = if busy || self.pending.iter().chain(&self.held_elsewhere).any(is_it) {
            Prerequisite::Coming
        } else if folder.is_done() {
            Prerequisite::Done
        } else {
            Prerequisite::Lost
        };
        known.insert(folder.id().clone(), found);
        Ok(found)
    }
}
