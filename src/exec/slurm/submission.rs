//! What was sent to Slurm: `runs/EXPERIMENT/.slurm/N/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::array::Array;
use crate::store::{RunId, RunsRoot, StoreError, atomic};

/// The folder in an experiment's folder for what was sent to Slurm. No task's name starts with a dot.
const FOLDER: &str = ".slurm";

/// A job array that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its number among Slurm's jobs.
    pub job: String,
    /// The runs of each array task, from task 1.
    pub tasks: Vec<Vec<RunId>>,
    /// Its files without their extension: `runs/EXPERIMENT/.slurm/N/runs-1`.
    pub files: PathBuf,
}

/// The folder of an experiment's next submission, which [`create`] makes.
///
/// # Errors
/// When the experiment's folder cannot be listed.
pub fn next_folder(root: &RunsRoot, experiment: &str) -> Result<PathBuf, StoreError> {
    let folder = root.experiment(experiment)?.join(FOLDER);
    let last = numbers(&folder)?.last().copied().unwrap_or(0);
    Ok(folder.join((last + 1).to_string()))
}

/// Makes a submission's folder, with copies of the experiment files.
///
/// # Errors
/// When the folder is there already (another process sends the same experiment now), or the disk says no.
pub fn create(folder: &Path, experiment_files: &[PathBuf]) -> io::Result<()> {
    fs::create_dir_all(atomic::parent(folder))?;
    fs::create_dir(folder)?;
    for file in experiment_files {
        if let Some(name) = file.file_name() {
            atomic::write(&folder.join(name), &fs::read(file)?)?;
        }
    }
    Ok(())
}

/// The job arrays of an experiment that were sent, the oldest first.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn submissions(root: &RunsRoot, experiment: &str) -> Result<Vec<Submission>, StoreError> {
    let folder = root.experiment(experiment)?.join(FOLDER);
    let mut found = Vec::new();
    for number in numbers(&folder)? {
        let mut jobs: Vec<PathBuf> = fs::read_dir(folder.join(number.to_string()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        jobs.retain(|path| path.extension().is_some_and(|extension| extension == "job"));
        jobs.sort();
        for job in jobs {
            let tasks = Array::tasks_of(&fs::read_to_string(job.with_extension("txt"))?);
            let number = fs::read_to_string(&job)?.trim().to_owned();
            found.push(Submission { job: number, tasks, files: job.with_extension("") });
        }
    }
    Ok(found)
}

/// The numbers of the submissions, ascending.
fn numbers(folder: &Path) -> io::Result<Vec<u32>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
