//! What becomes of a job in work: the second half of [`Sweep`].

use super::ExecError;
use super::child::Worker;
use super::job::{Job, Report};
use super::protocol::Reply;
use super::sweep::{Slot, Sweep, Task};
use super::worker_exit::{self, MemoryKills};
use crate::store::{Failure, FailureKind, Record, StoreError};

impl Sweep<'_> {
    /// What a busy worker says, and what its slot has afterwards.
    pub(super) fn handle_reply(&mut self, at: usize, worker: Worker, mut task: Box<Task>, reply: Reply) -> Slot {
        match reply {
            Reply::Ready => return Slot::Busy(worker, task),
            Reply::Started => {
                task.arrived = true;
                self.failed_starts = 0;
                return Slot::Busy(worker, task);
            }
            Reply::Report { report } => {
                match report {
                    Report::Progress(progress) => self.observer.progress(at, &task.job, progress),
                    other @ (Report::Resumed { .. } | Report::Logged(_) | Report::Saved(_) | Report::Note(_)) => {
                        self.observer.report(&task.job, &other);
                    }
                }
                return Slot::Busy(worker, task);
            }
            Reply::Finished => match task.folder.record() {
                Ok(Some(record)) => self.settle_done(at, &task, &record),
                Ok(None) => self.settle_failed(at, task, &Failure::now(FailureKind::Error, "the record disappeared")),
                Err(error) => self.settle_failed(at, task, &Failure::now(FailureKind::Error, error.to_string())),
            },
            Reply::Failed { failure } if failure.is(FailureKind::DiskFull) => {
                self.observer.job_abandoned(at, &task.job);
                self.give_up_for_space(task.job, &failure.cause);
            }
            Reply::Failed { failure } => {
                // After these a process is in an unknown state: the next run gets a new one.
                let spent = [FailureKind::Panic, FailureKind::OutOfMemory, FailureKind::Device];
                let spent = spent.into_iter().any(|kind| failure.is(kind));
                keep_log_tail(&task, &worker);
                self.settle_failed(at, task, &failure);
                if spent {
                    return Slot::Empty;
                }
            }
            Reply::Stopped => self.settle_interrupted(at, &task),
            Reply::ClaimLost => self.leave(at, task),
        }
        Slot::Idle(worker)
    }

    /// A busy worker ended.
    pub(super) fn handle_exit(&mut self, at: usize, mut worker: Worker, task: Box<Task>) -> Result<Slot, ExecError> {
        let status = worker.kill()?;
        if self.local.leads_ranks && !self.is_stop_wanted() {
            // Why is not known: any rank that dies takes all others with it.
            self.observer.job_abandoned(at, &task.job);
            return Err(ExecError::Leader(worker_exit::end(status)));
        }
        if !task.arrived {
            // It died of something else than this job.
            self.observer.job_abandoned(at, &task.job);
            self.pending.push_front(task.job);
            self.failed_start(&worker, &worker_exit::end(status))?;
            return Ok(Slot::Empty);
        }
        if let Ok(Some(record)) = task.folder.record() {
            self.settle_done(at, &task, &record);
            return Ok(Slot::Empty);
        }
        if self.is_stop_wanted() && (self.local.leads_ranks || worker_exit::end(status) == "SIGKILL") {
            // Batch systems say that a job must end, and kill all of its processes when it has not after a while.
            self.settle_interrupted(at, &task);
            return Ok(Slot::Empty);
        }
        let failure = worker_exit::failure(status, &worker.log_tail(), &task.kills_before, &MemoryKills::now());
        keep_log_tail(&task, &worker);
        self.settle_failed(at, task, &failure);
        Ok(Slot::Empty)
    }

    /// The disk is full: no more jobs are started, and those at work may end.
    pub(super) fn give_up_for_space(&mut self, job: Job, cause: &str) {
        if !std::mem::replace(&mut self.disk_is_full, true) {
            self.observer.disk_full(cause);
        }
        self.pending.push_front(job);
    }

    fn settle_done(&mut self, at: usize, task: &Task, record: &Record) {
        self.summary.done += 1;
        self.observer.job_finished(at, &task.job, record);
    }

    fn settle_failed(&mut self, at: usize, task: Box<Task>, failure: &Failure) {
        let written = matches!(task.folder.failure(), Ok(Some(written)) if written == *failure);
        // Where a failure cannot be written down, the run counts as failed for this sweep, and as
        // missing for the next.
        if !written && matches!(task.folder.write_failure(failure), Err(StoreError::ClaimLost(_))) {
            return self.leave(at, task);
        }
        self.summary.failed += 1;
        self.observer.job_failed(at, &task.job, failure);
        if self.options.fail_fast {
            self.begin_stop();
        }
    }

    /// The worker of a job gave it up or was ended, because of a stop.
    pub(super) fn settle_interrupted(&mut self, at: usize, task: &Task) {
        if let Ok(Some(record)) = task.folder.record() {
            return self.settle_done(at, task, &record);
        }
        self.summary.interrupted += 1;
        self.observer.job_abandoned(at, &task.job);
    }

    /// Another process took the job over.
    pub(super) fn leave(&mut self, at: usize, task: Box<Task>) {
        self.observer.job_abandoned(at, &task.job);
        self.held_elsewhere.push(task.job);
    }
}

/// Keeps what the worker of a run that failed said on standard error in the run's log.
fn keep_log_tail(task: &Task, worker: &Worker) {
    let words = worker.log_tail();
    if !words.trim().is_empty() {
        // The log is for people; the failure has what matters.
        let _ = task.folder.log(&format!("standard error of the worker:\n{words}"));
    }
}
