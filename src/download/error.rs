//! Why a file cannot be had.

use std::io;
use std::path::{Path, PathBuf};

use crate::units::Bytes;

/// Why a file cannot be had. `file` is its address, or its name and where it belongs.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No answer, even after several attempts.
    #[error("{file} cannot be reached: {cause}")]
    Unreachable {
        /// The file.
        file: String,
        /// What the network says.
        cause: String,
    },
    /// The server has no such file, or refuses it.
    #[error("{file} cannot be downloaded: status {status}")]
    Refused {
        /// The file.
        file: String,
        /// The status of the answer.
        status: u16,
    },
    /// It did not come whole, even after several attempts.
    #[error("{file}: {cause} after {}", Bytes(*done))]
    Interrupted {
        /// The file.
        file: String,
        /// What the network says.
        cause: String,
        /// Bytes that are kept for the next call.
        done: u64,
    },
    /// It has another size than is published.
    #[error("{file} has {found} bytes, but {expected} are published")]
    Size {
        /// The file.
        file: String,
        /// Bytes as published.
        expected: u64,
        /// Bytes at the address, as far as they came.
        found: u64,
    },
    /// A file of unknown size is larger than any that is meant.
    #[error("{file} has more than {limit}")]
    TooLarge {
        /// The file.
        file: String,
        /// The most that is taken.
        limit: Bytes,
    },
    /// It has another content than it should.
    #[error("{file} arrived damaged: its {kind} is {found}, but {expected} is published")]
    Checksum {
        /// The file.
        file: String,
        /// `SHA-256` or `git hash`.
        kind: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The file system does not do what it is asked for.
    #[error("{}: {}", path.display(), cause_of(source))]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DownloadError {
    /// An error of the file system.
    pub(crate) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Disk { path, source }
    }
}

fn cause_of(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::StorageFull {
        "no space left on the device".to_owned()
    } else {
        error.to_string()
    }
}
