//! The files of a mini task: what each is for, and how large.

use super::example::Domain;

/// What a file of a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// With answers, to learn from.
    Train,
    /// With answers, to choose by.
    Dev,
    /// Without answers.
    Test,
}

/// One file of a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    /// File name without `.tsv`.
    pub(super) stem: &'static str,
    /// What it is for.
    pub(super) purpose: Use,
    /// Which genres it has.
    pub(super) domain: Domain,
    /// Examples.
    pub(super) rows: usize,
}
