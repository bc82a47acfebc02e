//! Why a trained model gives no predictions.

use crate::diagnostic::{Diagnostic, Error};
use crate::kernel::DeviceFault;

/// Why there are no predictions.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// The model or what it should predict is at fault.
    #[error("{0}")]
    Input(Box<Diagnostic>),
    /// The model's numbers overflow.
    #[error("{file}: the model's outputs are not finite numbers")]
    NotFinite {
        /// The file that was to be predicted.
        file: &'static str,
    },
    /// The device failed while it computed.
    #[error(transparent)]
    Device(#[from] DeviceFault),
}

impl From<Diagnostic> for InferError {
    fn from(finding: Diagnostic) -> Self {
        Self::Input(Box::new(finding))
    }
}

impl From<InferError> for Error {
    fn from(error: InferError) -> Self {
        match error {
            InferError::Input(finding) => (*finding).into(),
            InferError::NotFinite { .. } | InferError::Device(_) => Self::system(error),
        }
    }
}
