//! Which runs an experiment has: by checksums, dimensions and initial weights alone. Opens no device, makes no tokens,
//! and touches no network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::progress::Access;
use super::scratch::Scratch;
use crate::config::{ExperimentBase, ExperimentFile};
use crate::diagnostic::Diagnostic;
use crate::settings::DeviceKind;
use crate::store::{RunId, RunIdentity, RunSettings, RunsRoot};
use crate::train::{NothingToTune, PrecisionError, fastest_built_in, open_device};

/// The runs of an experiment.
#[derive(Debug)]
pub struct Identity {
    /// The experiment as its file says it.
    pub experiment: ExperimentFile,
    /// Its runs.
    pub runs: Vec<RunIdentity>,
    /// The experiments that its models are pretrained by.
    pub pretraining: Vec<Identity>,
    /// The folder of all runs.
    pub root: RunsRoot,
    /// The vocabulary file of each model.
    pub(super) vocabularies: BTreeMap<String, PathBuf>,
    /// What was made for this alone.
    #[expect(dead_code, reason = "the folder is removed with it")]
    pub(super) scratch: Scratch,
}

impl Identity {
    /// The pretraining runs that its runs start from, each once, with their experiments' names.
    #[must_use]
    pub fn needed(&self) -> Vec<(&str, &RunIdentity)> {
        let ids = pretraining_ids(self.runs.iter().map(|run| &run.settings));
        let runs =
            self.pretraining.iter().flat_map(|of| of.runs.iter().map(|run| (of.experiment.base().name.as_str(), run)));
        runs.filter(|(_, run)| ids.contains(&run.id)).collect()
    }
}

/// The pretraining runs that runs with these settings start from.
pub(super) fn pretraining_ids<'a>(settings: impl Iterator<Item = &'a RunSettings>) -> BTreeSet<&'a RunId> {
    settings.filter_map(|settings| settings.initial_weights.pretraining_run()).collect()
}

/// The device of the runs of an experiment. One that is left to the machine is that of the last `run`, where none may be opened.
pub(super) fn device(of: &ExperimentBase, root: &RunsRoot, access: Access<'_>) -> Result<String, Diagnostic> {
    if access.machine {
        let key = if of.devices.len() > 1 { "devices" } else { "device" };
        let open = |device: &crate::settings::Device| {
            open_device(&device.to_string()).map_err(|error| of.finding(key, error.to_string()))
        };
        let refuse = |error: PrecisionError| of.finding("training.precision", error.to_string()).hint(error.hint());
        let device = open(&of.device)?;
        if of.training.autotune {
            let refuse = |error: NothingToTune| of.finding("training.autotune", error.to_string()).hint(error.hint());
            device.can_tune().map_err(refuse)?;
        }
        device.precision(of.training.precision).map_err(refuse)?;
        // Of several all are there, and do what the first does.
        for other in of.devices.iter().skip(1) {
            open(other)?.precision(of.training.precision).map_err(refuse)?;
        }
        return Ok(device.name.to_owned());
    }
    if of.device.kind != DeviceKind::Auto {
        return Ok(of.device.kind.name().to_owned());
    }
    let last = root.plan_file(&of.name).ok().flatten();
    let device = last.and_then(|last| last.plan_of(&of.sha256()).map(|plan| plan.device.clone()));
    Ok(device.unwrap_or_else(|| fastest_built_in().to_owned()))
}
