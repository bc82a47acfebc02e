//! The folder of one run: `runs/<experiment>/<task>/<model>/<id>/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::atomic;
use super::claim::{Claims, Holder};
use super::error::StoreError;
use super::events::{Event, read_events};
use super::pretrain_folder::snapshot_in;
use super::pretrain_log::{PretrainEvent, PretrainLog};
use super::pretrain_record::{PRETRAINING, PretrainRecord};
use super::pretraining::PretrainSettings;
use super::record::{Failure, Record};
use super::root::RunsRoot;
use super::settings::{RunId, RunSettings};
use super::work::{Finished, Work};

/// The settings, written when the run starts.
pub(super) const SETTINGS: &str = "settings.json";
/// Training steps and evaluations, appended as they happen.
pub(super) const METRICS: &str = "metrics.jsonl";
/// What the run had to say, appended over all its attempts.
pub(super) const LOG: &str = "log.txt";
/// The weights, kept for the best run of a task and model.
pub(super) const MODEL: &str = "model";
/// The record, written last.
pub(super) const RECORD: &str = "record.json";
/// Why the run failed; a run with a record has none.
pub(super) const FAILURE: &str = "failure.json";

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
    pub(super) root: RunsRoot,
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

    /// Where the model of a pretraining after `step` is, which is not the last.
    #[must_use]
    pub fn snapshot(&self, step: u64) -> PathBuf {
        snapshot_in(&self.path, step)
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
        if self.is_done() {
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

    /// Whether the run is done. A damaged record counts as none.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.finished(), Ok(Some(_)))
    }

    /// Whether it is a run that pretrains.
    #[must_use]
    pub fn is_pretraining(&self) -> bool {
        self.task == PRETRAINING
    }

    /// The record, if the run is done.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is no record or another run's.
    pub fn finished(&self) -> Result<Option<Finished>, StoreError> {
        if self.is_pretraining() {
            Ok(self.pretrain_record()?.map(Finished::from))
        } else {
            Ok(self.record()?.map(Finished::from))
        }
    }

    /// The record of a run on a task, if it is done; none of a pretraining.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is no record or another run's.
    pub fn record(&self) -> Result<Option<Record>, StoreError> {
        if self.is_pretraining() {
            return Ok(None);
        }
        self.own_record(Record::place)
    }

    /// The record of a pretraining, if it is done; none of a run on a task.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is no record or another run's.
    pub fn pretrain_record(&self) -> Result<Option<PretrainRecord>, StoreError> {
        if !self.is_pretraining() {
            return Ok(None);
        }
        self.own_record(PretrainRecord::place)
    }

    /// The record file, when `place` says that it is of this run.
    fn own_record<T: DeserializeOwned>(&self, place: impl Fn(&T) -> String) -> Result<Option<T>, StoreError> {
        let path = self.path.join(RECORD);
        let Some(record) = read_json::<T>(&path)? else { return Ok(None) };
        match self.foreign(&place(&record)) {
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

    /// The settings of a run on a task, if it was ever started.
    ///
    /// # Errors
    /// When `settings.json` is there and cannot be read.
    pub fn settings(&self) -> Result<Option<RunSettings>, StoreError> {
        Ok(self.work()?.and_then(|work| work.fine_tuning().cloned()))
    }

    /// What the run is to do, if it was ever started.
    ///
    /// # Errors
    /// When `settings.json` is there and cannot be read.
    pub fn work(&self) -> Result<Option<Work>, StoreError> {
        let path = self.path.join(SETTINGS);
        if self.is_pretraining() {
            Ok(read_json::<PretrainSettings>(&path)?.map(Work::from))
        } else {
            Ok(read_json::<RunSettings>(&path)?.map(Work::from))
        }
    }

    /// The log of a pretraining so far.
    ///
    /// # Errors
    /// When `metrics.jsonl` cannot be read.
    pub fn pretrain_events(&self) -> Result<Vec<PretrainEvent>, StoreError> {
        Ok(PretrainLog::events(&self.path.join(METRICS))?)
    }

    /// Training steps and evaluations so far.
    ///
    /// # Errors
    /// When `metrics.jsonl` cannot be read.
    pub fn events(&self) -> Result<Vec<Event>, StoreError> {
        read_events(&self.path.join(METRICS))
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

    /// Whose record it is that says to be of `place`, when not this run's.
    pub(super) fn foreign(&self, place: &str) -> Option<String> {
        let own = [&self.experiment, &self.task, &self.model, &self.id.0].map(String::as_str).join("/");
        (place != own).then(|| format!("it is of {place}"))
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
