//! What an attempt at a run writes into its folder: the settings first, the record last.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use super::atomic;
use super::checkpoints::{CHECKPOINTS, Checkpoints};
use super::error::StoreError;
use super::events::EventLog;
use super::failure::unix_now;
use super::folder::{FAILURE, LOG, METRICS, RECORD, RunFolder, SETTINGS, SNAPSHOTS};
use super::record::{Failure, Record};
use super::settings::RunSettings;

impl RunFolder {
    /// Starts an attempt: removes what an earlier one left, except the log and what it can go on from, and writes the
    /// settings.
    ///
    /// # Errors
    /// [`StoreError::AlreadyDone`] when there is a good record; when the disk says no.
    pub fn begin(&self, settings: &RunSettings) -> Result<(), StoreError> {
        if self.is_done() {
            return Err(StoreError::AlreadyDone(self.id().clone()));
        }
        self.check_claim()?;
        fs::create_dir_all(self.path()).map_err(|error| atomic::about("cannot create", self.path(), &error))?;
        for entry in fs::read_dir(self.path()).map_err(|error| atomic::about("cannot list", self.path(), &error))? {
            let path = entry?.path();
            if path
                .file_name()
                .is_some_and(|name| ![LOG, METRICS, CHECKPOINTS, SNAPSHOTS].iter().any(|kept| name == *kept))
            {
                atomic::remove(&path)?;
            }
        }
        // Not flushed: nothing counts before the record or the failure, which flush everything first.
        Ok(atomic::write_unflushed(&self.path().join(SETTINGS), &atomic::json(settings)?)?)
    }

    /// Opens `metrics.jsonl` for appending.
    ///
    /// # Errors
    /// When it cannot be opened, or the claim is lost.
    pub fn event_log(&self) -> Result<EventLog, StoreError> {
        self.check_claim()?;
        Ok(EventLog::open(&self.path().join(METRICS))?)
    }

    /// As [`RunFolder::event_log`], after what an earlier attempt told of later steps than `step`, which are taken
    /// again, was removed.
    ///
    /// # Errors
    /// When it cannot be read or written, or the claim is lost.
    pub fn event_log_after(&self, step: u64) -> Result<EventLog, StoreError> {
        self.check_claim()?;
        Ok(EventLog::open_after(&self.path().join(METRICS), step)?)
    }

    /// Its checkpoints, of which the last `keep` stay.
    #[must_use]
    pub fn checkpoints(&self, keep: usize) -> Checkpoints {
        Checkpoints::new(&self.path().join(CHECKPOINTS), self.id().clone(), keep)
    }

    /// Removes the checkpoints, for a run that is trained.
    ///
    /// # Errors
    /// When the disk says no, or the claim is lost.
    pub fn remove_checkpoints(&self) -> Result<(), StoreError> {
        self.check_claim()?;
        let checkpoints = self.path().join(CHECKPOINTS);
        if checkpoints.exists() { Ok(atomic::remove(&checkpoints)?) } else { Ok(()) }
    }

    /// Appends lines to `log.txt`, each with the time (seconds since 1970-01-01 UTC).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn log(&self, message: &str) -> Result<(), StoreError> {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path().join(LOG))?;
        let (now, mut text) = (unix_now(), Vec::new());
        for line in message.lines() {
            writeln!(text, "[{now}] {line}")?;
        }
        Ok(file.write_all(&text)?)
    }

    /// Writes a file of predictions called `name`, such as `predictions-dev.tsv`.
    ///
    /// # Errors
    /// When the disk says no, or the claim is lost.
    pub fn write_predictions(&self, name: &str, content: &str) -> Result<(), StoreError> {
        self.check_claim()?;
        // Not flushed, as the settings.
        Ok(atomic::write_unflushed(&self.path().join(name), content.as_bytes())?)
    }

    /// Has `fill` write the weights into an empty folder, and keeps that folder as `model/`. Ask
    /// [`RunFolder::wants_model`] before.
    ///
    /// # Errors
    /// What `fill` says; when the disk says no, or the claim is lost.
    pub fn write_model<E: From<StoreError>>(&self, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        self.publish(&self.model_folder(), fill)
    }

    /// As [`RunFolder::write_model`], of a pretraining after `step`, which is not the last.
    ///
    /// # Errors
    /// As [`RunFolder::write_model`].
    pub fn write_snapshot<E: From<StoreError>>(
        &self,
        step: u64,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check_claim()?;
        let folder = self.path().join(SNAPSHOTS);
        let named = |error| StoreError::from(atomic::about("cannot create", &folder, &error));
        fs::create_dir_all(&folder).map_err(named)?;
        atomic::clean(&folder).map_err(StoreError::from)?;
        self.publish(&self.snapshot(step), fill)
    }

    fn publish<E: From<StoreError>>(&self, path: &Path, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        self.check_claim()?;
        let staged = atomic::stage_folder(path).map_err(StoreError::from)?;
        fill(&staged)?;
        self.check_claim()?;
        Ok(atomic::publish_folder(&staged, path).map_err(StoreError::from)?)
    }

    /// Completes the run. Everything else is flushed first; a record that is there is never replaced.
    ///
    /// # Errors
    /// [`StoreError::Unrepresentable`] when a promised number is NaN or infinite or the record is
    /// another run's,
    /// [`StoreError::AlreadyDone`], [`StoreError::ClaimLost`], or when the disk says no.
    pub fn write_record(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.path().join(RECORD);
        if let Some(cause) = self.foreign(&record.place()) {
            return Err(StoreError::Unrepresentable { path, cause });
        }
        let bytes = atomic::json(record)?;
        if let Err(error) = serde_json::from_slice::<Record>(&bytes) {
            let line = String::from_utf8_lossy(&bytes).lines().nth(error.line().saturating_sub(1)).map(str::to_owned);
            let cause = format!("not a finite number: {}", line.unwrap_or_default().trim().trim_end_matches(','));
            return Err(StoreError::Unrepresentable { path, cause });
        }
        self.flush()?;
        let staged = atomic::stage(&path, &bytes)?;
        self.check_claim()?;
        if staged.publish_new()? { Ok(()) } else { Err(StoreError::AlreadyDone(self.id().clone())) }
    }

    /// Flushes what was written without: all files of the run but `model/`, which was flushed when it was
    /// published, and its folders, which may be new: RUNS/EXPERIMENT/TASK/MODEL/ID.
    fn flush(&self) -> Result<(), StoreError> {
        let folders: Vec<&Path> = self.path().ancestors().take(5).map(atomic::parent).collect();
        Ok(atomic::sync_files_and(self.path(), &folders)?)
    }

    /// Writes down why the run failed, and removes weights that it may have left.
    ///
    /// # Errors
    /// [`StoreError::AlreadyDone`] when there is a good record; when the disk says no, or the claim is
    /// lost.
    pub fn write_failure(&self, failure: &Failure) -> Result<(), StoreError> {
        if self.is_done() {
            return Err(StoreError::AlreadyDone(self.id().clone()));
        }
        self.check_claim()?;
        fs::create_dir_all(self.path()).map_err(|error| atomic::about("cannot create", self.path(), &error))?;
        atomic::remove(&self.model_folder())?;
        self.flush()?;
        Ok(atomic::write_json(&self.path().join(FAILURE), failure)?)
    }
}
