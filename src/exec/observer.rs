//! Who is told what happens in a sweep.

use std::path::Path;

use super::job::{Job, Progress, Report, Summary};
use crate::store::{Failure, Holder, Record, RunState, StoreError};

/// Is told what happens, as it happens, on the thread that called `execute`. Slots count from 0.
pub trait Observer {
    /// The sweep starts: so many jobs, of which so many have a record, and so many failed before.
    fn started(&mut self, _total: usize, _already_done: usize, _failed_before: usize) {}

    /// The record of a job was damaged or another run's; it is in the folder `aside` now, and the job is done again.
    fn record_kept_aside(&mut self, _job: &Job, _damage: &StoreError, _aside: &Path) {}

    /// A worker has a job.
    fn job_started(&mut self, _slot: usize, _job: &Job) {}

    /// A job is so far: a few times a second, and whenever its phase changes.
    fn progress(&mut self, _slot: usize, _job: &Job, _progress: Progress) {}

    /// The worker of a job says something besides its progress.
    fn report(&mut self, _job: &Job, _report: &Report) {}

    /// A job is complete on disk.
    fn job_finished(&mut self, _slot: usize, _job: &Job, _record: &Record) {}

    /// A job failed.
    fn job_failed(&mut self, _slot: usize, _job: &Job, _failure: &Failure) {}

    /// A job was given up without a result, because of a stop or because another process has it now.
    fn job_abandoned(&mut self, _slot: usize, _job: &Job) {}

    /// A job cannot be done: the pretraining that it starts from failed, or nobody does it.
    fn job_blocked(&mut self, _job: &Job) {}

    /// Another process has completed a job, or failed at it: `state` is `Done` or `Failed`.
    fn job_finished_elsewhere(&mut self, _job: &Job, _state: &RunState) {}

    /// Nothing is left to do here but to wait for so many jobs of other processes, of which `holder` has one. Told again
    /// whenever the number changes.
    fn waiting_for_others(&mut self, _jobs: usize, _holder: &Holder) {}

    /// A job was taken over from a holder that is gone or has given no sign of life for the claims' time-out.
    fn claim_taken_over(&mut self, _job: &Job, _from: &Holder) {}

    /// The worker of a job was stopped (SIGSTOP) for so long that it was ended; the job is started again.
    fn worker_was_stopped(&mut self, _slot: usize, _job: &Job) {}

    /// The disk is full, for this cause: no more jobs are started.
    fn disk_full(&mut self, _cause: &str) {}

    /// The sweep is over.
    fn finished(&mut self, _summary: &Summary) {}
}

/// Does not care.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
