//! Why runs fail.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::record::Failure;

/// The kinds of [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// A bug: the training code panicked.
    Panic,
    /// The loss or a gradient became NaN or infinite.
    Diverged,
    /// An allocation failed, or the system killed the process for its memory.
    OutOfMemory,
    /// A signal ended the process that trained.
    Killed,
    /// Anything else: a file that vanished, a full disk.
    Error,
}

impl FailureKind {
    /// As [`Failure::kind`] has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Diverged => "diverged",
            Self::OutOfMemory => "out_of_memory",
            Self::Killed => "killed",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Failure {
    /// A failure that happens now.
    #[must_use]
    pub fn now(kind: FailureKind, cause: impl Into<String>) -> Self {
        Self { kind: kind.name().to_owned(), cause: cause.into(), at_unix: unix_now() }
    }
}

/// Now, seconds since 1970-01-01 UTC.
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
