//! Worker processes on this machine.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ExecError;
use super::job::{Job, Options, Summary, sort_longest_first};
use super::observer::Observer;
use super::stop::StopFlag;
use super::sweep::Sweep;
use crate::store::{Process, RunsRoot, machine};

/// The folder in the runs' folder for what workers say on standard error. No experiment's name starts
/// with a dot.
const LOGS: &str = ".workers";

/// So many worker processes on this machine, each doing one run at a time.
#[derive(Clone, Debug)]
pub struct Local {
    /// Runs at the same time; 0 counts as 1.
    pub slots: usize,
    /// Threads of each (`RAYON_NUM_THREADS`); 0 counts as 1.
    pub threads_per_slot: usize,
    /// The program that calls [`serve`](super::worker::serve).
    pub worker: WorkerCommand,
    /// Whether the worker computes together with processes on which this one has no influence (ranks of MPI): there is
    /// one for the whole sweep, from its start to its end, and its death ends the sweep.
    pub leads_ranks: bool,
}

/// How to start a worker process.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables added to its environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl WorkerCommand {
    /// This program with other arguments.
    ///
    /// # Errors
    /// When the system does not say which program this is.
    pub fn this_program(arguments: &[&str]) -> io::Result<Self> {
        let arguments = arguments.iter().map(OsString::from).collect();
        Ok(Self { program: std::env::current_exe()?, arguments, environment: Vec::new() })
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Local {
    /// See [`Executor::execute`](super::Executor::execute).
    pub(super) fn execute(
        &self,
        root: &RunsRoot,
        mut jobs: Vec<Job>,
        options: Options,
        observer: &mut dyn Observer,
        stop: &StopFlag,
    ) -> Result<Summary, ExecError> {
        sort_longest_first(&mut jobs);
        let experiments: BTreeSet<String> = jobs.iter().map(|job| job.experiment.clone()).collect();
        for experiment in &experiments {
            root.clean(experiment)?;
        }
        let logs = root.path().join(LOGS);
        fs::create_dir_all(&logs)?;
        clean_logs(&logs)?;
        let summary = Sweep::new(self, root, &logs, options, observer, stop).run(jobs)?;
        for experiment in &experiments {
            root.clean(experiment)?;
        }
        clean_logs(&logs)?;
        observer.finished(&summary);
        Ok(summary)
    }
}

/// The log of a slot's workers: `<machine>-<process>-<its start>-<slot>.log`.
pub(super) fn log_path(logs: &Path, slot: usize) -> PathBuf {
    let Process { pid, started_unix } = Process::current();
    logs.join(format!("{}-{pid}-{started_unix}-{slot}.log", machine()))
}

/// Removes the logs of processes that were killed.
fn clean_logs(logs: &Path) -> io::Result<()> {
    for entry in fs::read_dir(logs)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let mut parts = name.split('-');
        let of_here = parts.next() == Some(machine());
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
        if let (true, Some(pid), Some(started_unix)) = (of_here, number(), number())
            && !u32::try_from(pid).is_ok_and(|pid| Process { pid, started_unix }.is_alive())
        {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}
