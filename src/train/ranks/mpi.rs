//! Ranks through MPI.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::request::{Request, Scope};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};
use mpi::{Count, Threading};

use super::{LEADER, Ranks, slice_of};

/// Between two looks whether a message has come. Far shorter ones slow down the thread that computes on the same core: on a
/// virtual machine every timer is an exit to its host, and with 20 microseconds a step took a fifth longer.
const PAUSE: Duration = Duration::from_millis(1);

/// The processes that `mpirun` started together. Dropping it is `MPI_Finalize`.
pub(super) struct Mpi {
    world: SimpleCommunicator,
    sleeps: Cell<bool>,
    overlaps: bool,
    _universe: Universe,
}

impl fmt::Debug for Mpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank(), self.size())
    }
}

impl Mpi {
    /// `MPI_Init`; nothing when it was called before.
    pub(super) fn start(overlaps: bool) -> Option<Self> {
        // One thread calls MPI, which need not be the process's first one.
        let (universe, _) = mpi::initialize_with_threading(Threading::Serialized)?;
        Some(Self { world: universe.world(), sleeps: Cell::new(false), overlaps, _universe: universe })
    }

    /// `MPI_Wait`, which keeps a core busy, or short sleeps.
    fn wait<'a, D: ?Sized, S: Scope<'a>>(&self, mut request: Request<'a, D, S>) {
        while self.sleeps.get() {
            match request.test() {
                Ok(_) => return,
                Err(unfinished) => request = unfinished,
            }
            std::thread::sleep(PAUSE);
        }
        request.wait_without_status();
    }

    /// How long each rank's slice of so many numbers is, and where it begins.
    fn slices(&self, numbers: usize) -> (Vec<Count>, Vec<Count>) {
        let of = |rank| slice_of(numbers, self.size(), rank);
        (0..self.size()).map(|rank| (of(rank).len() as Count, of(rank).start as Count)).unzip()
    }
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn all_gather_words(&self, words: &[u64]) -> Vec<u64> {
        let mut all = vec![0; words.len() * self.size()];
        mpi::request::scope(|scope| self.wait(self.world.immediate_all_gather_into(scope, words, &mut all[..])));
        all
    }

    fn all_gather(&self, slice: &[f32], all: &mut [f32]) {
        let (counts, starts) = self.slices(all.len());
        let mut all = PartitionMut::new(all, counts, starts);
        mpi::request::scope(|scope| self.wait(self.world.immediate_all_gather_varcount_into(scope, slice, &mut all)));
    }

    fn all_to_all(&self, send: &[f32], received: &mut [f32]) {
        let (counts, starts) = self.slices(send.len());
        let own = counts[self.rank()];
        let from: Vec<Count> = (0..self.size() as Count).map(|rank| rank * own).collect();
        let mut received = PartitionMut::new(received, vec![own; self.size()], from);
        let send = Partition::new(send, counts, starts);
        mpi::request::scope(|scope| {
            self.wait(self.world.immediate_all_to_all_varcount_into(scope, &send, &mut received))
        });
    }

    fn broadcast(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let leader = self.world.process_at_rank(LEADER as i32);
        let mut length = bytes.len() as u64;
        leader.broadcast_into(&mut length);
        bytes.resize(length as usize, 0);
        if length > 0 {
            // Open MPI refuses to send nothing.
            leader.broadcast_into(&mut bytes[..]);
        }
        bytes
    }

    fn abort(&self) {
        self.world.abort(1);
    }

    fn sleep_in_waits(&self, sleep: bool) {
        self.sleeps.set(sleep && self.overlaps);
    }

    fn overlaps(&self) -> bool {
        self.overlaps
    }
}
