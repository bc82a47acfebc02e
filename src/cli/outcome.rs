//! How commands end.

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
