//! What can go wrong with the files of a run.

use std::io;
use std::path::PathBuf;

use super::run_id::RunId;
use crate::diagnostic::Error;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk said no; the message names the file.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A name that cannot be a folder's.
    #[error("{what} `{name}` cannot name a folder: it is empty, starts with a dot or contains a slash")]
    Name {
        /// `experiment`, `task` or `model`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A file that is there and cannot be read as what it should be.
    #[error("{} is damaged: {cause}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The record of another run than the one whose folder it lies in.
    #[error("{} is the record of {of}: its folder was renamed, moved or copied", path.display())]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// `EXPERIMENT/TASK/MODEL/ID` of the run that it says to be of.
        of: String,
    },
    /// A value that must not be in a file, such as NaN where a number is promised.
    #[error("{} cannot be written: {cause}", path.display())]
    Unrepresentable {
        /// The file.
        path: PathBuf,
        /// Which value.
        cause: String,
    },
    /// The run has a record already.
    #[error("run {0} is already done")]
    AlreadyDone(RunId),
    /// Another process has taken the run over.
    #[error("run {0} was taken over by another process")]
    ClaimLost(RunId),
    /// Another process works on the run.
    #[error("run {id} is being worked on by {by} ({})", claim.display())]
    InUse {
        /// The run.
        id: RunId,
        /// Its holder.
        by: String,
        /// The file of its claim.
        claim: PathBuf,
    },
}

impl StoreError {
    /// Whether a file is there that does not say what it should: an error of one run, not of the disk.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Misplaced { .. })
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::system(error)
    }
}

/// What was read; nothing where the file is damaged, which `note` then says.
///
/// # Errors
/// A file that cannot be read for another reason.
pub fn unless_damaged<T>(read: Result<Option<T>, StoreError>, note: fn(&str)) -> Result<Option<T>, StoreError> {
    match read {
        Err(damage) if damage.is_damage() => {
            note(&damage.to_string());
            Ok(None)
        }
        other => other,
    }
}
