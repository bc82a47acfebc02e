//! All runs: `runs/<experiment>/<task>/<model>/<id>/`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::atomic;
use super::claim::{ClaimTimeout, Claims};
use super::claim_watch::ClaimWatch;
use super::error::StoreError;
use super::examples::EXAMPLES;
use super::folder::RunFolder;
use super::models::prune;
use super::plan_file::{PlanFile, StoredPlan, planned};
use super::present::subfolders;
use super::record::Failure;
use super::run_id::RunId;
use super::settings::{PRETRAINING, RunSettings};

/// The folder in an experiment's folder that holds its claims. No task's name starts with a dot.
pub(super) const CLAIMS: &str = ".claims";

/// The folder that holds every run, usually `runs`.
#[derive(Clone, Debug)]
pub struct RunsRoot {
    path: PathBuf,
    timeout: ClaimTimeout,
    watch: ClaimWatch,
}

impl RunsRoot {
    /// The runs in the folder at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), timeout: ClaimTimeout::from_environment(), watch: ClaimWatch::default() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of an experiment.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn experiment(&self, experiment: &str) -> Result<PathBuf, StoreError> {
        Ok(self.path.join(folder_name("experiment", experiment)?))
    }

    /// The folder of a run.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn folder(&self, experiment: &str, settings: &RunSettings) -> Result<RunFolder, StoreError> {
        self.folder_of(experiment, settings, settings.id())
    }

    /// The folder of a run whose id is known, such as one that came from another process: settings that
    /// were text in between may differ in the last bit of a number, and their id with it.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn folder_of(&self, experiment: &str, settings: &RunSettings, id: RunId) -> Result<RunFolder, StoreError> {
        self.folder_at([experiment, settings.task_name(), &settings.model], id)
    }

    /// The folder of the pretraining run that a model starts from.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn pretraining_folder(&self, experiment: &str, model: &str, run: &RunId) -> Result<RunFolder, StoreError> {
        self.folder_at([experiment, PRETRAINING, model], run.clone())
    }

    fn folder_at(&self, names: [&str; 3], id: RunId) -> Result<RunFolder, StoreError> {
        let [experiment, task, model] = names;
        let path = self.models_folder(experiment, task, model)?.join(&id.0);
        Ok(RunFolder::new(path, names, id, self.claims(experiment)?))
    }

    /// The plans of an experiment; `None` when none was run.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn plan_file(&self, experiment: &str) -> Result<Option<PlanFile>, StoreError> {
        PlanFile::read(&self.experiment(experiment)?)
    }

    /// Adds `plan` to those of `experiment` as the latest, in place of one of the same file; writes nothing when it is
    /// the latest already. A damaged file is kept as `plan.json.damaged`.
    ///
    /// # Errors
    /// A disk that cannot be written.
    pub fn add_plan(&self, experiment: &str, plan: StoredPlan) -> Result<(), StoreError> {
        PlanFile::add(&self.experiment(experiment)?, plan)
    }

    /// After how long without a sign of life a claim is dead.
    #[must_use]
    pub fn claim_timeout(&self) -> Duration {
        self.timeout.0
    }

    /// The claims of an experiment.
    ///
    /// # Errors
    /// [`StoreError::Name`].
    pub fn claims(&self, experiment: &str) -> Result<Claims, StoreError> {
        let claims = Claims::new(self.experiment(experiment)?.join(CLAIMS), self.timeout);
        Ok(claims.with_watch(self.watch.clone()))
    }

    /// The names of all experiments with runs, sorted.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn experiments(&self) -> Result<Vec<String>, StoreError> {
        Ok(subfolders(&self.path)?)
    }

    /// The folders of all runs of an experiment that were ever started, by id.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn folders(&self, experiment: &str) -> Result<Vec<RunFolder>, StoreError> {
        self.folders_where(experiment, |_, _| true)
    }

    /// The same of the tasks and models that are `wanted`; the others' folders are not opened.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn folders_where(
        &self,
        experiment: &str,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<RunFolder>, StoreError> {
        let path = self.experiment(experiment)?;
        let mut found = Vec::new();
        for task in subfolders(&path)? {
            for model in subfolders(&path.join(&task))? {
                if wanted(&task, &model) {
                    found.extend(self.folders_of(experiment, &task, &model)?);
                }
            }
        }
        found.sort_by(|a, b| (a.id(), a.model()).cmp(&(b.id(), b.model())));
        Ok(found)
    }

    /// The folders of the runs of one task and model, by id.
    fn folders_of(&self, experiment: &str, task: &str, model: &str) -> Result<Vec<RunFolder>, StoreError> {
        let ids = subfolders(&self.models_folder(experiment, task, model)?)?;
        ids.into_iter().map(|id| self.folder_at([experiment, task, model], RunId(id))).collect()
    }

    /// The runs of all experiments whose id starts with `prefix`, for commands that name one.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn find(&self, prefix: &str) -> Result<Vec<RunFolder>, StoreError> {
        let mut found = Vec::new();
        for experiment in self.experiments()? {
            found.extend(self.folders(&experiment)?.into_iter().filter(|folder| folder.id().0.starts_with(prefix)));
        }
        Ok(found)
    }

    /// The runs of an experiment that failed and have no record, by id.
    ///
    /// # Errors
    /// When a folder or a file cannot be read.
    pub fn failures(&self, experiment: &str) -> Result<Vec<(RunFolder, Failure)>, StoreError> {
        let mut found = Vec::new();
        for folder in self.folders(experiment)? {
            if !folder.is_done()
                && let Ok(Some(failure)) = folder.failure()
            {
                found.push((folder, failure));
            }
        }
        Ok(found)
    }

    /// Removes what processes that died left in an experiment: temporary names, dead claims, and
    /// weights that a better run has made superfluous.
    ///
    /// # Errors
    /// When a folder cannot be read or written.
    pub fn clean(&self, experiment: &str) -> Result<(), StoreError> {
        let claims = self.claims(experiment)?;
        claims.clean()?;
        let path = self.experiment(experiment)?;
        atomic::clean(&path)?;
        atomic::clean(&path.join(EXAMPLES))?;
        let plans = planned(&path)?;
        for task in subfolders(&path)? {
            for model in subfolders(&path.join(&task))? {
                let folder = path.join(&task).join(&model);
                atomic::clean(&folder)?;
                let runs = self.folders_of(experiment, &task, &model)?;
                for run in &runs {
                    atomic::clean(run.path())?;
                    if claims.holder(run.id())?.is_some() && run.is_done() {
                        claims.retire(run.id())?;
                    }
                }
                if let Some(plans) = &plans {
                    prune(&runs, plans)?;
                }
            }
        }
        Ok(())
    }

    /// The folder of the runs of one task and model.
    fn models_folder(&self, experiment: &str, task: &str, model: &str) -> Result<PathBuf, StoreError> {
        Ok(self.experiment(experiment)?.join(folder_name("task", task)?).join(folder_name("model", model)?))
    }
}

/// `name`, if it stays in the folder where it is put and is not hidden there.
fn folder_name<'a>(what: &'static str, name: &'a str) -> Result<&'a str, StoreError> {
    let bad = name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']);
    if bad { Err(StoreError::Name { what, name: name.to_owned() }) } else { Ok(name) }
}
