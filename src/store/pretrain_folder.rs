//! The folder of a pretraining run: settings, log, checkpoints, and at the end the model.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::atomic;
use super::checkpoints::{CHECKPOINTS, Checkpoints};
use super::error::StoreError;
use super::folder::RunFolder;
use super::pretrain_log::{PretrainEvent, PretrainLog};
use super::pretraining::PretrainSettings;
use super::settings::RunId;
use crate::diagnostic::Diagnostic;

const SETTINGS: &str = "settings.json";
const METRICS: &str = "metrics.jsonl";
const MODEL: &str = "model";
/// Models after steps before the last one: `snapshots/step-0000500/`.
pub(super) const SNAPSHOTS: &str = "snapshots";
/// Held by the process at work; the system lets go of it when the process ends, however it ends.
const LOCK: &str = "lock";

/// An open folder, which no other process works in meanwhile.
#[derive(Debug)]
pub struct PretrainFolder {
    path: PathBuf,
    run: RunId,
    held: Held,
}

/// What keeps other processes out.
#[derive(Debug)]
enum Held {
    /// The lock of a folder of its own; it falls with the file.
    Lock(#[expect(dead_code, reason = "held, not read")] File),
    /// The claim of a run of an experiment.
    Claim(Box<RunFolder>),
}

/// Why a folder cannot be worked in.
#[derive(Debug, thiserror::Error)]
pub enum PretrainFolderError {
    /// It is not this run's.
    #[error(transparent)]
    Input(#[from] Diagnostic),
    /// The disk said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for PretrainFolderError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl PretrainFolder {
    /// Opens the folder at `path` for the run of `settings`, and makes it when it is not there.
    ///
    /// # Errors
    /// When it is another run's, holds something else, or a process is at work in it.
    pub fn open(path: &Path, settings: &PretrainSettings) -> Result<Self, PretrainFolderError> {
        fs::create_dir_all(path).map_err(|error| atomic::about("cannot create", path, &error))?;
        let is_new = is_new(path)?;
        let lock = lock(path)?;
        atomic::clean(path)?;
        let written = path.join(SETTINGS);
        if !is_new {
            same_run(&written, settings)?;
        }
        atomic::write_json(&written, settings)?;
        Ok(Self { path: path.to_path_buf(), run: settings.id(), held: Held::Lock(lock) })
    }

    /// The folder of a run of an experiment, which was begun and is under a claim.
    ///
    /// # Errors
    /// When the disk says no, or the claim is lost.
    pub fn of_run(folder: &RunFolder) -> Result<Self, StoreError> {
        folder.check_claim()?;
        atomic::clean(folder.path())?;
        Ok(Self {
            path: folder.path().to_path_buf(),
            run: folder.id().clone(),
            held: Held::Claim(Box::new(folder.clone())),
        })
    }

    /// Fails when the folder is no longer this process's.
    ///
    /// # Errors
    /// [`StoreError::ClaimLost`].
    pub fn check(&self) -> Result<(), StoreError> {
        match &self.held {
            Held::Lock(_) => Ok(()),
            Held::Claim(folder) => folder.check_claim(),
        }
    }

    /// Its checkpoints, of which the last `keep` stay.
    #[must_use]
    pub fn checkpoints(&self, keep: usize) -> Checkpoints {
        Checkpoints::new(&self.path.join(CHECKPOINTS), self.run.clone(), keep)
    }

    /// The log, to go on after `step` steps.
    ///
    /// # Errors
    /// As [`PretrainLog::open`].
    pub fn log(&self, step: u64) -> io::Result<PretrainLog> {
        PretrainLog::open(&self.path.join(METRICS), step)
    }

    /// The step of the last evaluation that the log tells of.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn last_evaluated(&self) -> io::Result<Option<u64>> {
        let events = PretrainLog::events(&self.path.join(METRICS))?;
        Ok(events.iter().rev().find(|event| matches!(event, PretrainEvent::Evaluation(_))).map(PretrainEvent::step))
    }

    /// Where the model is: there when the run is done.
    #[must_use]
    pub fn model(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Where the model after `step` is, which is not the last.
    #[must_use]
    pub fn snapshot(&self, step: u64) -> PathBuf {
        snapshot_in(&self.path, step)
    }

    /// Writes the model after `step`, as [`PretrainFolder::write_model`] does the last one.
    ///
    /// # Errors
    /// As `write`, and when the disk says no.
    pub fn write_snapshot<E: From<StoreError>>(
        &self,
        step: u64,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check()?;
        let place = self.snapshot(step);
        let folder = self.path.join(SNAPSHOTS);
        fs::create_dir_all(&folder)
            .map_err(|error| StoreError::from(atomic::about("cannot create", &folder, &error)))?;
        atomic::clean(&folder).map_err(StoreError::from)?;
        publish(&place, write)
    }

    /// Writes the model: `write` fills an empty folder, which is flushed and put in its place.
    ///
    /// # Errors
    /// As `write`, and when the disk says no.
    pub fn write_model<E: From<StoreError>>(&self, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        self.check()?;
        publish(&self.model(), write)
    }
}

/// Where the model of a pretraining run at `path` after `step` is.
pub(super) fn snapshot_in(path: &Path, step: u64) -> PathBuf {
    path.join(SNAPSHOTS).join(format!("step-{step:07}"))
}

fn publish<E: From<StoreError>>(place: &Path, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let staged = atomic::stage_folder(place).map_err(StoreError::from)?;
    write(&staged)?;
    atomic::publish_folder(&staged, place).map_err(|error| StoreError::from(error).into())
}

/// Whether nothing of a run is there yet.
fn is_new(path: &Path) -> Result<bool, PretrainFolderError> {
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

fn lock(path: &Path) -> Result<File, PretrainFolderError> {
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
const DECIDES_NOTHING: [&str; 4] = ["evaluation", "gradient_checkpointing", "saving", "logging_steps"];

/// Refuses settings that give other weights than those the run was started with.
fn same_run(written: &Path, settings: &PretrainSettings) -> Result<(), PretrainFolderError> {
    let bytes = fs::read(written).map_err(|error| atomic::about("cannot read", written, &error))?;
    let before: PretrainSettings = serde_json::from_slice(&bytes)
        .map_err(|error| Diagnostic::new(format!("not the settings of a pretraining run: {error}")).in_file(written))?;
    if before.id() == settings.id() {
        return Ok(());
    }
    let [now, then] = [settings, &before].map(|settings| serde_json::to_value(settings).unwrap_or_default());
    let other: Vec<String> = now
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, value)| then.get(key) != Some(value) && !DECIDES_NOTHING.contains(&key.as_str()))
        .map(|(key, value)| format!("`{key}` is {value} and was {}", then.get(key).unwrap_or_default()))
        .collect();
    Err(Diagnostic::new(format!("the folder holds a run with other settings: {}", other.join("; ")))
        .in_file(written)
        .hint("use the same settings to resume it, or another folder")
        .into())
}
