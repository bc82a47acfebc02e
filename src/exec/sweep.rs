//! The parent's loop: which job goes to which worker, and what becomes of it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::ExecError;
use super::child::{Event, Worker};
use super::job::{Job, Options, Summary};
use super::local::Local;
use super::observer::Observer;
use super::protocol::Request;
use super::stop::StopFlag;
use super::worker_exit::{self, MemoryKills};
use crate::store::{Claim, Process, RunFolder, RunState, RunsRoot, unix_now};

/// How soon a stop or a lost claim is noticed when no worker says anything.
const TICK: Duration = Duration::from_millis(50);

/// How often workers are looked at that may be stopped.
const STOPPED_EVERY: Duration = Duration::from_millis(500);

/// How long a worker without a job may take to end when it is told to.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// A worker that has not said that it is ready by then will not.
pub(super) const START_LIMIT: Duration = Duration::from_mins(2);

/// So many workers in a row that die before their first job end the sweep.
const STARTS_LIMIT: usize = 3;

/// What a slot has.
pub(super) enum Slot {
    Empty,
    Starting(Worker),
    Idle(Worker),
    /// The worker comes first: it is killed before its claim is released.
    Busy(Worker, Box<Task>),
}

/// A job in work.
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) claim: Claim,
    pub(super) folder: RunFolder,
    /// Whether the worker has it: one that dies before has died of something else.
    pub(super) arrived: bool,
    pub(super) kills_before: MemoryKills,
    /// For how long the worker was seen to be stopped (SIGSTOP).
    pub(super) stopped: Duration,
}

/// One sweep in progress.
pub(super) struct Sweep<'a> {
    pub(super) local: &'a Local,
    pub(super) root: &'a RunsRoot,
    pub(super) logs: &'a Path,
    pub(super) options: Options,
    pub(super) observer: &'a mut dyn Observer,
    stop: &'a StopFlag,
    pub(super) events: (Sender<Event>, Receiver<Event>),
    pub(super) slots: Vec<Slot>,
    pub(super) pending: VecDeque<Job>,
    /// Jobs that other processes hold.
    pub(super) held_elsewhere: Vec<Job>,
    /// Jobs that start from pretraining runs that are not done.
    pub(super) waiting: Vec<Job>,
    pub(super) polled_at: Instant,
    pub(super) waiting_for: usize,
    pub(super) summary: Summary,
    pub(super) started_unix: u64,
    pub(super) stopping: bool,
    pub(super) failed_starts: usize,
    /// No job is started any more.
    pub(super) disk_is_full: bool,
    looked_for_stopped: Instant,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(
        local: &'a Local,
        root: &'a RunsRoot,
        logs: &'a Path,
        options: Options,
        observer: &'a mut dyn Observer,
        stop: &'a StopFlag,
    ) -> Self {
        Self {
            local,
            root,
            logs,
            options,
            observer,
            stop,
            events: channel(),
            slots: (0..local.slots.max(1)).map(|_| Slot::Empty).collect(),
            pending: VecDeque::new(),
            held_elsewhere: Vec::new(),
            waiting: Vec::new(),
            polled_at: Instant::now(),
            waiting_for: 0,
            summary: Summary::default(),
            started_unix: unix_now(),
            stopping: false,
            failed_starts: 0,
            disk_is_full: false,
            looked_for_stopped: Instant::now(),
        }
    }

    /// Runs the sorted `jobs`.
    pub(super) fn run(mut self, jobs: Vec<Job>) -> Result<Summary, ExecError> {
        self.enqueue(jobs)?;
        if self.local.leads_ranks {
            // The other ranks wait for it, even if there is nothing to do.
            self.slots[0] = self.start_worker(0)?;
        }
        loop {
            self.handle_stop();
            self.give_up_lost_claims();
            self.replace_stopped_workers();
            if !self.stopping && !self.disk_is_full {
                self.release_dependents()?;
                self.fill_slots()?;
                self.poll_other_processes()?;
            }
            let busy = self.slots.iter().any(|slot| matches!(slot, Slot::Busy(..)));
            // Those that wait count too: the pretraining run that they start from may have been done just now.
            let goes_on = !self.stopping && !self.disk_is_full;
            let left =
                goes_on && (!self.pending.is_empty() || !self.held_elsewhere.is_empty() || !self.waiting.is_empty());
            if !busy && !left {
                break;
            }
            if let Ok(event) = self.events.1.recv_timeout(TICK) {
                self.handle(event)?;
            }
        }
        self.summary.interrupted += self.pending.len() + self.held_elsewhere.len() + self.waiting.len();
        let grace = if self.local.leads_ranks { START_LIMIT } else { SHUTDOWN_GRACE };
        for slot in self.slots {
            if let Slot::Starting(worker) | Slot::Idle(worker) = slot {
                worker.shut_down(grace);
            }
        }
        Ok(self.summary)
    }

    /// Sets aside what is done, and what failed unless that is tried again.
    fn enqueue(&mut self, jobs: Vec<Job>) -> Result<(), ExecError> {
        let (total, mut failed_before, mut pretrained) = (jobs.len(), 0, Vec::new());
        for job in jobs {
            match job.folder(self.root)?.state()? {
                RunState::Done => {
                    self.summary.skipped += 1;
                    pretrained.extend(job.settings.pretraining().is_some().then_some(job));
                }
                RunState::Failed(_) => {
                    failed_before += 1;
                    if self.options.retry_failed {
                        self.pending.push_back(job);
                    } else {
                        self.summary.failed += 1;
                    }
                }
                RunState::Missing | RunState::Claimed(_) | RunState::Damaged(_) => self.pending.push_back(job),
            }
        }
        self.check_models(&pretrained)?;
        self.hold_back_dependents()?;
        self.observer.started(total, self.summary.skipped, failed_before);
        Ok(())
    }

    fn handle_stop(&mut self) {
        if self.stop.is_set() && !self.stopping {
            self.begin_stop();
        }
        if self.stop.is_urgent() {
            for at in 0..self.slots.len() {
                if let Slot::Busy(worker, task) = std::mem::replace(&mut self.slots[at], Slot::Empty) {
                    drop(worker);
                    self.settle_interrupted(at, &task);
                }
            }
        }
    }

    /// Whether the user, or a batch system, has asked for a stop.
    pub(super) fn is_stop_wanted(&self) -> bool {
        self.stop.is_set()
    }

    /// No more jobs; those in work are abandoned after their current step.
    pub(super) fn begin_stop(&mut self) {
        self.stopping = true;
        for slot in &mut self.slots {
            if let Slot::Busy(worker, _) = slot {
                // A worker that cannot hear has died, which its own event will tell.
                let _ = worker.send(&Request::Stop);
            }
        }
    }

    /// A run that another process took over (this one was suspended for long) is left to it.
    fn give_up_lost_claims(&mut self) {
        for at in 0..self.slots.len() {
            if matches!(&self.slots[at], Slot::Busy(_, task) if task.claim.is_lost())
                && let Slot::Busy(worker, task) = std::mem::replace(&mut self.slots[at], Slot::Empty)
            {
                drop(worker);
                self.leave(at, task);
            }
        }
    }

    /// A worker that was stopped for as long as a claim may stand still is ended, and its job started again.
    fn replace_stopped_workers(&mut self) {
        let since = self.looked_for_stopped.elapsed();
        if since < STOPPED_EVERY {
            return;
        }
        self.looked_for_stopped = Instant::now();
        for at in 0..self.slots.len() {
            let Slot::Busy(worker, task) = &mut self.slots[at] else { continue };
            // When this process was stopped as well, it has seen nothing meanwhile.
            let seen = since.min(2 * STOPPED_EVERY);
            task.stopped = if Process::is_stopped(worker.pid()) { task.stopped + seen } else { Duration::ZERO };
            if task.stopped >= self.root.claim_timeout()
                && let Slot::Busy(worker, task) = std::mem::replace(&mut self.slots[at], Slot::Empty)
            {
                drop(worker);
                self.observer.worker_was_stopped(at, &task.job);
                self.pending.push_front(task.job);
            }
        }
    }

    fn handle(&mut self, Event { slot: at, pid, reply }: Event) -> Result<(), ExecError> {
        if self.slots[at].pid() != Some(pid) {
            // A late reply of a worker that was replaced.
            return Ok(());
        }
        self.slots[at] = match (std::mem::replace(&mut self.slots[at], Slot::Empty), reply) {
            (Slot::Starting(mut worker), None) => {
                let end = worker.kill().map_or_else(|error| error.to_string(), worker_exit::end);
                if self.local.leads_ranks {
                    self.failed_starts = STARTS_LIMIT;
                }
                self.failed_start(&worker, &end)?;
                Slot::Empty
            }
            (Slot::Starting(worker) | Slot::Idle(worker), Some(_)) => Slot::Idle(worker),
            (Slot::Idle(_) | Slot::Empty, _) => Slot::Empty,
            (Slot::Busy(worker, task), Some(reply)) => self.handle_reply(at, worker, task, reply),
            (Slot::Busy(worker, task), None) => self.handle_exit(at, worker, task)?,
        };
        Ok(())
    }

    pub(super) fn failed_start(&mut self, worker: &Worker, end: &str) -> Result<(), ExecError> {
        self.failed_starts += 1;
        if self.failed_starts < STARTS_LIMIT {
            return Ok(());
        }
        let words = worker.log_tail();
        let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
        Err(ExecError::Worker(format!("{end}: {}", last.trim())))
    }
}

impl Slot {
    fn pid(&self) -> Option<u32> {
        match self {
            Self::Empty => None,
            Self::Starting(worker) | Self::Idle(worker) | Self::Busy(worker, _) => Some(worker.pid()),
        }
    }
}
