//! A model on the command line: a folder, or a model of the hub that becomes one.

use std::path::PathBuf;

use super::Error;
use super::hub_progress::HubDisplay;
use crate::diagnostic::Diagnostic;
use crate::model::hub::{HubError, HubSettings, Snapshot, fetch};
use crate::spec::HubModel;

#[allow(dead_code, reason = "for the commands that take a trained model")]
/// What a `MODEL` argument may be, for its help.
pub(super) const MODEL_HELP: &str = "A checkpoint's folder, or a model of the Hugging Face hub as \
    `hub:ORG/NAME` or `hub:ORG/NAME@REVISION`: it is fetched into the hub's cache when it is not there";

/// What begins a model of the hub.
const HUB: &str = "hub:";

/// The folder that `argument` means; fetches a model of the hub when it is not in the cache.
///
/// # Errors
/// [`Error::Input`] when there is no such folder, or the hub's model cannot be had.
pub(super) fn folder(argument: &str) -> Result<PathBuf, Error> {
    if let Some(model) = argument.strip_prefix(HUB) {
        let model = HubModel::parse(model)?;
        let snapshot = fetched(&model).map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))?;
        return Ok(snapshot.folder);
    }
    let folder = PathBuf::from(argument);
    if folder.is_dir() {
        return Ok(folder);
    }
    let finding = Diagnostic::new(format!("no checkpoint folder at {argument}"));
    Err(match HubModel::parse(argument) {
        Ok(_) if argument.contains('/') => finding.hint(format!("a model of the hub is `{HUB}{argument}`")),
        _ => finding.hint("a folder with config.json, weights and vocab.txt, or `hub:ORG/NAME`"),
    }
    .into())
}

/// The snapshot of a model of the hub, fetched as far as needed; shows how that goes.
pub(super) fn fetched(model: &HubModel) -> Result<Snapshot, HubError> {
    let settings = HubSettings::from_environment()?;
    fetch(&settings, &model.repository, &model.revision, &mut HubDisplay::new())
}
