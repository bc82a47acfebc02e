//! `plan.json` beside an experiment's runs: what was planned, for reports made where the data is not.
//!
//! A file that is run with other `--set` arguments has another plan; the last few are kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{RunId, RunIdentity, RunsRoot, StoreError, atomic};

/// How many plans of an experiment are kept.
const KEPT: usize = 8;

/// The plans of an experiment that were run, the latest last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// One for each content of the experiment file.
    pub plans: Vec<StoredPlan>,
}

/// The whole plan of an experiment, whatever part of it was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredPlan {
    /// SHA-256 of what the experiment file said, with `overrides` over it.
    pub experiment_sha256: String,
    /// The `--set` arguments.
    pub overrides: Vec<String>,
    /// The device: `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub device: String,
    /// The pretraining that the runs start from.
    pub pretraining: Vec<StoredPretraining>,
    /// Every run.
    pub runs: Vec<RunIdentity>,
}

/// A pretraining that runs of a plan start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredPretraining {
    /// The experiment that it is of.
    pub experiment: String,
    /// [`StoredPlan::experiment_sha256`] of that experiment's plan.
    pub experiment_sha256: String,
    /// The runs that are needed.
    pub runs: Vec<RunId>,
}

impl PlanFile {
    /// The plans of `experiment`; `None` when none was run.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn read(root: &RunsRoot, experiment: &str) -> Result<Option<Self>, StoreError> {
        let path = path(root, experiment)?;
        match std::fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Self>(&bytes) {
                Ok(file) => Ok(Some(file)),
                Err(error) => Err(StoreError::Damaged { path, cause: error.to_string() }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(std::io::Error::other(format!("{}: {error}", path.display())).into()),
        }
    }

    /// Adds `plan` to those of `experiment` as the latest, in place of one of the same file; writes nothing when it is
    /// the latest already. A damaged file is replaced.
    ///
    /// # Errors
    /// A disk that cannot be written.
    pub fn add(root: &RunsRoot, experiment: &str, plan: StoredPlan) -> Result<(), StoreError> {
        let mut file = match Self::read(root, experiment) {
            Ok(Some(file)) => file,
            Ok(None) | Err(StoreError::Damaged { .. }) => Self { plans: Vec::new() },
            Err(error) => return Err(error),
        };
        if file.plans.last() == Some(&plan) {
            return Ok(());
        }
        file.plans.retain(|known| known.experiment_sha256 != plan.experiment_sha256);
        file.plans.push(plan);
        let surplus = file.plans.len().saturating_sub(KEPT);
        file.plans.drain(..surplus);
        let path = path(root, experiment)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(atomic::write(&path, &atomic::json(&file)?)?)
    }

    /// The plan of a file whose checksum is `experiment_sha256`, else the latest; and whether it is that file's.
    #[must_use]
    pub fn plan_of(&self, experiment_sha256: &str) -> Option<(&StoredPlan, bool)> {
        let of_file = self.plans.iter().find(|plan| plan.experiment_sha256 == experiment_sha256);
        of_file.map(|plan| (plan, true)).or_else(|| self.plans.last().map(|plan| (plan, false)))
    }
}

fn path(root: &RunsRoot, experiment: &str) -> Result<PathBuf, StoreError> {
    Ok(root.experiment(experiment)?.join("plan.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::example;

    fn plan(experiment_sha256: &str, seed: u64) -> StoredPlan {
        StoredPlan {
            experiment_sha256: experiment_sha256.to_owned(),
            overrides: Vec::new(),
            device: "cpu".to_owned(),
            pretraining: Vec::new(),
            runs: vec![RunIdentity::of(example::settings("rte", seed))],
        }
    }

    #[test]
    fn a_file_finds_its_own_plan_or_the_latest() {
        let folder = tempfile::tempdir().unwrap();
        let root = RunsRoot::new(folder.path());
        assert_eq!(PlanFile::read(&root, "x").unwrap(), None);
        for (sha256, run) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            PlanFile::add(&root, "x", plan(sha256, run)).unwrap();
        }
        let file = PlanFile::read(&root, "x").unwrap().unwrap();
        let of = |sha256: &str| file.plan_of(sha256).map(|(plan, own)| (plan.runs[0].settings.seed, own)).unwrap();
        assert_eq!([of("a"), of("b"), of("c"), of("d")], [(3, true), (2, true), (4, true), (4, false)]);
        for run in 0..20 {
            PlanFile::add(&root, "x", plan(&run.to_string(), run)).unwrap();
        }
        assert_eq!(PlanFile::read(&root, "x").unwrap().unwrap().plans.len(), KEPT);
    }

    #[test]
    fn a_damaged_file_is_named_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let root = RunsRoot::new(folder.path());
        std::fs::create_dir_all(folder.path().join("x")).unwrap();
        std::fs::write(folder.path().join("x/plan.json"), "[1]").unwrap();
        assert!(PlanFile::read(&root, "x").unwrap_err().to_string().contains("plan.json is damaged"));
        PlanFile::add(&root, "x", plan("a", 1)).unwrap();
        assert!(PlanFile::read(&root, "x").unwrap().is_some());
    }
}
