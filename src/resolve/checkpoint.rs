//! The checkpoint of a model: on this disk, or from the hub.

use std::path::{Path, PathBuf};

use super::progress::{Access, Progress};
use crate::config::{HubModel, ModelSource};
use crate::diagnostic::Diagnostic;
use crate::model::hub::{HubError, HubSettings, Snapshot, fetch};
use crate::model::{CheckpointError, Config, check_weights, checkpoint_head, folder_of};
use crate::store::{CheckpointHead, InitialWeights};

/// What a checkpoint that is refused should have been.
pub(super) const CHECKPOINT_IS: &str = "a checkpoint is a folder of a BERT: config.json, vocab.txt and model.safetensors, pytorch_model.bin or bert_model.ckpt";
/// What begins a model of the hub where a model is one argument.
const HUB: &str = "hub:";

/// The checkpoint's folder, if a model has one, and what it is on the hub, if it is from there. `finding` makes a
/// finding about `models.NAME.checkpoint`, or the key in it that the first argument is, such as `.hub`.
pub(super) fn checkpoint_folder(
    source: &ModelSource,
    access: Access<'_>,
    finding: impl Fn(&str, String) -> Diagnostic,
) -> Result<Option<(PathBuf, Option<String>)>, Diagnostic> {
    match source {
        ModelSource::Random(_) | ModelSource::Pretraining(_) => Ok(None),
        ModelSource::Checkpoint(from) if folder_of(from).is_ok() => Ok(Some((from.clone(), None))),
        ModelSource::Checkpoint(folder) => {
            let found = finding("", format!("no checkpoint folder at {}", folder.display())).absence();
            let name = folder.to_string_lossy();
            Err(match HubModel::parse(&name) {
                Ok(_) if name.contains('/') => {
                    found.hint(format!("a model of the hub is `checkpoint: {{hub: {name}}}`"))
                }
                _ => found.hint(CHECKPOINT_IS),
            })
        }
        ModelSource::Hub(of) => {
            let found = fetched(of, access).map_err(|error| {
                if let (false, HubError::Offline { repository, revision, .. }) = (access.machine, &error) {
                    let message = format!("{repository} at revision {revision} was not fetched from the hub yet");
                    return finding(".hub", message).hint("`bertbench check` fetches it").absence();
                }
                let at_revision = matches!(error, HubError::NoRevision { .. });
                let is_absence = matches!(error, HubError::Offline { .. } | HubError::Unreachable { .. });
                let found = finding(if at_revision { ".revision" } else { ".hub" }, error.to_string());
                Diagnostic { is_absence, ..found.hint(error.hint()) }
            })?;
            let HubModel { repository, .. } = of;
            Ok(Some((found.folder, Some(format!("hub:{repository}@{}", found.commit)))))
        }
    }
}

/// A checkpoint whose configuration and weights fit together.
pub(super) struct Checkpoint<'a> {
    pub(super) config: Config,
    /// The folder around the weights.
    pub(super) folder: &'a Path,
    /// SHA-256 of its weights.
    sha256: String,
    head: Option<CheckpointHead>,
}

impl<'a> Checkpoint<'a> {
    pub(super) fn read(from: &'a Path) -> Result<Self, CheckpointError> {
        let folder = folder_of(from)?;
        let config = Config::read(folder)?;
        let weights = check_weights(from, &config)?;
        Ok(Self { config, folder, sha256: weights.sha256()?, head: checkpoint_head(folder, &weights)? })
    }

    /// Its weights, at `from` and on the hub, as the start of a run.
    pub(super) fn start(&self, from: &Path, hub: Option<String>) -> InitialWeights {
        let (folder, sha256) = (from.to_string_lossy().into_owned(), self.sha256.clone());
        InitialWeights::Checkpoint { folder, sha256, hub, head: self.head.clone() }
    }
}

/// The checkpoint that `argument` means: a folder, a file, the prefix of a TensorFlow checkpoint, or the
/// snapshot of a model of the hub, which is fetched when it is not in the cache.
///
/// # Errors
/// When there is no such checkpoint, or the hub's model cannot be had.
pub fn checkpoint_argument(argument: &str, progress: &dyn Progress) -> Result<PathBuf, Diagnostic> {
    if let Some(model) = argument.strip_prefix(HUB) {
        let model = HubModel::parse(model)?;
        let snapshot = fetched(&model, Access { progress, machine: true, scratch: None })
            .map_err(|error| Diagnostic::new(error.to_string()).hint(error.hint()))?;
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
    })
}

/// The snapshot of a model of the hub, fetched as far as needed.
fn fetched(model: &HubModel, access: Access<'_>) -> Result<Snapshot, HubError> {
    let settings = HubSettings::from_environment()?;
    let settings = HubSettings { offline: settings.offline || !access.machine, ..settings };
    fetch(&settings, &model.repository, &model.revision, access.progress)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Silent;

    fn refused(argument: &str) -> (String, String) {
        match checkpoint_argument(argument, &Silent) {
            Err(finding) => (finding.message, finding.hint.unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_folder_is_taken_and_what_is_none_is_explained() {
        let here = tempfile::tempdir().unwrap();
        assert_eq!(checkpoint_argument(here.path().to_str().unwrap(), &Silent).unwrap(), here.path());
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
