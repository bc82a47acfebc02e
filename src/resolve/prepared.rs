//! An experiment on this machine: its runs, and what they find here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::identity::pretraining_ids;
use super::scratch::Scratch;
use crate::config::ExperimentFile;
use crate::plan::{Plan, PlannedRun};
use crate::store::{RunIdentity, RunsRoot, StoredPlan, StoredPretraining};
use crate::train::{NamedDevice, RunContext};
use crate::units::Seconds;

/// The folder of cached features, inside the folder of all runs. No experiment's name starts with a dot.
const FEATURES: &str = ".features";

/// An experiment, resolved on this machine.
#[derive(Debug)]
pub struct Prepared {
    /// The experiment as its file says it.
    pub experiment: ExperimentFile,
    /// Its runs.
    pub plan: Plan,
    /// The experiments that its models are pretrained by.
    pub pretraining: Vec<Prepared>,
    /// What runs find on this machine.
    pub context: RunContext,
    /// Where they compute.
    pub device: NamedDevice,
    /// The folder of all runs.
    pub root: RunsRoot,
    /// The longest that reading a task's features took: a part of every run's setup.
    pub reading: Seconds,
    /// What was made for this alone.
    #[expect(dead_code, reason = "the folder is removed with it")]
    pub(super) scratch: Scratch,
}

impl Prepared {
    /// The pretraining runs that runs of `plan` start from, each once.
    #[must_use]
    pub fn needed(&self, plan: &Plan) -> Vec<(&Self, &PlannedRun)> {
        let ids = pretraining_ids(plan.runs.iter().map(|run| &run.settings));
        let runs = self.pretraining.iter().flat_map(|of| of.plan.runs.iter().map(move |run| (of, run)));
        runs.filter(|(_, run)| ids.contains(&run.id)).collect()
    }

    /// The whole plan as `plan.json` keeps it.
    #[must_use]
    pub fn stored(&self) -> StoredPlan {
        let runs = self.plan.runs.iter();
        StoredPlan {
            experiment_sha256: self.experiment.base().sha256(),
            overrides: self.experiment.base().overrides().to_vec(),
            device: self.device.name.to_owned(),
            pretraining: self.stored_pretraining(),
            runs: runs.map(|run| RunIdentity { id: run.id.clone(), settings: run.settings.clone() }).collect(),
        }
    }

    fn stored_pretraining(&self) -> Vec<StoredPretraining> {
        let needed = self.needed(&self.plan);
        let of = |of: &Self| StoredPretraining {
            experiment: of.plan.experiment.clone(),
            experiment_sha256: of.experiment.base().sha256(),
            runs: needed
                .iter()
                .filter(|(other, _)| other.plan.experiment == of.plan.experiment)
                .map(|(_, run)| run.id.clone())
                .collect(),
        };
        self.pretraining.iter().map(of).collect()
    }
}

/// What runs find on this machine, before their data and models are read.
pub(super) fn context(runs: &Path) -> RunContext {
    RunContext {
        runs: runs.to_path_buf(),
        data: PathBuf::new(),
        features: runs.join(FEATURES),
        vocabularies: BTreeMap::new(),
        task_files: BTreeMap::new(),
        mini: false,
        ceilings: BTreeMap::new(),
        corpora: BTreeMap::new(),
        threads: rayon::current_num_threads() as u32,
        device_index: None,
    }
}
