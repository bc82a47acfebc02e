//! What an experiment file alone says of its runs, before data or weights are read.

use crate::config::ExperimentFile;

/// How many runs a model has on a task; no task where it is pretrained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The task's name.
    pub task: Option<String>,
    /// The model's name.
    pub model: String,
    /// Points of the sweep times seeds.
    pub runs: usize,
}

/// The numbers of runs of an experiment file, in the order of its plan.
#[must_use]
pub fn outline(file: &ExperimentFile) -> Vec<Outline> {
    let mut found = Vec::new();
    match file {
        ExperimentFile::Tasks(of) => {
            let points = of.sweep.batch_size.len() * of.sweep.learning_rate.len() * of.sweep.epochs.len();
            let runs = points * of.base.seeds.len();
            for model in &of.models {
                found.extend(of.tasks_of(model).map(|task| Outline {
                    task: Some(task.name.clone()),
                    model: model.name.clone(),
                    runs,
                }));
            }
        }
        ExperimentFile::Pretraining(of) => {
            let runs = of.base.seeds.len();
            found.extend(of.models.iter().map(|model| Outline { task: None, model: model.name.clone(), runs }));
        }
    }
    found
}
