//! What can go wrong when a corpus is prepared or read.

use std::io;

use crate::diagnostic::{Diagnostic, Error};

/// Why a corpus could not be prepared or an example not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExamplesError {
    /// The input or the settings are at fault, or a file is damaged.
    #[error("{0}")]
    Input(Box<Diagnostic>),
    /// The disk said no; the message names the file.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<Diagnostic> for ExamplesError {
    fn from(finding: Diagnostic) -> Self {
        Self::Input(Box::new(finding))
    }
}

impl From<ExamplesError> for Error {
    fn from(error: ExamplesError) -> Self {
        match error {
            ExamplesError::Input(finding) => (*finding).into(),
            ExamplesError::Io(error) => error.into(),
        }
    }
}
