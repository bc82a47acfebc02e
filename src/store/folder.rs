//! The folder of one run: `runs/<experiment>/<task>/<model>/<id>/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::atomic;
use super::claim::{Claims, Holder};
use super::error::StoreError;
use super::events::{Event, parse_events};
use super::present::{self, subfolders};
use super::record::{Failure, Record};
use super::run_id::RunId;
use super::run_state::RunState;
use super::sealed;
use super::settings::{PRETRAINING, RunSettings};

/// The settings, written when the run starts.
pub(super) const SETTINGS: &str = "settings.json";
/// Training steps and evaluations, appended as they happen.
pub(super) const METRICS: &str = "metrics.jsonl";
/// What the run had to say, appended over all its attempts.
pub(super) const LOG: &str = "log.txt";
/// The weights, kept for a pretraining, and for the best run of a task and model.
pub(super) const MODEL: &str = "model";
/// The models of a pretraining after steps before the last one: `snapshots/step-0000500/`.
pub(super) const SNAPSHOTS: &str = "snapshots";
/// The record, written last.
pub(super) const RECORD: &str = "record.json";
/// Why the run failed; a run with a record has none.
pub(super) const FAILURE: &str = "failure.json";

/// Seconds by which the clock of a file system may lag behind that of a process.
const CLOCKS_DIFFER: u64 = 2;

/// One run on disk. Making the value touches nothing.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    experiment: String,
    task: String,
    model: String,
    id: RunId,
    claims: Claims,
    /// The token of the claim that this process acts under.
    token: Option<String>,
}

impl RunFolder {
    pub(super) fn new(path: PathBuf, [experiment, task, model]: [&str; 3], id: RunId, claims: Claims) -> Self {
        let (experiment, task, model) = (experiment.to_owned(), task.to_owned(), model.to_owned());
        Self { path, experiment, task, model, id, claims, token: None }
    }

    /// The same folder for the holder of the claim with this token: every change of the folder first
    /// looks whether the claim still stands, and fails with [`StoreError::ClaimLost`] when not.
    #[must_use]
    pub fn under_claim(mut self, own: impl Into<String>) -> Self {
        self.token = Some(own.into());
        self
    }

    /// The folders of all runs of the same task and model, this one included, by id.
    ///
    /// # Errors
    /// When their folder cannot be listed.
    pub(super) fn siblings(&self) -> Result<Vec<Self>, StoreError> {
        let folder = atomic::parent(&self.path);
        let sibling = |id: String| {
            let names = [&self.experiment, &self.task, &self.model].map(String::as_str);
            Self::new(folder.join(&id), names, RunId(id), self.claims.clone())
        };
        Ok(subfolders(folder)?.into_iter().map(sibling).collect())
    }

    /// The folder of the experiment.
    pub(super) fn experiment_folder(&self) -> &Path {
        self.claims.experiment_folder()
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
        self.path.join(SNAPSHOTS).join(format!("step-{step:07}"))
    }

    /// How far the run is.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn state(&self) -> Result<RunState, StoreError> {
        let damage = match self.record() {
            Ok(Some(_)) => return Ok(RunState::Done),
            Ok(None) => None,
            Err(error) if error.is_damage() => Some(error.to_string()),
            Err(error) => return Err(error),
        };
        let holder = self.claims.holder(&self.id)?;
        if let Some(holder) = &holder
            && holder.alive
        {
            return Ok(RunState::Claimed(holder.clone()));
        }
        if let Some(damage) = damage {
            return Ok(RunState::Damaged(damage));
        }
        match (self.failure(), holder) {
            (Ok(Some(failure)), _) => Ok(RunState::Failed(failure)),
            (_, Some(holder)) => Ok(RunState::Claimed(holder)),
            (_, None) => Ok(RunState::Missing),
        }
    }

    /// Whether the run is done. A damaged record does not count.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.record(), Ok(Some(_)))
    }

    /// Whether it is a run that pretrains.
    #[must_use]
    pub fn is_pretraining(&self) -> bool {
        self.task == PRETRAINING
    }

    /// The record, if the run is done.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it is no record, or not as it was written; [`StoreError::Misplaced`] when it is
    /// another run's.
    pub fn record(&self) -> Result<Option<Record>, StoreError> {
        let path = self.path.join(RECORD);
        let Some(record) = sealed::read::<Record>(&path)? else { return Ok(None) };
        let of = record.place();
        if of != self.place() {
            return Err(StoreError::Misplaced { path, of });
        }
        let hashed = record.settings.id();
        if hashed != record.id {
            let cause = format!("its settings are those of run {hashed}");
            return Err(StoreError::Damaged { path, cause });
        }
        Ok(Some(record))
    }

    /// Why the run failed, if it did.
    ///
    /// # Errors
    /// When `failure.json` is there and cannot be read.
    pub fn failure(&self) -> Result<Option<Failure>, StoreError> {
        sealed::read(&self.path.join(FAILURE))
    }

    /// The settings, if the run was ever started.
    ///
    /// # Errors
    /// When `settings.json` is there and cannot be read, or has another run's settings.
    pub fn settings(&self) -> Result<Option<RunSettings>, StoreError> {
        let path = self.path.join(SETTINGS);
        let Some(settings) = RunSettings::read(&path)? else { return Ok(None) };
        let hashed = settings.id();
        if hashed == self.id {
            return Ok(Some(settings));
        }
        Err(StoreError::Damaged { path, cause: format!("its settings are those of run {hashed}") })
    }

    /// Training steps and evaluations so far.
    ///
    /// # Errors
    /// When `metrics.jsonl` cannot be read, or is not as the run's record says.
    pub fn events(&self) -> Result<Vec<Event>, StoreError> {
        self.events_of(self.record().ok().flatten().as_ref())
    }

    /// The same of a run whose record has been read, or has none that can be trusted.
    ///
    /// # Errors
    /// As [`RunFolder::events`].
    pub fn events_of(&self, record: Option<&Record>) -> Result<Vec<Event>, StoreError> {
        let path = self.path.join(METRICS);
        let found = match present::read(&path) {
            Err(_) if path.is_dir() => {
                return Err(StoreError::Damaged { path, cause: "it is a folder".to_owned() });
            }
            found => found?,
        };
        let Some(bytes) = found else { return Ok(Vec::new()) };
        if let Some(record) = record {
            record.check_side_bytes(&path, METRICS, &bytes)?;
        }
        parse_events(&path, &String::from_utf8_lossy(&bytes))
    }

    /// How long the log has been written, from its first line to its last; `None` where there is none, where the file
    /// system does not say, and where an earlier attempt began it than that of `holder`.
    #[must_use]
    pub fn logged_for(&self, holder: &Holder) -> Option<Duration> {
        let log = fs::metadata(self.path.join(METRICS)).ok()?;
        let (began, ended) = (log.created().ok()?, log.modified().ok()?);
        // The claim's clock is this program's, that of the log the file system's.
        let claimed = UNIX_EPOCH + Duration::from_secs(holder.since_unix.saturating_sub(CLOCKS_DIFFER));
        if began < claimed { None } else { ended.duration_since(began).ok() }
    }

    /// Removes the run with all its files.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when somebody works on it; when the disk says no.
    pub fn remove(&self) -> Result<(), StoreError> {
        self.remove_of(&self.path)
    }

    /// Removes the weights of a finished run; everything else stays.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when somebody works on it; when the disk says no.
    pub fn remove_weights(&self) -> Result<(), StoreError> {
        self.remove_of(&self.model_folder())
    }

    fn remove_of(&self, path: &Path) -> Result<(), StoreError> {
        let Some(claim) = self.claims.claim(&self.id, &[])? else {
            let holder = self.claims.holder(&self.id)?;
            let (by, claim) =
                holder.map_or_else(|| ("another process".to_owned(), PathBuf::new()), |of| (of.by, of.file));
            return Err(StoreError::InUse { id: self.id.clone(), by, claim });
        };
        atomic::remove(path)?;
        drop(claim);
        Ok(())
    }

    /// `EXPERIMENT/TASK/MODEL/ID`.
    pub(super) fn place(&self) -> String {
        [&self.experiment, &self.task, &self.model, &self.id.0].map(String::as_str).join("/")
    }

    /// Fails when this folder is under a claim that no longer stands.
    ///
    /// # Errors
    /// [`StoreError::ClaimLost`].
    pub fn check_claim(&self) -> Result<(), StoreError> {
        match &self.token {
            Some(token) if !self.claims.is_held_with(&self.id, token) => Err(StoreError::ClaimLost(self.id.clone())),
            Some(_) | None => Ok(()),
        }
    }
}
