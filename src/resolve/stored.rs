//! What `plan.json` keeps of an experiment that is run.

use super::prepared::Prepared;
use crate::store::{RunIdentity, StoredPlan, StoredPretraining};

impl Prepared {
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
