//! What an attempt at a run writes into its folder: the settings first, the record last.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::atomic;
use super::checkpoints::{CHECKPOINTS, Checkpoints};
use super::error::StoreError;
use super::events::EventLog;
use super::failure::unix_now;
use super::flush;
use super::folder::{FAILURE, LOG, METRICS, RECORD, RunFolder, SETTINGS, SNAPSHOTS};
use super::record::{Failure, Record};
use super::sealed;
use super::settings::RunSettings;

/// The beginning of the names of folders where damaged records are kept.
pub(super) const ASIDE: &str = "damaged-";

/// Whether a name in a run's folder is that of a record kept aside.
pub(super) fn is_aside(name: &str) -> bool {
    name.starts_with(ASIDE)
}

impl RunFolder {
    /// Starts an attempt: keeps a damaged record aside, removes what an earlier attempt left, except the log and what it
    /// can go on from, and writes the settings.
    ///
    /// # Errors
    /// [`StoreError::AlreadyDone`] when there is a good record; when the disk says no.
    pub fn begin(&self, settings: &RunSettings) -> Result<(), StoreError> {
        if self.is_done() {
            return Err(StoreError::AlreadyDone(self.id().clone()));
        }
        self.set_aside()?;
        self.check_claim()?;
        fs::create_dir_all(self.path()).map_err(|error| atomic::about("cannot create", self.path(), &error))?;
        for (name, path) in self.entries()? {
            let kept = match name.as_str() {
                LOG | METRICS => path.is_file(),
                CHECKPOINTS | SNAPSHOTS => path.is_dir(),
                _ => is_aside(&name),
            };
            if !kept {
                atomic::remove(&path)?;
            }
        }
        // Not flushed: nothing counts before the record or the failure, which flush everything first.
        Ok(atomic::write_unflushed(&self.path().join(SETTINGS), &sealed::to_bytes(settings)?)?)
    }

    /// Moves a record that is damaged or another run's, and what belongs to it, to a folder `damaged-1`, `damaged-2`, …
    /// in the run's, and gives that folder. `None` when there is no such record.
    ///
    /// # Errors
    /// When the disk says no, or the claim is lost.
    pub fn set_aside(&self) -> Result<Option<PathBuf>, StoreError> {
        match self.record() {
            Ok(_) => return Ok(None),
            Err(error) if error.is_damage() => {}
            Err(error) => return Err(error),
        }
        self.keep_aside().map(Some)
    }

    /// Moves the record, whatever it says, and what belongs to it, as [`RunFolder::set_aside`] does.
    ///
    /// # Errors
    /// When the disk says no, or the claim is lost.
    pub fn keep_aside(&self) -> Result<PathBuf, StoreError> {
        self.check_claim()?;
        let named = |path: &Path, error| StoreError::from(atomic::about("cannot keep aside", path, &error));
        let mut aside =
            (1..).map(|number| self.path().join(format!("{ASIDE}{number}"))).skip_while(|path| path.exists());
        let aside = aside.next().unwrap_or_else(|| self.path().join(ASIDE));
        fs::create_dir(&aside).map_err(|error| named(&aside, error))?;
        // The record last: whoever dies on the way leaves it for the next.
        let moved = |name: &str| name != LOG && name != RECORD && !name.starts_with('.') && !is_aside(name);
        let others = self.entries()?.into_iter().map(|(name, _)| name).filter(|name| moved(name));
        for name in others.chain([RECORD.to_owned()]) {
            let from = self.path().join(&name);
            fs::rename(&from, aside.join(&name)).map_err(|error| named(&from, error))?;
        }
        Ok(aside)
    }

    /// What is in the folder: names and paths. Names that are not text were not made by this program.
    fn entries(&self) -> Result<Vec<(String, PathBuf)>, StoreError> {
        let named = |error| StoreError::from(atomic::about("cannot list", self.path(), &error));
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.path()).map_err(named)? {
            let entry = entry.map_err(named)?;
            entries.extend(entry.file_name().into_string().ok().map(|name| (name, entry.path())));
        }
        Ok(entries)
    }

    /// Opens `metrics.jsonl` for appending, after what an earlier attempt told of later steps than `step`, which are taken
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
        if let Err(error) = fill(&staged).and_then(|()| Ok(self.check_claim()?)) {
            // The error says more than a left-over that cannot be removed, which the next `clean` finds.
            let _ = fs::remove_dir_all(&staged);
            return Err(error);
        }
        Ok(atomic::publish_folder(&staged, path).map_err(StoreError::from)?)
    }

    /// Completes the run: writes `record` with the checksums of all that the run left. Everything else is flushed first;
    /// a record that is there is never replaced.
    ///
    /// # Errors
    /// [`StoreError::Unrepresentable`] when a promised number is NaN or infinite or the record is
    /// another run's,
    /// [`StoreError::AlreadyDone`], [`StoreError::ClaimLost`], or when the disk says no.
    pub fn write_record(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.path().join(RECORD);
        let of = record.place();
        if of != self.place() {
            return Err(StoreError::Unrepresentable { path, cause: format!("it is of {of}") });
        }
        let bytes = sealed::to_bytes(&Record { files: self.side_files()?, ..record.clone() })?;
        if let Err(error) = serde_json::from_slice::<Record>(&bytes) {
            let line = String::from_utf8_lossy(&bytes).lines().nth(error.line().saturating_sub(1)).map(str::to_owned);
            let cause = format!("not a finite number: {}", line.unwrap_or_default().trim().trim_end_matches(','));
            return Err(StoreError::Unrepresentable { path, cause });
        }
        self.flush()?;
        let staged = atomic::stage(&path, &bytes)?;
        self.check_claim()?;
        if atomic::publish_new(staged, &path)? { Ok(()) } else { Err(StoreError::AlreadyDone(self.id().clone())) }
    }

    /// Flushes what was written without: all files of the run but `model/`, which was flushed when it was
    /// published, and its folders, which may be new: RUNS/EXPERIMENT/TASK/MODEL/ID.
    fn flush(&self) -> Result<(), StoreError> {
        let folders: Vec<&Path> = self.path().ancestors().take(5).map(atomic::parent).collect();
        Ok(flush::sync_files_and(self.path(), &folders)?)
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
        Ok(sealed::write_sealed(&self.path().join(FAILURE), failure)?)
    }
}
