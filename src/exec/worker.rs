//! The worker process: takes jobs one by one, trains, and writes their folders.

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};

use super::job::{Job, Report, Unfinished};
use super::panics;
use super::protocol::{Assignment, Reply, Request, send};
use super::stop::StopFlag;
use crate::store::{
    Failure, FailureKind, Record, RunFolder, RunsRoot, StoreError, reset_peak_memory, says_out_of_memory,
};

/// Exit code of a worker whose parent vanished while it was training.
const ORPHANED: i32 = 3;

/// A progress bar is drawn at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Serves the parent at the other end of `input` and `output` (the process's standard streams) until
/// the parent closes `input`. `train` does the work of one job: it writes predictions, events and
/// weights into the folder (which has the settings, and only those), reports how it goes, ends with
/// [`Unfinished::Stopped`] soon after the flag is set, and returns the record, which is then written
/// here. A panic in `train` is caught and becomes a failure.
///
/// When `input` ends while `train` is at work, the parent is dead and the process exits at once.
/// SIGINT, SIGTERM and SIGUSR1 are ignored from here on: terminals and batch systems send them to workers as well, but
/// the parent decides.
///
/// # Errors
/// When the signals cannot be ignored, or `output` is closed.
pub fn serve(
    input: impl BufRead + Send + 'static,
    mut output: impl Write,
    mut train: impl FnMut(&Job, &RunFolder, &mut dyn FnMut(Report), &StopFlag) -> Result<Record, Unfinished>,
) -> io::Result<()> {
    ignore_signals()?;
    panics::install();
    let (stop, busy) = (StopFlag::default(), Arc::new(AtomicBool::new(false)));
    let jobs = listen(input, stop.clone(), Arc::clone(&busy))?;
    send(&mut output, &Reply::Ready)?;
    for assignment in jobs {
        send(&mut output, &Reply::Started)?;
        let reply = attempt(&assignment, &mut output, &mut train, &stop);
        // Before the parent hears of it, for it may have nothing more to say: that is no death.
        busy.store(false, Ordering::Release);
        send(&mut output, &reply)?;
    }
    Ok(())
}

/// From now on SIGINT, SIGTERM and SIGUSR1 are ignored: another process decides.
///
/// # Errors
/// When the system refuses it.
pub fn ignore_signals() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGUSR1] {
        // A handler that sets a flag nobody reads is how to ignore a signal in safe code.
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Reads requests on a thread of its own, so that a stop and the parent's end are heard during a job.
fn listen(
    input: impl BufRead + Send + 'static,
    stop: StopFlag,
    busy: Arc<AtomicBool>,
) -> io::Result<Receiver<Assignment>> {
    let (jobs, received) = channel();
    std::thread::Builder::new().name("requests".to_owned()).spawn(move || {
        forward(input, &stop, &busy, &jobs);
        if busy.load(Ordering::Acquire) {
            std::process::exit(ORPHANED);
        }
    })?;
    Ok(received)
}

/// Returns when the parent is gone or speaks another language.
fn forward(input: impl BufRead, stop: &StopFlag, busy: &AtomicBool, jobs: &Sender<Assignment>) {
    for line in input.lines() {
        let Ok(line) = line else { return };
        match serde_json::from_str(&line) {
            Ok(Request::Stop) => stop.request(),
            Ok(Request::Run(assignment)) => {
                busy.store(true, Ordering::Release);
                if jobs.send(assignment).is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// Does one job, whatever happens in it.
fn attempt(
    Assignment { root, token, job }: &Assignment,
    output: &mut impl Write,
    train: &mut impl FnMut(&Job, &RunFolder, &mut dyn FnMut(Report), &StopFlag) -> Result<Record, Unfinished>,
    stop: &StopFlag,
) -> Reply {
    let root = RunsRoot::new(root);
    let folder = match job.folder(&root) {
        Ok(folder) => folder.under_claim(token),
        Err(error) => return Reply::Failed { failure: Failure::of(&error) },
    };
    if let Err(error) = folder.begin(&job.settings) {
        return after(error, &folder);
    }
    panics::watch(&folder);
    reset_peak_memory();
    let mut report = throttled(output);
    match catch_unwind(AssertUnwindSafe(|| train(job, &folder, &mut report, stop))) {
        Ok(Ok(record)) => match finish(&folder, &record) {
            Ok(()) => Reply::Finished,
            Err(error) => after(error, &folder),
        },
        Ok(Err(Unfinished::Stopped)) => Reply::Stopped,
        Ok(Err(Unfinished::Failed(failure))) => fail(failure, &folder),
        Err(payload) => {
            // Drivers of GPUs panic for want of memory.
            let message = panics::message(&*payload);
            let kind = if says_out_of_memory(&message) { FailureKind::OutOfMemory } else { FailureKind::Panic };
            fail(Failure::now(kind, message), &folder)
        }
    }
}

fn finish(folder: &RunFolder, record: &Record) -> Result<(), StoreError> {
    folder.write_record(record)?;
    if let Err(error) = folder.prune_models() {
        // The run is complete; superfluous weights are removed by the next run or the sweep's end.
        folder.log(&format!("weights that are no longer needed could not be removed: {error}"))?;
    }
    Ok(())
}

/// What to tell the parent when the folder refused something.
fn after(error: StoreError, folder: &RunFolder) -> Reply {
    match error {
        StoreError::AlreadyDone(_) => Reply::Finished,
        StoreError::ClaimLost(_) => Reply::ClaimLost,
        other @ (StoreError::Io(_)
        | StoreError::Name { .. }
        | StoreError::Damaged { .. }
        | StoreError::Misplaced { .. }
        | StoreError::Unrepresentable { .. }
        | StoreError::InUse { .. }) => fail(Failure::of(&other), folder),
    }
}

fn fail(failure: Failure, folder: &RunFolder) -> Reply {
    if failure.is(FailureKind::DiskFull) {
        // The run has not failed, and will be done when there is space.
        return Reply::Failed { failure };
    }
    match folder.write_failure(&failure) {
        Err(StoreError::AlreadyDone(_)) => Reply::Finished,
        Err(StoreError::ClaimLost(_)) => Reply::ClaimLost,
        // The parent hears of it all the same, and tries to write it down again.
        Ok(()) | Err(_) => Reply::Failed { failure },
    }
}

/// Sends progress at most every [`PROGRESS_EVERY`], but every change of phase and everything else.
fn throttled(output: &mut impl Write) -> impl FnMut(Report) {
    let mut last = None;
    move |report| {
        let report = match report {
            Report::Progress(progress) => {
                let recent = |(phase, at): (_, Instant)| phase == progress.phase && at.elapsed() < PROGRESS_EVERY;
                if last.is_some_and(recent) {
                    return;
                }
                last = Some((progress.phase, Instant::now()));
                Report::Progress(progress.finite())
            }
            other @ (Report::Resumed { .. } | Report::Logged(_) | Report::Saved(_) | Report::Note(_)) => other,
        };
        // A parent that cannot hear has closed the other stream too, which ends the process.
        let _ = send(output, &Reply::Report { report });
    }
}
