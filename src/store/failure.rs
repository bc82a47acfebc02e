//! Why runs fail.

use std::io::ErrorKind;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::record::Failure;
use crate::settings::written;

/// The kinds of [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// A bug: the training code panicked.
    Panic,
    /// The loss or a gradient became NaN or infinite.
    Diverged,
    /// An allocation failed, or the system killed the process for its memory.
    OutOfMemory,
    /// A GPU was lost, or its driver failed.
    Device,
    /// A signal ended the process that trained.
    Killed,
    /// The disk, or the user's share of it, is full: nothing that is wrong with the run.
    DiskFull,
    /// Anything else: a file that vanished.
    Error,
}

impl Failure {
    /// A failure that happens now, because of `error` or what it came from.
    #[must_use]
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let kind = if is_disk_full(error) { FailureKind::DiskFull } else { FailureKind::Error };
        Self::now(kind, error.to_string())
    }

    /// A failure that happens now.
    #[must_use]
    pub fn now(kind: FailureKind, cause: impl Into<String>) -> Self {
        Self { kind: written(&kind), cause: cause.into(), at_unix: unix_now() }
    }

    /// Whether it is one of this kind.
    #[must_use]
    pub fn is(&self, kind: FailureKind) -> bool {
        self.kind == written(&kind)
    }
}

/// Whether `error`, or one that it came from, is a full disk or a quota that is used up.
#[must_use]
pub fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let full = |error: &std::io::Error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<std::io::Error>().is_some_and(full) {
            return true;
        }
        next = error.source();
    }
    // What became a message for the user on the way.
    let said = error.to_string();
    said.contains("os error 28)") || said.contains("os error 122)")
}

/// Whether a message of a driver is about memory that is used up.
#[must_use]
pub fn says_out_of_memory(message: &str) -> bool {
    let said = message.to_lowercase();
    // WebGPU's and CUDA's words, and those of CubeCL's allocator.
    ["out of memory", "outofmemory", "out_of_memory", "not enough memory"].iter().any(|words| said.contains(words))
}

/// Now, seconds since 1970-01-01 UTC.
#[must_use]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
