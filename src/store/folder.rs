//! The folder of one run: `runs/<experiment>/<task>/<model>/<id>/`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::atomic;
use super::claim::{Claims, Holder};
use super::error::StoreError;
use super::events::{Event, EventLog, read_events};
use super::failure::unix_now;
use super::record::{Failure, Record};
use super::root::RunsRoot;
use super::settings::{RunId, RunSettings};

/// The settings, written when the run starts.
pub const SETTINGS: &str = "settings.json";
/// Training steps and evaluations, appended as they happen.
pub const METRICS: &str = "metrics.jsonl";
/// What the run had to say, appended over all its attempts.
pub const LOG: &str = "log.txt";
/// The weights, kept for the best run of a task and model.
pub const MODEL: &str = "model";
/// The record, written last.
pub const RECORD: &str = "record.json";
/// Why the run failed; a run with a record has none.
pub const FAILURE: &str = "failure.json";

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Not run, or abandoned on the way.
    Missing,
    /// Being run, by a holder that may have died.
    Claimed(Holder),
    /// Its record is there.
    Done,
    /// It failed, and nobody is trying again.
    Failed(Failure),
}

/// One run on disk. Making the value touches nothing.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    experiment: String,
    task: String,
    model: String,
    id: RunId,
    root: RunsRoot,
    claims: Claims,
    token: Option<String>,
}

impl RunFolder {
    pub(super) fn new(root: &RunsRoot, [experiment, task, model]: [&str; 3], id: RunId) -> Result<Self, StoreError> {
        let (claims, root) = (root.claims(experiment)?, root.clone());
        let path = root.models_folder(experiment, task, model)?.join(&id.0);
        let (experiment, task, model) = (experiment.to_owned(), task.to_owned(), model.to_owned());
        Ok(Self { path, experiment, task, model, id, root, claims, token: None })
    }

    /// The same folder for the holder of the claim with this token: every change of the folder first
    /// looks whether the claim still stands, and fails with [`StoreError::ClaimLost`] when not.
    #[must_use]
    pub fn under_claim(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The experiment's name.
    #[must_use]
    pub fn experiment(&self) -> &str {
        &self.experiment
    }

    /// The task's name.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The run's id.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Where the weights are, if they were kept.
    #[must_use]
    pub fn model_folder(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Where the dev predictions of a split are.
    #[must_use]
    pub fn predictions(&self, split: &str) -> PathBuf {
        self.path.join(format!("predictions-{split}.tsv"))
    }

    /// How far the run is. A damaged record counts as none.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn state(&self) -> Result<RunState, StoreError> {
        if matches!(self.record(), Ok(Some(_))) {
            return Ok(RunState::Done);
        }
        let holder = self.claims.holder(&self.id)?;
        if let Some(holder) = &holder
            && holder.alive
        {
            return Ok(RunState::Claimed(holder.clone()));
        }
        match (self.failure(), holder) {
            (Ok(Some(failure)), _) => Ok(RunState::Failed(failure)),
            (_, Some(holder)) => Ok(RunState::Claimed(holder)),
            (_, None) => Ok(RunState::Missing),
        }
    }

    /// The record, if the run is done.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is no record or another run's.
    pub fn record(&self) -> Result<Option<Record>, StoreError> {
        let path = self.path.join(RECORD);
        let Some(record) = read_json::<Record>(&path)? else { return Ok(None) };
        match self.foreign(&record) {
            Some(cause) => Err(StoreError::Damaged { path, cause }),
            None => Ok(Some(record)),
        }
    }

    /// Why the run failed, if it did.
    ///
    /// # Errors
    /// When `failure.json` is there and cannot be read.
    pub fn failure(&self) -> Result<Option<Failure>, StoreError> {
        read_json(&self.path.join(FAILURE))
    }

    /// The settings, if the run was ever started.
    ///
    /// # Errors
    /// When `settings.json` is there and cannot be read.
    pub fn settings(&self) -> Result<Option<RunSettings>, StoreError> {
        read_json(&self.path.join(SETTINGS))
    }

    /// Training steps and evaluations so far.
    ///
    /// # Errors
    /// When `metrics.jsonl` cannot be read.
    pub fn events(&self) -> Result<Vec<Event>, StoreError> {
        read_events(&self.path.join(METRICS))
    }

    /// Starts an attempt: removes what an earlier one left, except the log, and writes the settings.
    ///
    /// # Errors
    /// [`StoreError::AlreadyDone`] when there is a good record; when the disk says no.
    pub fn begin(&self, settings: &RunSettings) -> Result<(), StoreError> {
        if matches!(self.record(), Ok(Some(_))) {
            return Err(StoreError::AlreadyDone(self.id.clone()));
        }
        self.check_claim()?;
        fs::create_dir_all(&self.path).map_err(|error| atomic::about("cannot create", &self.path, &error))?;
        for entry in fs::read_dir(&self.path).map_err(|error| atomic::about("cannot list", &self.path, &error))? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name != LOG) {
                atomic::remove(&path)?;
            }
        }
        atomic::write_json(&self.path.join(SETTINGS), settings)?;
        // The folders on the way down are new as well; without this a power cut could lose them.
        for folder in self.path.ancestors().skip(1).take(4) {
            atomic::sync_folder(folder)?;
        }
        Ok(())
    }

    /// Opens `metrics.jsonl` for appending.
    ///
    /// # Errors
    /// When it cannot be opened, or the claim is lost.
    pub fn event_log(&self) -> Result<EventLog, StoreError> {
        self.check_claim()?;
        Ok(EventLog::open(&self.path.join(METRICS))?)
    }

    /// Appends lines to `log.txt`, each with the time (seconds since 1970-01-01 UTC).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn log(&self, message: &str) -> Result<(), StoreError> {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path.join(LOG))?;
        let now = unix_now();
        let text: String = message.lines().map(|line| format!("[{now}] {line}\n")).collect();
        Ok(file.write_all(text.as_bytes())?)
    }

    /// Writes the dev predictions of a split, a table with a header line.
    ///
    /// # Errors
    /// When the disk says no, or the claim is lost.
    pub fn write_predictions(&self, split: &str, table: &str) -> Result<(), StoreError> {
        self.check_claim()?;
        Ok(atomic::write(&self.predictions(split), table.as_bytes())?)
    }

    /// Whether this run, about to finish with `record`, should write its weights: unless a better run
    /// of its task and model has a record and weights.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn wants_model(&self, record: &Record) -> Result<bool, StoreError> {
        self.root.wants_model(record)
    }

    /// Has `fill` write the weights into an empty folder, and keeps that folder as `model/`. Ask
    /// [`RunFolder::wants_model`] before.
    ///
    /// # Errors
    /// What `fill` says; when the disk says no, or the claim is lost.
    pub fn write_model<E: From<StoreError>>(&self, fill: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
        self.check_claim()?;
        let kept = self.model_folder();
        let staged = atomic::stage_folder(&kept).map_err(StoreError::from)?;
        fill(&staged)?;
        self.check_claim()?;
        Ok(atomic::publish_folder(&staged, &kept).map_err(StoreError::from)?)
    }

    /// Completes the run. Everything else is flushed first; a record that is there is never replaced.
    ///
    /// # Errors
    /// [`StoreError::Unrepresentable`] when a promised number is NaN or infinite or the record is
    /// another run's,
    /// [`StoreError::AlreadyDone`], [`StoreError::ClaimLost`], or when the disk says no.
    pub fn write_record(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.path.join(RECORD);
        if let Some(cause) = self.foreign(record) {
            return Err(StoreError::Unrepresentable { path, cause });
        }
        let bytes = atomic::json(record)?;
        if let Err(error) = serde_json::from_slice::<Record>(&bytes) {
            let line = String::from_utf8_lossy(&bytes).lines().nth(error.line().saturating_sub(1)).map(str::to_owned);
            let cause = format!("not a finite number: {}", line.unwrap_or_default().trim().trim_end_matches(','));
            return Err(StoreError::Unrepresentable { path, cause });
        }
        for name in [METRICS, LOG] {
            match fs::File::open(self.path.join(name)) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        let staged = atomic::stage(&path, &bytes)?;
        self.check_claim()?;
        match staged.publish_new()? {
            Some(_) => Ok(()),
            None => Err(StoreError::AlreadyDone(self.id.clone())),
        }
    }

    /// Writes down why the run failed, and removes weights that it may have left.
    ///
    /// # Errors
    /// [`StoreError::AlreadyDone`] when there is a good record; when the disk says no, or the claim is
    /// lost.
    pub fn write_failure(&self, failure: &Failure) -> Result<(), StoreError> {
        if matches!(self.record(), Ok(Some(_))) {
            return Err(StoreError::AlreadyDone(self.id.clone()));
        }
        self.check_claim()?;
        fs::create_dir_all(&self.path).map_err(|error| atomic::about("cannot create", &self.path, &error))?;
        atomic::remove(&self.model_folder())?;
        Ok(atomic::write_json(&self.path.join(FAILURE), failure)?)
    }

    /// Removes the run with all its files.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when somebody works on it; when the disk says no.
    pub fn remove(&self) -> Result<(), StoreError> {
        let Some(claim) = self.claims.claim(&self.id, &[])? else {
            let by = self.claims.holder(&self.id)?.map_or_else(|| "another process".to_owned(), |holder| holder.by);
            return Err(StoreError::InUse { id: self.id.clone(), by });
        };
        atomic::remove(&self.path)?;
        drop(claim);
        Ok(())
    }

    /// Whose record this is, when not this run's.
    fn foreign(&self, record: &Record) -> Option<String> {
        let Record { id, experiment, settings, .. } = record;
        let found = [experiment, &settings.task, &settings.model, &id.0];
        let own = [&self.experiment, &self.task, &self.model, &self.id.0];
        (found != own).then(|| format!("it is of {}", found.map(String::as_str).join("/")))
    }

    /// Fails when this folder is under a claim that no longer stands.
    ///
    /// # Errors
    /// [`StoreError::ClaimLost`].
    pub fn check_claim(&self) -> Result<(), StoreError> {
        match &self.token {
            Some(token) if !self.claims.is_held_with(&self.id, token) => Err(StoreError::ClaimLost(self.id.clone())),
            _ => Ok(()),
        }
    }
}

/// The JSON file at `path`, or `None` when there is none.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(atomic::about("cannot read", path, &error).into()),
    };
    let damaged = |error: serde_json::Error| StoreError::Damaged { path: path.to_path_buf(), cause: error.to_string() };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}
