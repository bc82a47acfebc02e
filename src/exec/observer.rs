//! Who is told what happens in a sweep.

use std::path::Path;

use super::job::{Job, Progress, Report, Summary};
use crate::store::{Failure, Holder, Record, RunState, StoreError};

/// Is told what happens, as it happens, on the thread that called `execute`. Slots count from 0.
pub trait Observer {
    /// The sweep starts: so many jobs, of which so many have a record, and so many failed before.
    fn started(&mut self, total: usize, already_done: usize, failed_before: usize) {
        let _ = (total, already_done, failed_before);
    }

    /// The record of a job was damaged or another run's; it is in the folder `aside` now, and the job is done again.
    fn record_kept_aside(&mut self, job: &Job, damage: &StoreError, aside: &Path) {
        let _ = (job, damage, aside);
    }

    /// A worker has a job.
    fn job_started(&mut self, slot: usize, job: &Job) {
        let _ = (slot, job);
    }

    /// A job is so far: a few times a second, and whenever its phase changes.
    fn progress(&mut self, slot: usize, job: &Job, progress: Progress) {
        let _ = (slot, job, progress);
    }

    /// The worker of a job says something besides its progress.
    fn report(&mut self, job: &Job, report: &Report) {
        let _ = (job, report);
    }

    /// A job is complete on disk.
    fn job_finished(&mut self, slot: usize, job: &Job, record: &Record) {
        let _ = (slot, job, record);
    }

    /// A job failed.
    fn job_failed(&mut self, slot: usize, job: &Job, failure: &Failure) {
        let _ = (slot, job, failure);
    }

    /// A job was given up without a result, because of a stop or because another process has it now.
    fn job_abandoned(&mut self, slot: usize, job: &Job) {
        let _ = (slot, job);
    }

    /// A job cannot be done: the pretraining that it starts from failed, or nobody does it.
    fn job_blocked(&mut self, job: &Job) {
        let _ = job;
    }

    /// Another process has completed a job, or failed at it: `state` is `Done` or `Failed`.
    fn job_finished_elsewhere(&mut self, job: &Job, state: &RunState) {
        let _ = (job, state);
    }

    /// Nothing is left to do here but to wait for so many jobs of other processes, of which `holder` has one. Told again
    /// whenever the number changes.
    fn waiting_for_others(&mut self, jobs: usize, holder: &Holder) {
        let _ = (jobs, holder);
    }

    /// A job was taken over from a holder that is gone or has given no sign of life for the claims' time-out.
    fn claim_taken_over(&mut self, job: &Job, from: &Holder) {
        let _ = (job, from);
    }

    /// The worker of a job was stopped (SIGSTOP) for so long that it was ended; the job is started again.
    fn worker_was_stopped(&mut self, slot: usize, job: &Job) {
        let _ = (slot, job);
    }

    /// The disk is full, for this cause: no more jobs are started.
    fn disk_full(&mut self, cause: &str) {
        let _ = cause;
    }

    /// The sweep is over.
    fn finished(&mut self, summary: &Summary) {
        let _ = summary;
    }
}

/// Does not care.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
