//! The parent's loop: which job goes to which worker, and what becomes of it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::ExecError;
use super::child::{Event, Worker};
use super::death::{self, MemoryKills};
use super::job::{Job, Options, Summary};
use super::local::{Local, log_path};
use super::observer::Observer;
use super::protocol::Request;
use super::stop::StopFlag;
use crate::store::{Claim, Failure, RunFolder, RunState, RunsRoot, unix_now};

/// How soon a stop or a lost claim is noticed when no worker says anything.
const TICK: Duration = Duration::from_millis(50);

/// How often the runs of other processes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A worker that has not said that it is ready by then will not.
const START_LIMIT: Duration = Duration::from_secs(120);

/// So many workers in a row that die before their first job end the sweep.
const STARTS_LIMIT: usize = 3;

/// What a slot has.
pub(super) enum Slot {
    Empty,
    Starting(Worker),
    Idle(Worker),
    /// The worker comes first: it is killed before its claim is released.
    Busy(Worker, Task),
}

/// A job in work.
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) claim: Claim,
    pub(super) folder: RunFolder,
    /// Whether the worker has it: one that dies before has died of something else.
    pub(super) arrived: bool,
    pub(super) kills_before: MemoryKills,
}

/// What came of trying to take a job.
enum Taken {
    Task(Box<Task>),
    Elsewhere(Job),
    Settled,
}

/// One sweep in progress.
pub(super) struct Sweep<'a> {
    local: &'a Local,
    pub(super) root: &'a RunsRoot,
    logs: &'a Path,
    pub(super) options: Options,
    pub(super) observer: &'a mut dyn Observer,
    stop: &'a StopFlag,
    events: (Sender<Event>, Receiver<Event>),
    slots: Vec<Slot>,
    pub(super) pending: VecDeque<Job>,
    /// Jobs that other processes hold.
    pub(super) elsewhere: Vec<Job>,
    looked_at: Instant,
    waiting_for: usize,
    pub(super) summary: Summary,
    started_unix: u64,
    pub(super) stopping: bool,
    pub(super) failed_starts: usize,
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
            elsewhere: Vec::new(),
            looked_at: Instant::now(),
            waiting_for: 0,
            summary: Summary::default(),
            started_unix: unix_now(),
            stopping: false,
            failed_starts: 0,
        }
    }

    /// Runs the sorted `jobs`.
    pub(super) fn run(mut self, jobs: Vec<Job>) -> Result<Summary, ExecError> {
        self.triage(jobs)?;
        loop {
            self.heed_stop();
            self.give_up_lost_claims();
            if !self.stopping {
                self.fill_slots()?;
                self.look_elsewhere()?;
            }
            let busy = self.slots.iter().any(|slot| matches!(slot, Slot::Busy(..)));
            let left = !self.stopping && !(self.pending.is_empty() && self.elsewhere.is_empty());
            if !busy && !left {
                break;
            }
            if let Ok(event) = self.events.1.recv_timeout(TICK) {
                self.handle(event)?;
            }
        }
        self.summary.interrupted += self.pending.len() + self.elsewhere.len();
        for slot in self.slots {
            if let Slot::Starting(worker) | Slot::Idle(worker) = slot {
                worker.dismiss();
            }
        }
        Ok(self.summary)
    }

    /// Sets aside what is done, and what failed unless that is tried again.
    fn triage(&mut self, jobs: Vec<Job>) -> Result<(), ExecError> {
        let (total, mut failed_before) = (jobs.len(), 0);
        for job in jobs {
            match job.folder(self.root)?.state()? {
                RunState::Done => self.summary.skipped += 1,
                RunState::Failed(_) => {
                    failed_before += 1;
                    if self.options.retry_failed {
                        self.pending.push_back(job);
                    } else {
                        self.summary.failed += 1;
                    }
                }
                RunState::Missing | RunState::Claimed(_) => self.pending.push_back(job),
            }
        }
        self.observer.started(total, self.summary.skipped, failed_before);
        Ok(())
    }

    fn heed_stop(&mut self) {
        if self.stop.is_set() && !self.stopping {
            self.begin_stop();
        }
        if self.stop.is_urgent() {
            for at in 0..self.slots.len() {
                if let Slot::Busy(worker, task) = std::mem::replace(&mut self.slots[at], Slot::Empty) {
                    drop(worker);
                    self.settle_interrupted(at, task);
                }
            }
        }
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

    /// Gives every idle worker a job, and starts workers as far as there are jobs for them.
    fn fill_slots(&mut self) -> Result<(), ExecError> {
        for at in 0..self.slots.len() {
            let ready = self.slots.iter().filter(|slot| matches!(slot, Slot::Starting(_) | Slot::Idle(_))).count();
            match std::mem::replace(&mut self.slots[at], Slot::Empty) {
                Slot::Empty if ready < self.pending.len() => {
                    let (log, events) = (log_path(self.logs, at), self.events.0.clone());
                    let worker =
                        Worker::start(&self.local.worker, self.local.threads_per_slot.max(1), &log, at, events);
                    self.slots[at] = Slot::Starting(worker.map_err(|error| ExecError::Worker(error.to_string()))?);
                }
                Slot::Starting(worker) if worker.age() > START_LIMIT => {
                    self.failed_start(&worker, "no sign of life")?
                }
                Slot::Idle(worker) => self.slots[at] = self.assign(at, worker)?,
                other @ (Slot::Empty | Slot::Starting(_) | Slot::Busy(..)) => self.slots[at] = other,
            }
        }
        Ok(())
    }

    /// Hands the next job that is free to an idle worker.
    fn assign(&mut self, at: usize, mut worker: Worker) -> Result<Slot, ExecError> {
        while let Some(job) = self.pending.pop_front() {
            match self.take(job, &worker)? {
                Taken::Settled => {}
                Taken::Elsewhere(job) => self.elsewhere.push(job),
                Taken::Task(task) => {
                    let (root, token) = (self.root.path().to_path_buf(), task.claim.token().to_owned());
                    let request = Request::Run { root, token, job: Box::new(task.job.clone()) };
                    if worker.send(&request).is_err() {
                        self.pending.push_front(task.job);
                        return Ok(Slot::Empty);
                    }
                    self.observer.job_started(at, &task.job);
                    return Ok(Slot::Busy(worker, *task));
                }
            }
        }
        Ok(Slot::Idle(worker))
    }

    /// Claims a job, and looks again whether it still needs doing.
    fn take(&mut self, job: Job, worker: &Worker) -> Result<Taken, ExecError> {
        let Some(claim) = self.root.claims(&job.experiment)?.claim(&job.id, &[worker.pid()])? else {
            return Ok(Taken::Elsewhere(job));
        };
        let folder = job.folder(self.root)?.under_claim(claim.token());
        if matches!(folder.record(), Ok(Some(_))) {
            self.settle_elsewhere(&job, &RunState::Done);
            return Ok(Taken::Settled);
        }
        if let Ok(Some(failure)) = folder.failure()
            && !self.may_try_again(&failure)
        {
            self.settle_elsewhere(&job, &RunState::Failed(failure));
            return Ok(Taken::Settled);
        }
        let kills_before = MemoryKills::now();
        Ok(Taken::Task(Box::new(Task { job, claim, folder, arrived: false, kills_before })))
    }

    /// Failures from before this sweep are tried again if that was asked for; those of other
    /// processes meanwhile are not.
    fn may_try_again(&self, failure: &Failure) -> bool {
        self.options.retry_failed && failure.at_unix <= self.started_unix
    }

    fn settle_elsewhere(&mut self, job: &Job, state: &RunState) {
        match state {
            RunState::Failed(_) => self.summary.failed += 1,
            RunState::Done | RunState::Missing | RunState::Claimed(_) => self.summary.skipped += 1,
        }
        self.observer.settled_elsewhere(job, state);
    }

    /// When a slot has nothing to do: are jobs of other processes done, or free because they died?
    fn look_elsewhere(&mut self) -> Result<(), ExecError> {
        let busy = self.slots.iter().filter(|slot| matches!(slot, Slot::Busy(..))).count();
        if !self.pending.is_empty() || busy == self.slots.len() || self.looked_at.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        for job in std::mem::take(&mut self.elsewhere) {
            match job.folder(self.root)?.state()? {
                RunState::Claimed(holder) if holder.alive => self.elsewhere.push(job),
                RunState::Failed(failure) if self.may_try_again(&failure) => self.pending.push_back(job),
                state @ (RunState::Done | RunState::Failed(_)) => self.settle_elsewhere(&job, &state),
                RunState::Missing | RunState::Claimed(_) => self.pending.push_back(job),
            }
        }
        let waiting_for = if busy == 0 && self.pending.is_empty() { self.elsewhere.len() } else { 0 };
        if waiting_for != self.waiting_for && waiting_for > 0 {
            self.observer.waiting_for_others(waiting_for);
        }
        self.waiting_for = waiting_for;
        self.looked_at = Instant::now();
        Ok(())
    }

    fn handle(&mut self, Event { slot: at, pid, reply }: Event) -> Result<(), ExecError> {
        if self.slots[at].pid() != Some(pid) {
            // The last words of a worker that was replaced.
            return Ok(());
        }
        self.slots[at] = match (std::mem::replace(&mut self.slots[at], Slot::Empty), reply) {
            (Slot::Starting(worker), Some(_)) => Slot::Idle(worker),
            (Slot::Starting(mut worker), None) => {
                let end = worker.kill().map_or_else(|error| error.to_string(), death::end);
                self.failed_start(&worker, &end)?;
                Slot::Empty
            }
            (Slot::Idle(worker), Some(_)) => Slot::Idle(worker),
            (Slot::Idle(_) | Slot::Empty, _) => Slot::Empty,
            (Slot::Busy(worker, task), Some(reply)) => self.heed(at, worker, task, reply),
            (Slot::Busy(worker, task), None) => self.bury(at, worker, task)?,
        };
        Ok(())
    }

    pub(super) fn failed_start(&mut self, worker: &Worker, end: &str) -> Result<(), ExecError> {
        self.failed_starts += 1;
        if self.failed_starts < STARTS_LIMIT {
            return Ok(());
        }
        let words = worker.words();
        let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
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
