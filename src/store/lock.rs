//! A run in a folder of its own, outside of the runs of experiments: a lock of the system takes the place of a claim.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::atomic;
use super::diff::diff;
use super::error::StoreError;
use super::folder::{RunFolder, SETTINGS};
use super::settings::RunSettings;
use crate::diagnostic::Diagnostic;

/// Held by the process at work; the system lets go of it when the process ends, however it ends.
const LOCK: &str = "lock";

/// Why a folder cannot be worked in.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not this run's.
    #[error(transparent)]
    Input(#[from] Diagnostic),
    /// The disk said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for FolderError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl RunFolder {
    /// Opens the folder at `path` for a run of `settings`, and makes it when it is not there. No other process works in
    /// it until the value is dropped.
    ///
    /// # Errors
    /// When it is another run's, holds something else, or a process is at work in it.
    pub fn standing_alone(path: &Path, experiment: &str, settings: &RunSettings) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|error| atomic::about("cannot create", path, &error))?;
        let is_new = is_new(path)?;
        let lock = lock(path)?;
        atomic::clean(path)?;
        let written = path.join(SETTINGS);
        if !is_new {
            same_run(&written, settings)?;
        }
        atomic::write_json(&written, settings)?;
        Ok(Self::locked(path, experiment, settings, lock))
    }
}

/// Whether nothing of a run is there yet.
fn is_new(path: &Path) -> Result<bool, FolderError> {
    if path.join(SETTINGS).exists() {
        return Ok(false);
    }
    for entry in fs::read_dir(path).map_err(|error| atomic::about("cannot list", path, &error))? {
        let entry = entry?;
        if entry.file_name() != LOCK && !atomic::is_temporary(&entry.path()) {
            return Err(Diagnostic::new("the folder is not empty, and not that of a pretraining run")
                .in_file(path)
                .hint("name a folder that does not exist yet")
                .into());
        }
    }
    Ok(true)
}

fn lock(path: &Path) -> Result<File, FolderError> {
    let place = path.join(LOCK);
    let named = |error: io::Error| atomic::about("cannot lock", &place, &error);
    let file = File::options().create(true).truncate(false).write(true).open(&place).map_err(named)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Diagnostic::new("another process is working on this run")
            .in_file(path)
            .hint("wait for it, or name another folder")
            .into()),
        Err(TryLockError::Error(error)) => Err(named(error).into()),
    }
}

/// Settings that may change from one process to the next.
const DECIDES_NOTHING: [&str; 5] = [
    "optimization.gradient_checkpointing",
    "objective.pretraining.evaluation",
    "objective.pretraining.masking",
    "objective.pretraining.saving",
    "objective.pretraining.logging_steps",
];

/// Refuses settings that give other weights than those the run was started with.
fn same_run(written: &Path, settings: &RunSettings) -> Result<(), FolderError> {
    let bytes = fs::read(written).map_err(|error| atomic::about("cannot read", written, &error))?;
    let before: RunSettings = serde_json::from_slice(&bytes)
        .map_err(|error| Diagnostic::new(format!("not the settings of a pretraining run: {error}")).in_file(written))?;
    if before.id() == settings.id() {
        return Ok(());
    }
    let other: Vec<String> = diff(settings, &before)
        .into_iter()
        .filter(|(key, ..)| !DECIDES_NOTHING.iter().any(|free| key.starts_with(free)))
        .map(|(key, now, then)| format!("`{key}` is {now} and was {then}"))
        .collect();
    Err(Diagnostic::new(format!("the folder holds a run with other settings: {}", other.join("; ")))
        .in_file(written)
        .hint("use the same settings to resume it, or another folder")
        .into())
}
