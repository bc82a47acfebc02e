//! Why a dataset cannot be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::units::Bytes;

/// Why a dataset cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer, even after several attempts.
    #[error("{address} cannot be reached: {cause}")]
    Unreachable {
        /// The file's address.
        address: String,
        /// What the network says.
        cause: String,
    },
    /// The server has no such file, or does not give it out.
    #[error("{address} cannot be downloaded: status {status}")]
    Refused {
        /// The file's address.
        address: String,
        /// The status of the answer.
        status: u16,
    },
    /// A file did not come whole, even after several attempts.
    #[error("{address}: {cause} after {}", Bytes(*done))]
    Interrupted {
        /// The file's address.
        address: String,
        /// What the network says.
        cause: String,
        /// Bytes that are kept for the next call.
        done: u64,
    },
    /// A file has another size than its manifest says.
    #[error("{address} has {found} bytes, but {expected} are published")]
    Size {
        /// The file's address.
        address: String,
        /// Bytes in the manifest.
        expected: u64,
        /// Bytes at the address, as far as they came.
        found: u64,
    },
    /// A file of unknown size is larger than any dataset.
    #[error("{address} has more than {limit}")]
    TooLarge {
        /// The file's address.
        address: String,
        /// The most that is taken.
        limit: Bytes,
    },
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
    /// The file system does not do what it is asked for.
    #[error("{}: {}", path.display(), cause_of(source))]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FetchError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "is there a network connection? `--mirror URL` fetches from another place, which may be a folder"
            }
            Self::Refused { .. } => "has it moved? `--mirror URL` fetches from another place, which may be a folder",
            Self::Interrupted { .. } => "the same command resumes from there",
            Self::Size { .. } | Self::Checksum { .. } | Self::TooLarge { .. } => {
                "the download was deleted: the file changed at its source or in transit; `--mirror URL` fetches from another place"
            }
            Self::Differs { .. } => "move it away to keep it, or replace it with `--replace`",
            Self::NoRoom { .. } => "free some space, or fetch to another place with `--to DIR` or BERTBENCH_DATA",
            Self::Archive { .. } => "the download was deleted; `--mirror URL` fetches from another place",
            Self::Assembly(_) => "the download was deleted",
            Self::ByHand { .. } => "how to get it:",
            Self::NoSource(_) => "give it a section `fetch:` like the project's manifests",
            Self::Disk { .. } => "`--to DIR` or BERTBENCH_DATA says where data is kept",
        }
    }

    /// An error of the file system.
    pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Disk { path, source }
    }
}

fn source_of(first_use: bool) -> &'static str {
    if first_use { "that of the first download" } else { "published" }
}

fn bytes_of(first_use: bool) -> &'static str {
    if first_use { "those of the first download" } else { "the published ones" }
}

fn cause_of(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::StorageFull {
        "no space left on the device".to_owned()
    } else {
        error.to_string()
    }
}
