//! What `plan.json` keeps of an experiment that is run.

use super::{Prepared, PreparedPretraining};
use crate::plan::Plan;
use crate::store::{RunSettings, StoredPlan, StoredPretraining, StoredRun, StoredTask};

impl Prepared {
    /// The whole plan as `plan.json` keeps it.
    #[must_use]
    pub fn stored(&self) -> StoredPlan<RunSettings> {
        let task = |asked: &crate::config::Task| StoredTask {
            name: asked.name.clone(),
            title: self.context.task(&asked.name).map(|task| task.title.to_owned()).unwrap_or_default(),
            ceiling: self.context.ceilings.get(&asked.name).copied(),
        };
        let run = |run: &crate::plan::PlannedRun| StoredRun { id: run.id.clone(), settings: run.settings.clone() };
        StoredPlan {
            experiment_sha256: self.experiment.sha256(),
            overrides: self.experiment.overrides().to_vec(),
            device: self.device.name.to_owned(),
            tasks: self.experiment.tasks.iter().map(task).collect(),
            pretraining: self.stored_pretraining(&self.plan),
            runs: self.plan.runs.iter().map(run).collect(),
        }
    }

    fn stored_pretraining(&self, plan: &Plan) -> Vec<StoredPretraining> {
        let needed = self.needed(plan);
        let of = |of: &PreparedPretraining| StoredPretraining {
            experiment: of.plan.experiment.clone(),
            experiment_sha256: of.experiment.sha256(),
            runs: needed
                .iter()
                .filter(|(other, _)| other.plan.experiment == of.plan.experiment)
                .map(|(_, run)| run.id.clone())
                .collect(),
        };
        self.pretraining.iter().map(of).collect()
    }
}

impl PreparedPretraining {
    /// The whole plan as `plan.json` keeps it.
    #[must_use]
    pub fn stored(&self) -> StoredPlan<RunSettings> {
        let runs = self.plan.runs.iter();
        StoredPlan {
            experiment_sha256: self.experiment.sha256(),
            overrides: self.experiment.overrides().to_vec(),
            device: self.device.name.to_owned(),
            tasks: Vec::new(),
            pretraining: Vec::new(),
            runs: runs.map(|run| StoredRun { id: run.id.clone(), settings: run.settings.clone() }).collect(),
        }
    }
}
