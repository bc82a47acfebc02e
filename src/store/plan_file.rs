//! `plan.json` beside an experiment's runs: what was planned, for reports made where the data is not.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{RunsRoot, StoreError, atomic};

fn path(root: &RunsRoot, experiment: &str) -> Result<PathBuf, StoreError> {
    Ok(root.experiment(experiment)?.join("plan.json"))
}

/// Writes the settings of a whole plan, whatever part of it is about to run; nothing when they are there already.
///
/// # Errors
/// A disk that cannot be written.
pub fn write_plan<S: Serialize>(root: &RunsRoot, experiment: &str, planned: &[S]) -> Result<(), StoreError> {
    put(&path(root, experiment)?, &planned)
}

fn put(path: &Path, planned: &impl Serialize) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bytes = atomic::json(planned)?;
    if std::fs::read(path).is_ok_and(|written| written == bytes) {
        return Ok(());
    }
    Ok(atomic::write(path, &bytes)?)
}

/// The plan as it was when the experiment was last run; empty when it is not known.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn read_plan<S: DeserializeOwned>(root: &RunsRoot, experiment: &str) -> Result<Vec<S>, StoreError> {
    let path = path(root, experiment)?;
    match std::fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| StoreError::Damaged { path, cause: error.to_string() })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(std::io::Error::other(format!("{}: {error}", path.display())).into()),
    }
}
