//! Which job goes to which worker: a part of [`Sweep`].

use std::time::{Duration, Instant};

use super::ExecError;
use super::child::Worker;
use super::job::Job;
use super::local::log_path;
use super::protocol::{self, Request};
use super::sweep::{START_LIMIT, Slot, Sweep, Task};
use super::worker_exit::MemoryKills;
use crate::store::{Failure, RunState, is_disk_full};

/// How often the runs of other processes are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// What came of trying to take a job.
enum Taken {
    /// It is claimed for the worker.
    Task(Box<Task>),
    /// Another process holds it.
    Elsewhere,
    /// It needs no doing any more.
    Finished,
}

impl Sweep<'_> {
    /// Gives every idle worker a job, and starts workers as far as there are jobs for them.
    pub(super) fn fill_slots(&mut self) -> Result<(), ExecError> {
        for at in 0..self.slots.len() {
            let ready = self.slots.iter().filter(|slot| matches!(slot, Slot::Starting(_) | Slot::Idle(_))).count();
            match std::mem::replace(&mut self.slots[at], Slot::Empty) {
                Slot::Empty if self.local.leads_ranks => return Err(ExecError::Leader("it was ended".to_owned())),
                Slot::Empty if ready < self.pending.len() => self.slots[at] = self.start_worker(at)?,
                Slot::Starting(worker) if worker.age() > START_LIMIT => {
                    self.failed_start(&worker, "no heartbeat")?;
                }
                Slot::Idle(worker) => self.slots[at] = self.assign(at, worker)?,
                other @ (Slot::Empty | Slot::Starting(_) | Slot::Busy(..)) => self.slots[at] = other,
            }
        }
        Ok(())
    }

    pub(super) fn start_worker(&self, at: usize) -> Result<Slot, ExecError> {
        let (log, events) = (log_path(self.logs, at), self.events.0.clone());
        let Some(command) = self.local.workers.get(at % self.local.workers.len().max(1)) else {
            return Err(ExecError::Worker("there is none".to_owned()));
        };
        let worker = Worker::start(command, self.local.threads_per_slot.max(1), &log, at, events);
        Ok(Slot::Starting(worker.map_err(|error| ExecError::Worker(error.to_string()))?))
    }

    /// Hands the next job that is free to an idle worker.
    fn assign(&mut self, at: usize, mut worker: Worker) -> Result<Slot, ExecError> {
        while let Some(job) = self.pending.pop_front() {
            match self.take(&job, &worker) {
                Err(error) if is_disk_full(&error) => {
                    self.give_up_for_space(job, &error.to_string());
                    break;
                }
                Err(error) => return Err(error),
                Ok(Taken::Finished) => {}
                Ok(Taken::Elsewhere) => self.held_elsewhere.push(job),
                Ok(Taken::Task(task)) => {
                    let (root, token) = (self.root.path().to_path_buf(), task.claim.token().to_owned());
                    let request = Request::Run(protocol::Assignment { root, token, job: Box::new(job) });
                    if worker.send(&request).is_err() {
                        self.pending.push_front(task.job);
                        return Ok(Slot::Empty);
                    }
                    self.observer.job_started(at, &task.job);
                    return Ok(Slot::Busy(worker, task));
                }
            }
        }
        Ok(Slot::Idle(worker))
    }

    /// Claims a job, and looks again whether it still needs doing.
    fn take(&mut self, job: &Job, worker: &Worker) -> Result<Taken, ExecError> {
        let claims = self.root.claims(&job.experiment)?;
        let before = claims.holder(&job.id)?;
        let Some(claim) = claims.claim(&job.id, &[worker.pid()])? else {
            return Ok(Taken::Elsewhere);
        };
        if let Some(before) = before {
            self.observer.claim_taken_over(job, &before);
        }
        let folder = job.folder(self.root)?.under_claim(claim.token());
        match folder.record() {
            // A pretraining that is done is among the jobs because its weights are damaged.
            Ok(Some(record)) => match folder.check_weights(&record) {
                Err(damage) if record.task().is_none() && damage.is_damage() => {
                    let aside = folder.keep_aside()?;
                    self.observer.record_kept_aside(job, &damage, &aside);
                }
                Ok(()) | Err(_) => {
                    self.finish_elsewhere(job, &RunState::Done);
                    return Ok(Taken::Finished);
                }
            },
            Ok(None) => {}
            Err(damage) => {
                if let Some(aside) = folder.set_aside()? {
                    self.observer.record_kept_aside(job, &damage, &aside);
                }
            }
        }
        if let Ok(Some(failure)) = folder.failure()
            && !self.may_retry(&failure)
        {
            self.finish_elsewhere(job, &RunState::Failed(failure));
            return Ok(Taken::Finished);
        }
        let (job, kills_before) = (job.clone(), MemoryKills::now());
        Ok(Taken::Task(Box::new(Task { job, claim, folder, arrived: false, kills_before, stopped: Duration::ZERO })))
    }

    /// Failures from before this sweep are tried again if that was asked for; those of other
    /// processes meanwhile are not.
    fn may_retry(&self, failure: &Failure) -> bool {
        self.options.retry_failed && failure.at_unix <= self.started_unix
    }

    fn finish_elsewhere(&mut self, job: &Job, state: &RunState) {
        match state {
            RunState::Failed(_) => self.summary.failed += 1,
            RunState::Done | RunState::Missing | RunState::Claimed(_) | RunState::Damaged(_) => {
                self.summary.skipped += 1;
            }
        }
        self.observer.job_finished_elsewhere(job, state);
    }

    /// When a slot has nothing to do: are jobs of other processes done, or free because they died?
    pub(super) fn poll_other_processes(&mut self) -> Result<(), ExecError> {
        let busy = self.slots.iter().filter(|slot| matches!(slot, Slot::Busy(..))).count();
        if !self.pending.is_empty() || busy == self.slots.len() || self.polled_at.elapsed() < POLL_INTERVAL {
            return Ok(());
        }
        let mut held = None;
        for job in std::mem::take(&mut self.held_elsewhere) {
            match job.folder(self.root)?.state()? {
                RunState::Claimed(holder) if holder.alive => {
                    self.held_elsewhere.push(job);
                    held = Some(holder);
                }
                RunState::Failed(failure) if self.may_retry(&failure) => self.pending.push_back(job),
                state @ (RunState::Done | RunState::Failed(_)) => self.finish_elsewhere(&job, &state),
                RunState::Missing | RunState::Claimed(_) | RunState::Damaged(_) => self.pending.push_back(job),
            }
        }
        let waiting_for = if busy == 0 && self.pending.is_empty() { self.held_elsewhere.len() } else { 0 };
        if let Some(holder) = held
            && waiting_for != self.waiting_for
            && waiting_for > 0
        {
            self.observer.waiting_for_others(waiting_for, &holder);
        }
        self.waiting_for = waiting_for;
        self.polled_at = Instant::now();
        Ok(())
    }
}
