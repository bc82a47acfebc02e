//! `plan.json` beside an experiment's runs: what was planned, for reports made where the data is not.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::prepare::Prepared;
use super::pretraining::PreparedPretraining;
use crate::store::{PretrainSettings, RunSettings, RunsRoot, atomic};

fn path(root: &RunsRoot, experiment: &str) -> Result<PathBuf, Error> {
    Ok(root.experiment(experiment)?.join("plan.json"))
}

/// Writes the whole plan, whatever part of it is about to run; nothing when it is there already.
pub(super) fn write(prepared: &Prepared) -> Result<(), Error> {
    let planned: Vec<&RunSettings> = prepared.plan.runs.iter().map(|run| &run.settings).collect();
    put(&path(&prepared.root, &prepared.plan.experiment)?, &planned)
}

/// As [`write()`], of an experiment that pretrains.
pub(super) fn write_pretraining(prepared: &PreparedPretraining) -> Result<(), Error> {
    let planned: Vec<&PretrainSettings> = prepared.plan.runs.iter().map(|run| &run.settings).collect();
    put(&path(&prepared.root, &prepared.plan.experiment)?, &planned)
}

fn put(path: &Path, planned: &impl Serialize) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bytes = atomic::json(planned)?;
    if std::fs::read(path).is_ok_and(|written| written == bytes) {
        return Ok(());
    }
    Ok(atomic::write(path, &bytes)?)
}

/// The plan as it was when the experiment was last run; empty when it is not known.
pub(super) fn read<S: DeserializeOwned>(root: &RunsRoot, experiment: &str) -> Result<Vec<S>, Error> {
    let path = path(root, experiment)?;
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| Error::System(format!("{} is damaged: {error}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::System(format!("{}: {error}", path.display()))),
    }
}
