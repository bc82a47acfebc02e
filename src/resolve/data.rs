//! Where an experiment's data is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::ResolveError;
use crate::config::{DataSource, Experiment};
use crate::mini;

/// Where the data is.
#[derive(Debug)]
pub struct DataRoot {
    /// The folder, in GLUE's layout.
    pub folder: PathBuf,
    /// Whether it is the mini benchmark.
    pub mini: bool,
    /// The best scores that can be expected, by task.
    pub ceilings: BTreeMap<String, f64>,
}

/// The data folder and the known ceilings; generates the mini benchmark.
pub fn data_root(experiment: &Experiment) -> Result<DataRoot, ResolveError> {
    let published = |folder: &Path| DataRoot { folder: folder.to_path_buf(), mini: false, ceilings: BTreeMap::new() };
    match &experiment.data {
        DataSource::Cache(folder) if !experiment.reads_data_folder() => Ok(published(folder)),
        DataSource::Folder(folder) | DataSource::Cache(folder) => {
            if !folder.is_dir() {
                let finding = experiment.finding("data", format!("no data folder at {}", folder.display()));
                let hint = "it holds RTE/, SQuAD/, … in the official layout; `data: FOLDER` names it";
                return Err(finding.hint(hint).into());
            }
            // A generated folder stays the mini benchmark, however it is named: its scores are not GLUE's.
            if mini::is_mini(folder) {
                return mini_root(experiment, "data", folder.clone());
            }
            Ok(published(folder))
        }
        DataSource::Mini { seed } => {
            let folder = mini::default_folder(*seed);
            mini::generate(*seed, &folder).map_err(|error| experiment.finding("mini", error.to_string()))?;
            mini_root(experiment, "mini", folder)
        }
    }
}

fn mini_root(experiment: &Experiment, key: &str, folder: PathBuf) -> Result<DataRoot, ResolveError> {
    let bounds = mini::bounds(&folder).map_err(|error| experiment.finding(key, error.to_string()))?;
    let ceilings = bounds.into_iter().map(|(task, bound)| (task, bound.ceiling)).collect();
    Ok(DataRoot { folder, mini: true, ceilings })
}
