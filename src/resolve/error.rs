//! Why an experiment cannot be resolved.

use crate::corpus::examples::ExamplesError;
use crate::diagnostic::Diagnostic;

/// Why an experiment file cannot become runs on this machine.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// What is wrong with the input: everything that was found, not only the first.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Input(Vec<Diagnostic>),
    /// The machine is at fault: a disk that cannot be read or written.
    #[error("{0}")]
    System(String),
}

impl From<Diagnostic> for ResolveError {
    fn from(finding: Diagnostic) -> Self {
        Self::Input(vec![finding])
    }
}

impl From<std::io::Error> for ResolveError {
    fn from(error: std::io::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl From<ExamplesError> for ResolveError {
    fn from(error: ExamplesError) -> Self {
        match error {
            ExamplesError::Input(finding) => Self::Input(vec![*finding]),
            ExamplesError::Io(error) => error.into(),
        }
    }
}
