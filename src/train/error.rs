//! Why a run ends without a record.

use crate::corpus::examples::ExamplesError;
use crate::diagnostic::{Diagnostic, Error};
use crate::kernel::DeviceFault;
use crate::model::CheckpointError;
use crate::store::StoreError;
use crate::train::{DeviceError, NothingToTune, PrecisionError};

/// Why a run ends without a record.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The numbers are no longer finite.
    #[error("diverged at step {step}: loss {loss}, gradient norm {gradient_norm}")]
    Diverged {
        /// The step, from 1.
        step: u64,
        /// The step's loss.
        loss: f64,
        /// Global norm of the step's gradient.
        gradient_norm: f64,
    },
    /// The user stopped it; the run is missing, not failed.
    #[error("stopped after step {step}")]
    Stopped {
        /// Steps finished.
        step: u64,
    },
    /// The weights cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The device failed while it computed.
    #[error(transparent)]
    DeviceFault(#[from] DeviceFault),
    /// The device does not compute in the precision.
    #[error(transparent)]
    Precision(#[from] PrecisionError),
    /// The device has no kernels to choose among.
    #[error(transparent)]
    Tuning(#[from] NothingToTune),
    /// The data or the vocabulary is at fault.
    #[error(transparent)]
    Input(#[from] Diagnostic),
    /// A file of the run cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ExamplesError> for TrainError {
    fn from(error: ExamplesError) -> Self {
        match error {
            ExamplesError::Input(finding) => Self::Input(*finding),
            ExamplesError::Io(error) => error.into(),
        }
    }
}

impl From<std::io::Error> for TrainError {
    fn from(error: std::io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<TrainError> for Error {
    fn from(error: TrainError) -> Self {
        if let TrainError::Input(finding) = error { finding.into() } else { Self::system(error) }
    }
}
