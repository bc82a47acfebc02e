//! `plan.json` beside an experiment's runs: what was planned, for reports made where the data is not.
//!
//! A file that is run with other `--set` arguments has another plan; the last few are kept.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::run_id::RunId;
use super::{RunIdentity, atomic, sealed};

/// How many plans of an experiment are kept.
const KEPT: usize = 8;

/// The file's name.
pub(super) const PLAN: &str = "plan.json";
/// Held while the file is changed.
const LOCK: &str = ".plan.lock";

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
    /// As [`RunsRoot::plan_file`](super::RunsRoot::plan_file), of the experiment in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        sealed::read(&folder.join(PLAN))
    }

    /// As [`RunsRoot::add_plan`](super::RunsRoot::add_plan), of the experiment in `folder`.
    pub(super) fn add(folder: &Path, plan: StoredPlan) -> Result<(), StoreError> {
        let path = folder.join(PLAN);
        std::fs::create_dir_all(atomic::parent(&path))?;
        // Processes that start together each add their plan.
        let _lock = atomic::lock(&path.with_file_name(LOCK))?;
        let mut file = match Self::read(folder) {
            Ok(Some(file)) => file,
            Ok(None) => Self { plans: Vec::new() },
            Err(StoreError::Damaged { path, .. }) => {
                let aside = path.with_extension("json.damaged");
                atomic::remove(&aside)?;
                std::fs::rename(&path, &aside)
                    .map_err(|error| StoreError::from(atomic::about("cannot keep aside", &path, &error)))?;
                Self { plans: Vec::new() }
            }
            Err(error) => return Err(error),
        };
        if file.plans.last() == Some(&plan) {
            return Ok(());
        }
        file.plans.retain(|known| known.experiment_sha256 != plan.experiment_sha256);
        file.plans.push(plan);
        let surplus = file.plans.len().saturating_sub(KEPT);
        file.plans.drain(..surplus);
        Ok(sealed::write_sealed(&path, &file)?)
    }

    /// The plan of a file whose checksum is `experiment_sha256`.
    #[must_use]
    pub fn plan_of(&self, experiment_sha256: &str) -> Option<&StoredPlan> {
        self.plans.iter().find(|plan| plan.experiment_sha256 == experiment_sha256)
    }
}

/// The ids of each plan's runs.
pub(super) type Plans = Vec<BTreeSet<RunId>>;

/// The ids of the runs of each plan of the experiment in `folder`; `None` when the file is damaged.
pub(super) fn planned(folder: &Path) -> Result<Option<Plans>, StoreError> {
    #[derive(Deserialize)]
    struct File {
        plans: Vec<Plan>,
    }
    #[derive(Deserialize)]
    struct Plan {
        runs: Vec<Run>,
    }
    #[derive(Deserialize)]
    struct Run {
        id: RunId,
    }
    match sealed::read::<File>(&folder.join(PLAN)) {
        Ok(None) => Ok(Some(Vec::new())),
        Ok(Some(file)) => {
            let ids = |plan: Plan| plan.runs.into_iter().map(|run| run.id).collect();
            Ok(Some(file.plans.into_iter().map(ids).collect()))
        }
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
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
    fn a_file_finds_its_own_plan_and_no_other() {
        let (_folder, root) = example::runs();
        assert_eq!(root.plan_file("x").unwrap(), None);
        for (sha256, run) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            root.add_plan("x", plan(sha256, run)).unwrap();
        }
        let file = root.plan_file("x").unwrap().unwrap();
        let of = |sha256: &str| file.plan_of(sha256).map(|plan| plan.runs[0].settings.seed);
        assert_eq!([of("a"), of("b"), of("c"), of("d")], [Some(3), Some(2), Some(4), None]);
        for run in 0..20 {
            root.add_plan("x", plan(&run.to_string(), run)).unwrap();
        }
        assert_eq!(root.plan_file("x").unwrap().unwrap().plans.len(), KEPT);
    }

    #[test]
    fn a_damaged_file_is_named_and_replaced() {
        let (folder, root) = example::runs();
        std::fs::create_dir_all(folder.path().join("x")).unwrap();
        std::fs::write(folder.path().join("x/plan.json"), "[1]").unwrap();
        assert!(root.plan_file("x").unwrap_err().to_string().contains("plan.json is damaged"));
        root.add_plan("x", plan("a", 1)).unwrap();
        assert!(root.plan_file("x").unwrap().is_some());
    }
}
