//! Sweeps with real processes and a trainer that only pretends: every job once, whatever dies.
//!
//! The processes are this test program again, which [`child`] makes an executor, a worker or a holder
//! of a claim.

mod crashes;
mod fake;
mod jobs;
mod outcomes;
mod sharing;

/// What the environment says that this process should be.
#[test]
#[ignore = "the entry point of the processes that the other tests start"]
fn child() {
    fake::play();
}
