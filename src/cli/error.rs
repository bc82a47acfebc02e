//! How commands end, and why they cannot be carried out.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::diagnostic::{Diagnostic, visible};
use crate::exec::ExecError;
use crate::exec::slurm::SlurmError;
use crate::infer::InferError;
use crate::resolve::ResolveError;
use crate::store::StoreError;
use crate::train::TrainError;

/// How a command that could be carried out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandOutcome {
    /// Everything asked for is there.
    Success,
    /// It was carried out, and something in it failed (exit code 1).
    Failures,
    /// The user stopped it (exit code 130).
    Interrupted,
}

/// Why a command could not be carried out.
#[derive(Debug)]
pub(super) enum Error {
    /// The user's input is at fault: exit code 2.
    Input(Vec<Diagnostic>),
    /// The machine is: exit code 1.
    System(String),
}

impl From<Diagnostic> for Error {
    fn from(finding: Diagnostic) -> Self {
        Self::Input(vec![finding])
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::System(error.to_string())
    }
}

impl From<TrainError> for Error {
    fn from(error: TrainError) -> Self {
        if let TrainError::Input(finding) = error {
            return finding.into();
        }
        Self::System(error.to_string())
    }
}

impl From<ExecError> for Error {
    fn from(error: ExecError) -> Self {
        Self::System(error.to_string())
    }
}

impl From<SlurmError> for Error {
    fn from(error: SlurmError) -> Self {
        let found = Diagnostic::new(error.to_string());
        match error {
            SlurmError::NotFound(_) => found
                .hint("Slurm's programs are on the login node of a cluster; `bertbench run` needs none of them")
                .into(),
            SlurmError::Refused { .. } => Self::Input(vec![found]),
            SlurmError::Store(error) => error.into(),
        }
    }
}

impl From<InferError> for Error {
    fn from(error: InferError) -> Self {
        match error {
            InferError::Input(finding) => (*finding).into(),
            InferError::NotFinite { .. } | InferError::Device(_) => Self::System(error.to_string()),
        }
    }
}

impl From<ResolveError> for Error {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Input(findings) => Self::Input(findings),
            ResolveError::System(message) => Self::System(message),
        }
    }
}

/// A line on standard error.
pub(super) fn say(text: &impl std::fmt::Display) {
    eprintln!("{}", visible(&text.to_string()));
}

/// What of a model or its input is worth knowing, once.
pub(super) fn note(text: &impl std::fmt::Display) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let text = text.to_string();
    if SAID.lock().is_ok_and(|mut said| said.insert(text.clone())) {
        say(&format_args!("note: {text}"));
    }
}
