//! A sweep on this machine from its first job to its last.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::ExecError;
use super::job::{Job, Options, Summary, sort_longest_first};
use super::local::Local;
use super::observer::Observer;
use super::stop::StopFlag;
use super::sweep::Sweep;
use crate::store::{Process, RunsRoot, machine};

/// The folder in the runs' folder for what workers say on standard error. No experiment's name starts
/// with a dot.
const LOGS: &str = ".workers";

impl Local {
    /// Runs those of `jobs` that have no record, longest first, and returns when each is done, failed
    /// or, after a stop, interrupted. Runs that other processes hold are left to them and waited for.
    ///
    /// # Errors
    /// [`ExecError`]; running workers are ended and their runs stay missing.
    pub fn execute(
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
