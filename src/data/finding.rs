//! How a file of a data folder compares with what was published.

use crate::diagnostic::Diagnostic;

/// What was found out about one split's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The dataset's name.
    pub dataset: &'static str,
    /// The split's name.
    pub split: String,
    /// Published number of examples.
    pub published: u64,
    /// How the file compares.
    pub verdict: Verdict,
}

/// How a file compares with the published one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Byte for byte the published file.
    Identical,
    /// As many examples as published, and the bytes that were first fetched; no checksum was published.
    AsFetched,
    /// As many examples as published; no checksum of the file is known.
    SameSize,
    /// As many examples as published, but other bytes.
    OtherBytes,
    /// Another number of examples than published.
    OtherSize {
        /// Examples in the file.
        found: u64,
        /// The first that cannot be read, which is not among them.
        bad: Option<Diagnostic>,
    },
    /// The file cannot be read as this dataset's.
    Unreadable(Diagnostic),
    /// The dataset's folder has no such file.
    Missing(Diagnostic),
}
