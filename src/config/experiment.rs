//! A checked experiment, in plain values.

use std::ffi::OsString;
use std::path::PathBuf;

use super::base::ExperimentBase;
use super::lengths;
use super::model::Model;
use super::pretraining::Pretraining;
use super::task::Task;
use super::written::Sweep;
use crate::diagnostic::Diagnostic;

/// An experiment: models × tasks × the points of a sweep × seeds. Every list is non-empty and without
/// duplicates, every number in its range, every task known or declared.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// What every experiment has.
    pub base: ExperimentBase,
    /// The models, in file order.
    pub models: Vec<Model>,
    /// The tasks, in file order.
    pub tasks: Vec<Task>,
    /// Where the tasks' data is.
    pub data: DataSource,
    /// The grid.
    pub sweep: Sweep,
}

/// What an experiment file declares.
#[derive(Clone, Debug)]
pub enum ExperimentFile {
    /// Models are trained and scored on tasks.
    Tasks(Experiment),
    /// Models are pretrained.
    Pretraining(Pretraining),
}

impl ExperimentFile {
    /// What every experiment has.
    #[must_use]
    pub fn base(&self) -> &ExperimentBase {
        match self {
            Self::Tasks(experiment) => &experiment.base,
            Self::Pretraining(experiment) => &experiment.base,
        }
    }
}

/// Where the tasks' data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// A folder in the official layout, `RTE/`, `SQuAD/`, …, that the file names.
    Folder(PathBuf),
    /// The mini benchmark, generated from this seed.
    Mini {
        /// The generator's seed.
        seed: u64,
    },
    /// The data cache: a folder in the same layout.
    Cache(PathBuf),
}

impl Experiment {
    /// The tasks that `model` is trained on, in file order.
    pub fn tasks_of(&self, model: &Model) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|task| model.tasks.contains(&task.name))
    }

    /// Whether the data folder is read at all: not when the experiment names every file itself.
    #[must_use]
    pub fn reads_data_folder(&self) -> bool {
        self.tasks.iter().any(|task| task.reads_data_folder)
    }

    /// A finding about a model whose positions do not reach a task's longest sequence, where one of the two is
    /// written.
    #[must_use]
    pub fn too_long(&self, task: &Task, model: &str, positions: u32) -> Diagnostic {
        lengths::too_long(&self.base.document, task, model, positions)
    }
}

/// The data cache of this process's environment: the folder that `BERTBENCH_DATA` names, else `bertbench/glue` in the
/// user's data folder (XDG base directories); `None` when neither is known.
#[must_use]
pub fn data_cache() -> Option<PathBuf> {
    cache_folder(|name| std::env::var_os(name))
}

/// As [`data_cache`]; `variable` reads the environment.
pub(super) fn cache_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let shared = || set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local").join("share")));
    set("BERTBENCH_DATA").or_else(|| shared().map(|folder| folder.join("bertbench").join("glue")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(variables: &[(&str, &str)]) -> Option<PathBuf> {
        cache_folder(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn the_cache_is_where_the_variable_or_the_base_directories_say() {
        let home = ("HOME", "/home/ada");
        assert_eq!(cache(&[("BERTBENCH_DATA", "/data/glue"), home]), Some(PathBuf::from("/data/glue")));
        assert_eq!(cache(&[("XDG_DATA_HOME", "/x"), home]), Some(PathBuf::from("/x/bertbench/glue")));
        assert_eq!(
            cache(&[("BERTBENCH_DATA", ""), home]),
            Some(PathBuf::from("/home/ada/.local/share/bertbench/glue"))
        );
        assert_eq!(cache(&[]), None);
    }
}
