//! Why no kernels can be timed.

/// Why nothing can be timed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`autotune` times the kernels of a GPU, and the device is `{0}`")]
pub struct NothingToTune(pub String);

impl NothingToTune {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "leave `autotune` out; on the CPU the instructions that it has decide"
    }
}
