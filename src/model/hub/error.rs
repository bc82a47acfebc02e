//! Why a model of the hub cannot be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::download::DownloadError;
use crate::model::config_error::ConfigError;
use crate::units::Bytes;

/// Why a model of the hub cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// Neither `HF_HOME` nor a home folder is known.
    #[error("no folder for the hub's cache: neither HF_HOME nor HOME is set")]
    NoCache,
    /// `HF_ENDPOINT` is not the address of a server.
    #[error("HF_ENDPOINT is `{0}`, which is not the address of a server")]
    Endpoint(String),
    /// The name cannot be a repository's, or the revision not one of git's.
    #[error("`{repository}` at revision `{revision}` cannot be a model of the hub")]
    Name {
        /// The name.
        repository: String,
        /// The revision.
        revision: String,
    },
    /// `HF_HUB_OFFLINE` forbids to fetch what the cache lacks.
    #[error("{repository} (revision {revision}) {} at {}, and HF_HUB_OFFLINE is set", lacking(missing), cache.display())]
    Offline {
        /// The model.
        repository: String,
        /// The revision that was asked for.
        revision: String,
        /// The folder of the cache.
        cache: PathBuf,
        /// What is missing of a snapshot that is there; empty when there is none.
        missing: Vec<String>,
    },
    /// No answer from the hub, and the cache does not have the model.
    #[error("{endpoint} cannot be reached ({cause}), and {repository} {} on this machine", lacking(missing))]
    Unreachable {
        /// The model.
        repository: String,
        /// The hub's address.
        endpoint: String,
        /// What the network says.
        cause: String,
        /// As in [`Self::Offline`].
        missing: Vec<String>,
    },
    /// The hub does not know the repository, or hides it from this user.
    #[error("{endpoint} has no repository {repository}")]
    NoRepository {
        /// The model.
        repository: String,
        /// The hub's address.
        endpoint: String,
    },
    /// The repository does not have the revision.
    #[error("{repository} has no revision `{revision}`")]
    NoRevision {
        /// The model.
        repository: String,
        /// The revision that was asked for.
        revision: String,
    },
    /// The user may not read the repository.
    #[error("{endpoint} refuses access to {repository}: it is private or gated (status {status})")]
    Denied {
        /// The model.
        repository: String,
        /// The hub's address.
        endpoint: String,
        /// 401 or 403.
        status: u16,
        /// Whether a token was sent.
        with_token: bool,
    },
    /// The repository is no BERT's.
    #[error("{repository} is not a BERT that can be read: {reason}")]
    NotBert {
        /// The model.
        repository: String,
        /// What is missing.
        reason: String,
    },
    /// Its configuration is refused; the weights were not fetched.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// There is not enough room for a file.
    #[error("{file} of {repository} needs {needed} more, and {} has {free} left", cache.display())]
    NoRoom {
        /// The model.
        repository: String,
        /// The file.
        file: String,
        /// How much is still to come.
        needed: Bytes,
        /// The folder of the cache.
        cache: PathBuf,
        /// What the file system has.
        free: Bytes,
    },
    /// The server does not answer as the hub does.
    #[error("{endpoint} does not answer as the hub does: {problem}")]
    Answer {
        /// The hub's address.
        endpoint: String,
        /// What is wrong.
        problem: String,
    },
}

impl HubError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoCache => "`HF_HOME=path/to/cache` says where models are kept",
            Self::Endpoint(_) => "for example `HF_ENDPOINT=https://huggingface.co`; unset, that is the hub",
            Self::Name { .. } => "for example `google-bert/bert-base-uncased` at `main`",
            Self::Offline { .. } => "unset HF_HUB_OFFLINE to fetch it, or name a folder that holds the model",
            Self::Unreachable { .. } => {
                "is there a network connection? a folder that holds the model can be named instead"
            }
            Self::NoRepository { .. } => {
                "check its name; to see a private one, set HF_TOKEN to a token that may read it"
            }
            Self::NoRevision { .. } => "name a branch, a tag or a commit that it has; `main` always exists",
            Self::Denied { with_token: false, .. } => "set HF_TOKEN to a token that may read it",
            Self::Denied { with_token: true, .. } => {
                "the token that was sent may not read it: accept the terms on the model's page, or set another HF_TOKEN"
            }
            Self::NotBert { .. } => {
                "config.json and model.safetensors or pytorch_model.bin are needed, whole or with an index of parts"
            }
            Self::Config(_) => "only BERT models can be run",
            Self::Download(DownloadError::Interrupted { .. }) => "the same command resumes from there",
            Self::Download(DownloadError::Unreachable { .. }) => "is there a network connection?",
            Self::Download(DownloadError::Checksum { .. }) => {
                "something changes it in transit: try another network or another HF_ENDPOINT"
            }
            Self::Download(DownloadError::Disk { .. }) => "HF_HOME says where models are kept",
            Self::NoRoom { .. } => "free some space, or keep the cache elsewhere with HF_HOME",
            Self::Answer { .. }
            | Self::Download(
                DownloadError::Refused { .. } | DownloadError::Size { .. } | DownloadError::TooLarge { .. },
            ) => "is HF_ENDPOINT the address of a hub?",
        }
    }

    /// An error of the cache's file system.
    pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let disk = DownloadError::disk(path);
        move |source| disk(source).into()
    }
}

/// How a model is not in the cache.
fn lacking(missing: &[String]) -> String {
    if missing.is_empty() {
        "is not in the cache".to_owned()
    } else {
        format!("lacks {} in the cache", missing.join(", "))
    }
}
