//! A checked experiment, in plain values.

use std::ffi::OsString;
use std::path::PathBuf;

use super::document::Document;
use super::lengths;
use super::model::Model;
use super::pretraining::Pretraining;
use super::task::Task;
use super::written::Sweep;
use super::written_training::Training;
use crate::diagnostic::{Diagnostic, Place};
use crate::settings::{Cluster, Device};

/// An experiment: models × tasks × the points of a sweep × seeds. Every list is non-empty and without
/// duplicates, every number in its range, every task known or declared.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its name; safe as a folder's.
    pub name: String,
    /// The models, in file order.
    pub models: Vec<Model>,
    /// The tasks, in file order.
    pub tasks: Vec<Task>,
    /// Where the tasks' data is.
    pub data: DataSource,
    /// The grid.
    pub sweep: Sweep,
    /// The seeds, in file order.
    pub seeds: Vec<u64>,
    /// What the sweep keeps fixed.
    pub training: Training,
    /// Where to compute.
    pub device: Device,
    /// All places where to compute, of one kind; the first is `device`.
    pub devices: Vec<Device>,
    /// How many runs go at the same time, when the file says so.
    pub slots: Option<u32>,
    /// What belongs to a cluster.
    pub cluster: Cluster,
    pub(super) document: Document,
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
    /// The experiment's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Tasks(experiment) => &experiment.name,
            Self::Pretraining(experiment) => &experiment.name,
        }
    }

    /// SHA-256 of what the file says, with `--set` over it: comments, layout and the order of keys do not count.
    #[must_use]
    pub fn sha256(&self) -> String {
        self.document().sha256()
    }

    /// The `--set` arguments.
    #[must_use]
    pub fn overrides(&self) -> &[String] {
        &self.document().overrides
    }

    /// How many runs go at the same time, when the file says so.
    #[must_use]
    pub fn slots(&self) -> Option<u32> {
        match self {
            Self::Tasks(experiment) => experiment.slots,
            Self::Pretraining(experiment) => experiment.slots,
        }
    }

    /// Where to compute.
    #[must_use]
    pub fn device(&self) -> Device {
        match self {
            Self::Tasks(experiment) => experiment.device,
            Self::Pretraining(experiment) => experiment.device,
        }
    }

    /// All places where to compute, of one kind: each is a slot when there are several.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        match self {
            Self::Tasks(experiment) => &experiment.devices,
            Self::Pretraining(experiment) => &experiment.devices,
        }
    }

    /// What all runs have in common.
    #[must_use]
    pub fn training(&self) -> &Training {
        match self {
            Self::Tasks(experiment) => &experiment.training,
            Self::Pretraining(experiment) => &experiment.training,
        }
    }

    /// What belongs to a cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        match self {
            Self::Tasks(experiment) => &experiment.cluster,
            Self::Pretraining(experiment) => &experiment.cluster,
        }
    }

    /// As [`Experiment::finding`].
    #[must_use]
    pub fn finding(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        self.document().at_nearest(key, message)
    }

    fn document(&self) -> &Document {
        match self {
            Self::Tasks(experiment) => &experiment.document,
            Self::Pretraining(experiment) => &experiment.document,
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
    /// As [`ExperimentFile::sha256`].
    #[must_use]
    pub fn sha256(&self) -> String {
        self.document.sha256()
    }

    /// Where the value at a key path is written, such as `models.minilm-l6.checkpoint`, `data` or
    /// `tasks.rte` (an element of a list by its text or its index). For a list or a mapping, its key's
    /// place. `None` when neither the file nor `--set` has it.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Option<Place> {
        self.document.spot(key).map(|spot| self.document.place(spot))
    }

    /// A finding about the value at a key path, placed at the nearest key that is written: at
    /// `models.base` when `models.base.vocab_file` is not, at the whole file when nothing is.
    #[must_use]
    pub fn finding(&self, key: &str, message: impl Into<String>) -> Diagnostic {
        self.document.at_nearest(key, message)
    }

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
        lengths::too_long(&self.document, task, model, positions)
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
