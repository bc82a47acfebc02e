//! `run` and `pretrain` as processes that MPI started together.

use super::outcome::CommandOutcome;
use super::threads::compute;
use crate::diagnostic::Error;
use crate::exec::worker;
use crate::sweep::threads_of_rank;
use crate::terminal::note;
use crate::train::{self, connect, launched};

/// What this process does when it is not the first of those that MPI started: it computes what the first one tells.
///
/// # Errors
/// When MPI or the threads do not start.
pub(super) fn follow(threads: Option<u32>) -> Result<Option<CommandOutcome>, Error> {
    let Some(launched) = launched().filter(|launched| launched.rank > 0) else { return Ok(None) };
    worker::ignore_signals()?;
    let threads = threads_of_rank(threads.map(|threads| threads as usize), launched);
    compute(Some(threads + launched.threads_besides()), || {
        let ranks = connect(true)?;
        train::follow(&*ranks, |error| note(&format_args!("rank {}: {error}", launched.rank)))?;
        Ok(Some(CommandOutcome::Success))
    })
}
