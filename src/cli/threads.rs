//! How many threads compute.

use crate::diagnostic::Error;
use crate::sweep::cores;
use crate::terminal::note;

/// The threads of a command that computes in this process.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ThreadArgs {
    /// Threads to compute with [default: one per CPU core]. Their number does not change results.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    pub(super) threads: Option<u32>,
}

/// More are a slip: no machine has as many cores.
pub(super) const MOST: i64 = 4096;

/// A thread of the pool carries a whole command, so it gets as much stack as a main thread has.
pub(super) const STACK_BYTES: usize = 8 << 20;

impl ThreadArgs {
    /// Carries out `command` on one of so many threads. A command that starts on a thread of the pool
    /// hands half of every parallel loop to the others and takes the other half itself; from outside it
    /// would hand over everything and wait.
    pub(super) fn compute<T: Send>(self, command: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
        compute(self.threads.map(|threads| threads as usize), command)
    }
}

/// As [`ThreadArgs::compute`], with `threads` threads; `None` is one a core.
///
/// This is the process's only pool: nothing may compute before it is made.
pub(super) fn compute<T: Send>(
    threads: Option<usize>,
    command: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let mut pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES);
    // Left open, it is RAYON_NUM_THREADS, else one a core.
    if let Some(threads) = threads {
        pool = pool.num_threads(threads);
    }
    pool.build_global().map_err(|error| Error::System(format!("cannot start threads: {error}")))?;
    rayon::scope(|_| command())
}

/// Says that so many runs of so many threads are more than the cores.
pub(super) fn note_too_many(slots: usize, threads: usize) {
    let cores = cores();
    if slots.saturating_mul(threads) > cores {
        let runs = if slots == 1 { "1 run of".to_owned() } else { format!("{slots} runs at a time, each of") };
        note(&format_args!("{runs} {threads} threads, on {cores} cores"));
    }
}
