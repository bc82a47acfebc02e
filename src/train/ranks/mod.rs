//! Data-parallel training: the processes that share a run. Each computes parts of every batch, the gradients of the
//! parts are summed in the order of the parts, and one process, the leader, evaluates and writes.
//!
//! Which parts there are is a setting of the run (`gradient_accumulation_steps`) and how their gradients are added is
//! fixed, so the number of processes changes no bit of the result.

mod assignment;
mod connect;
mod follow;
#[cfg(feature = "mpi")]
mod mpi;
mod ordered_sum;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod threads;

use std::fmt::Debug;
use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::train::error::TrainError;

pub use assignment::end;
pub(super) use assignment::{Assignment, announce};
pub use connect::{Launched, connect, launched};
pub use follow::follow;
pub(super) use ordered_sum::OrderedSum;

/// The rank that evaluates and writes.
const LEADER: usize = 0;

/// What the leader says before each step of a run: that there is one,
pub(super) const GOES_ON: u64 = 1;
/// or that there is none.
pub(super) const STOPS: u64 = 0;

/// Processes that compute together. Every call that tells or asks another rank is a collective one: it returns
/// when all ranks have called it, and all have to call the same ones in the same order.
pub trait Ranks: Debug {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;
    /// How many there are.
    fn size(&self) -> usize;
    /// The words of every rank, as many from each, in the order of ranks.
    fn all_gather_words(&self, words: &[u64]) -> Vec<u64>;
    /// Puts the slices of all ranks into `all`, each where `slice_of` says.
    fn all_gather(&self, slice: &[f32], all: &mut [f32]);
    /// `send` has a slice for every rank, where `slice_of` says; `received` gets those that the ranks have for this
    /// one, one behind the other.
    fn all_to_all(&self, send: &[f32], received: &mut [f32]);
    /// What the leader gives; what others give counts for nothing.
    fn broadcast(&self, bytes: Vec<u8>) -> Vec<u8>;
    /// Ends the processes of all ranks at once.
    fn abort(&self);
    /// Whether calls sleep while they wait, for another thread computes on the core that they would keep busy; until it
    /// is said, and where no core is kept busy, they do as they like.
    fn sleep_in_waits(&self, _sleep: bool) {}
    /// Whether gradients are exchanged while others are computed, by a thread of the pool that is there for it.
    fn overlaps(&self) -> bool {
        true
    }
}

/// The slice of `rank` of so many numbers: those of the last ranks may be shorter than the others.
pub(super) fn slice_of(numbers: usize, size: usize, rank: usize) -> Range<usize> {
    let slice = numbers.div_ceil(size);
    (rank * slice).min(numbers)..((rank + 1) * slice).min(numbers)
}

impl dyn Ranks + '_ {
    /// Whether this is the rank that evaluates and writes.
    pub(super) fn leads(&self) -> bool {
        self.rank() == LEADER
    }

    /// The leader's word.
    pub(super) fn word_of_leader(&self, word: u64) -> u64 {
        if self.size() == 1 {
            return word;
        }
        self.all_gather_words(&[word]).first().copied().unwrap_or(word)
    }

    /// `result` when no rank failed.
    ///
    /// # Errors
    /// This rank's own, or that another one failed, whose own message tells more.
    pub(super) fn agree<T>(&self, result: Result<T, TrainError>) -> Result<T, TrainError> {
        if self.size() == 1 {
            return result;
        }
        let fine = self.all_gather_words(&[u64::from(result.is_ok())]);
        match fine.iter().position(|fine| *fine == 0) {
            Some(rank) if result.is_ok() => {
                let message = format!("rank {rank} of the {} processes that share the run failed", self.size());
                Err(Diagnostic::new(message).hint("its message is among what `mpirun` or `srun` printed").into())
            }
            _ => result,
        }
    }

    /// `act` on the leader, and when it has succeeded on all others: what it makes and keeps in a cache is made once.
    ///
    /// # Errors
    /// As `agree`.
    pub(super) fn leader_first<T>(&self, act: impl FnOnce() -> Result<T, TrainError>) -> Result<T, TrainError> {
        if self.leads() {
            let made = self.agree(act())?;
            return self.agree(Ok(made));
        }
        self.agree(Ok(()))?;
        self.agree(act())
    }

    /// Which of the `passes` of a step this rank makes.
    pub(super) fn share_of(&self, passes: usize) -> Share {
        // What cannot be divided is computed by all, which costs no more time and no exchange.
        if passes < 2 {
            Share { first: 0, every: 1, passes }
        } else {
            Share { first: self.rank(), every: self.size(), passes }
        }
    }
}

/// Some of the passes of a step: every so many from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::train) struct Share {
    first: usize,
    every: usize,
    passes: usize,
}

impl Share {
    /// The passes, ascending.
    pub(super) fn numbers(self) -> impl Iterator<Item = usize> {
        (self.first..self.passes).step_by(self.every)
    }

    /// Whether other ranks have the other passes.
    pub(super) fn is_partial(self) -> bool {
        self.every > 1
    }

    /// Passes that the rank with the most of them makes.
    pub(super) fn rounds(self) -> usize {
        self.passes.div_ceil(self.every)
    }
}

/// One process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        LEADER
    }

    fn size(&self) -> usize {
        1
    }

    fn all_gather_words(&self, words: &[u64]) -> Vec<u64> {
        words.to_vec()
    }

    fn all_gather(&self, slice: &[f32], all: &mut [f32]) {
        all.copy_from_slice(slice);
    }

    fn all_to_all(&self, send: &[f32], received: &mut [f32]) {
        received.copy_from_slice(send);
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    fn abort(&self) {}
}
