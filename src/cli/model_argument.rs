//! A model on the command line: a checkpoint on this disk, or a model of the hub that becomes one.

use std::path::PathBuf;

use super::Error;
use super::hub_progress::HubDisplay;
use crate::config::HubModel;
use crate::diagnostic::Diagnostic;
use crate::model::folder_of;
use crate::model::hub::{HubError, HubSettings, Snapshot, fetch};

/// What a `MODEL` argument may be, for its help.
pub(super) const MODEL_HELP: &str = "A checkpoint's folder, its file or the prefix of a TensorFlow checkpoint; or a model of the Hugging Face hub as \
    `hub:ORG/NAME` or `hub:ORG/NAME@REVISION`: it is fetched into the hub's cache when it is not there";

/// What begins a model of the hub.
const HUB: &str = "hub:";

/// The checkpoint that `argument` means: a folder, a file, the prefix of a TensorFlow checkpoint, or the
/// snapshot of a model of the hub, which is fetched when it is not in the cache.
///
/// # Errors
/// [`Error::Input`] when there is no such checkpoint, or the hub's model cannot be had.
pub(super) fn checkpoint(argument: &str) -> Result<PathBuf, Error> {
    if let Some(model) = argument.strip_prefix(HUB) {
        let model = HubModel::parse(model)?;
        let snapshot = fetched(&model).map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))?;
        return Ok(snapshot.folder);
    }
    let path = PathBuf::from(argument);
    if folder_of(&path).is_ok() {
        return Ok(path);
    }
    let finding = Diagnostic::new(format!("no checkpoint at {argument}"));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(argument: &str) -> (String, String) {
        match checkpoint(argument) {
            Err(Error::Input(findings)) => (findings[0].message.clone(), findings[0].hint.clone().unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_folder_is_taken_and_what_is_none_is_explained() {
        let here = tempfile::tempdir().unwrap();
        assert_eq!(checkpoint(here.path().to_str().unwrap()).unwrap(), here.path());
        let (message, hint) = refused("google-bert/bert-base-uncased");
        assert_eq!(message, "no checkpoint at google-bert/bert-base-uncased");
        assert_eq!(hint, "a model of the hub is `hub:google-bert/bert-base-uncased`");
        assert!(refused("nowhere").1.contains("config.json"));
    }

    #[test]
    fn a_name_that_the_hub_cannot_have_is_refused_before_it_is_asked() {
        assert!(refused("hub:../secrets").0.contains("is not the name of a repository"));
        assert_eq!(refused("hub:a/b@").0, "the revision is empty");
    }
}
