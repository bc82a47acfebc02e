//! Where an experiment's data is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::scratch::Scratch;
use crate::config::{DataSource, Experiment};
use crate::diagnostic::Error;
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
///
/// # Errors
/// When there is no data, or the mini benchmark cannot be written.
pub fn data_root(experiment: &Experiment) -> Result<DataRoot, Error> {
    data_in(experiment, None)
}

/// As [`data_root`]; a mini benchmark that is missing is generated in `scratch`, if it is given.
pub(super) fn data_in(experiment: &Experiment, scratch: Option<&Scratch>) -> Result<DataRoot, Error> {
    let published = |folder: &Path| DataRoot { folder: folder.to_path_buf(), mini: false, ceilings: BTreeMap::new() };
    match &experiment.data {
        DataSource::Cache(folder) if !experiment.reads_data_folder() => Ok(published(folder)),
        DataSource::Folder(folder) | DataSource::Cache(folder) => {
            if !folder.is_dir() {
                let finding = experiment.base.finding("data", format!("no data folder at {}", folder.display()));
                let hint = "`bertbench data fetch` gets published data; `data: FOLDER` names a folder with RTE/, SQuAD/, … \
                            in the official layout";
                return Err(finding.hint(hint).absence().into());
            }
            // A generated folder stays the mini benchmark, however it is named: its scores are not GLUE's.
            if mini::is_mini(folder) {
                return mini_root(experiment, "data", folder.clone());
            }
            Ok(published(folder))
        }
        DataSource::Mini { seed } => {
            let folder = mini_folder(*seed, scratch).map_err(|error| experiment.base.finding("mini", error))?;
            mini_root(experiment, "mini", folder)
        }
    }
}

/// The mini benchmark of `seed`, generated where it is missing: in its place, or in `scratch`.
pub(super) fn mini_folder(seed: u64, scratch: Option<&Scratch>) -> Result<PathBuf, String> {
    let own = mini::default_folder(seed);
    let folder = match scratch {
        Some(_) if mini::is_generated(seed, &own) => return Ok(own),
        Some(scratch) => scratch.folder().map_err(|error| error.to_string())?.join(own),
        None => own,
    };
    mini::generate(seed, &folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn mini_root(experiment: &Experiment, key: &str, folder: PathBuf) -> Result<DataRoot, Error> {
    let bounds = mini::bounds(&folder).map_err(|error| experiment.base.finding(key, error.to_string()))?;
    let ceilings = bounds.into_iter().map(|(task, bound)| (task, bound.ceiling)).collect();
    Ok(DataRoot { folder, mini: true, ceilings })
}
