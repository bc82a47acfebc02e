//! Why a dataset cannot be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::download::DownloadError;
use crate::units::Bytes;

/// Why a dataset cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A file cannot be downloaded.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// A file has another content than it should.
    #[error("{file} has the SHA-256 {found}, but {expected} is {}", source_of(*first_use))]
    Checksum {
        /// The file's address, or its path.
        file: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
        /// The expected one is not published: it was taken down at the first download.
        first_use: bool,
    },
    /// A file that is there has another content than it should; it is left alone.
    #[error("{} exists with different bytes than {}", path.display(), bytes_of(*first_use))]
    Differs {
        /// The file.
        path: PathBuf,
        /// As in [`Self::Checksum`].
        first_use: bool,
    },
    /// There is not enough room.
    #[error("{needed} more are needed, but {} has only {free} left", folder.display())]
    NoRoom {
        /// The folder that is written to.
        folder: PathBuf,
        /// How much is still to come.
        needed: Bytes,
        /// What the file system has.
        free: Bytes,
    },
    /// An archive is damaged, hostile, or not the one that the manifest describes.
    #[error("{archive} cannot be unpacked: {problem}")]
    Archive {
        /// The archive's name.
        archive: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What was downloaded is not what the dataset is made of.
    #[error("{0}")]
    Assembly(Diagnostic),
    /// The files must be had by hand, and are not there.
    #[error("{dataset} cannot be downloaded: {} in {}", missing.join(", "), folder.display())]
    ByHand {
        /// The dataset's name.
        dataset: String,
        /// The folder where its files belong.
        folder: PathBuf,
        /// What is missing or wrong, in words.
        missing: Vec<String>,
        /// How to get them, in several lines.
        how: String,
    },
    /// The manifest does not say how the dataset is had.
    #[error("the manifest of {0} does not say where its files are")]
    NoSource(String),
}

impl FetchError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Download(DownloadError::Unreachable { .. }) => {
                "is there a network connection? `--mirror URL` fetches from another place, which may be a folder"
            }
            Self::Download(DownloadError::Refused { .. }) => {
                "has it moved? `--mirror URL` fetches from another place, which may be a folder"
            }
            Self::Download(DownloadError::Interrupted { .. }) => "the same command resumes from there",
            Self::Download(DownloadError::Disk { .. }) => "`--to DIR` or BERTBENCH_DATA says where data is kept",
            Self::Download(
                DownloadError::Size { .. } | DownloadError::Checksum { .. } | DownloadError::TooLarge { .. },
            )
            | Self::Checksum { .. } => {
                "the download was deleted: the file changed at its source or in transit; `--mirror URL` fetches from another place"
            }
            Self::Differs { .. } => "move it away to keep it, or replace it with `--replace`",
            Self::NoRoom { .. } => "free some space, or fetch to another place with `--to DIR` or BERTBENCH_DATA",
            Self::Archive { .. } => "the download was deleted; `--mirror URL` fetches from another place",
            Self::Assembly(_) => "the download was deleted",
            Self::ByHand { .. } => "how to get it:",
            Self::NoSource(_) => "give it a section `fetch:` like the project's manifests",
        }
    }

    /// An error of the file system.
    pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let disk = DownloadError::disk(path);
        move |source| disk(source).into()
    }
}

fn source_of(first_use: bool) -> &'static str {
    if first_use { "that of the first download" } else { "published" }
}

fn bytes_of(first_use: bool) -> &'static str {
    if first_use { "those of the first download" } else { "the published ones" }
}
