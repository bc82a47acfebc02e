//! Slurm's programs.

use std::io;
use std::path::Path;
use std::process::Command;

use super::array::Array;
use crate::diagnostic::{Diagnostic, Error};
use crate::store::{StoreError, atomic};

/// `MaxArraySize` where `slurm.conf` has none (slurm.conf(5)).
const DEFAULT_MAX_ARRAY_SIZE: usize = 1001;

/// What went wrong with Slurm.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// Slurm is not on this machine.
    #[error("there is no `{0}` on this machine")]
    NotFound(&'static str),
    /// It said no.
    #[error("`{program}`: {said}")]
    Refused {
        /// The program.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// The folder of runs cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for SlurmError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<SlurmError> for Error {
    fn from(error: SlurmError) -> Self {
        let found = Diagnostic::new(error.to_string());
        match error {
            SlurmError::NotFound(_) => found
                .hint("Slurm's programs are on the login node of a cluster; `bertbench run` needs none of them")
                .into(),
            SlurmError::Refused { .. } => found.into(),
            SlurmError::Store(error) => error.into(),
        }
    }
}

/// What a program of Slurm prints.
pub(super) fn output(program: &'static str, arguments: &[&str]) -> Result<String, SlurmError> {
    let done = Command::new(program).args(arguments).output().map_err(|error| {
        let is_missing = error.kind() == io::ErrorKind::NotFound;
        if is_missing { SlurmError::NotFound(program) } else { error.into() }
    })?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let said = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    Err(SlurmError::Refused { program, said: if said.is_empty() { done.status.to_string() } else { said } })
}

/// The most tasks of an array, which are numbered from 1: `MaxArraySize` is one more than the largest number.
///
/// # Errors
/// When Slurm does not answer; where it is not installed, its default counts.
pub fn largest_array() -> Result<usize, SlurmError> {
    let config = match output("scontrol", &["show", "config"]) {
        Err(SlurmError::NotFound(_)) => String::new(),
        other => other?,
    };
    Ok(max_array_size(&config).unwrap_or(DEFAULT_MAX_ARRAY_SIZE).saturating_sub(1).max(1))
}

fn max_array_size(config: &str) -> Option<usize> {
    let (_, value) =
        config.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "MaxArraySize")?;
    value.trim().parse().ok()
}

/// Writes the list of runs and the batch script of an array into a submission's folder, and hands it to `sbatch`. Gives
/// the number of the job.
///
/// # Errors
/// When Slurm is not there or says no, or the disk does; what was written stays, for a look.
pub fn submit(folder: &Path, array: &Array, script: &str) -> Result<String, SlurmError> {
    let file = |extension: &str| folder.join(format!("{}.{extension}", array.name));
    let batch = file("sh");
    atomic::write(&file("txt"), array.list().as_bytes())?;
    atomic::write(&batch, script.as_bytes())?;
    let answer = output("sbatch", &["--parsable", &batch.display().to_string()])?;
    // On several clusters, `17;cluster`.
    let job = answer.trim().split(';').next().unwrap_or_default().to_owned();
    if job.is_empty() || !job.chars().all(|c| c.is_ascii_digit()) {
        return Err(SlurmError::Refused { program: "sbatch", said: format!("this is not a job's number: {answer:?}") });
    }
    atomic::write(&file("job"), format!("{job}\n").as_bytes())?;
    Ok(job)
}

/// Cancels jobs.
///
/// # Errors
/// When Slurm is not there or says no.
pub fn cancel(jobs: &[String]) -> Result<(), SlurmError> {
    output("scancel", &jobs.iter().map(String::as_str).collect::<Vec<_>>()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_arrays_is_found_in_the_configuration() {
        let config = "MaxArrayTasks           = 5\nMaxArraySize            = 17\nMaxBatchRequeue = 5\n";
        assert_eq!(max_array_size(config), Some(17));
        assert_eq!(max_array_size("Configuration data as of today\n"), None);
    }
}
