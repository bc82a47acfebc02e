//! Threads of this process as ranks.

use std::any::Any;
use std::sync::{Arc, Barrier, Mutex};

use super::{Ranks, slice_of};

type Said = Mutex<Vec<Option<Box<dyn Any + Send>>>>;

#[derive(Clone, Debug)]
pub(in crate::train) struct Threads {
    rank: usize,
    said: Arc<Said>,
    barrier: Arc<(Barrier, usize)>,
}

impl Threads {
    /// What `act` gives as each of so many ranks.
    pub(in crate::train) fn run<T: Send>(size: usize, act: impl Fn(&dyn Ranks) -> T + Sync) -> Vec<T> {
        let said: Arc<Said> = Arc::new(Mutex::new((0..size).map(|_| None).collect()));
        let barrier = Arc::new((Barrier::new(size), size));
        let all: Vec<Self> =
            (0..size).map(|rank| Self { rank, said: Arc::clone(&said), barrier: Arc::clone(&barrier) }).collect();
        std::thread::scope(|scope| {
            let act = &act;
            let threads: Vec<_> = all.iter().map(|ranks| scope.spawn(move || act(ranks))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn exchange<T: Clone + Send + 'static>(&self, mine: T) -> Vec<T> {
        self.said.lock().unwrap()[self.rank] = Some(Box::new(mine));
        self.barrier.0.wait();
        let of = |said: &Option<Box<dyn Any + Send>>| said.as_ref().unwrap().downcast_ref::<T>().unwrap().clone();
        let all = self.said.lock().unwrap().iter().map(of).collect();
        self.barrier.0.wait();
        all
    }
}

impl Ranks for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.barrier.1
    }

    fn all_gather_words(&self, words: &[u64]) -> Vec<u64> {
        self.exchange(words.to_vec()).concat()
    }

    fn all_gather(&self, slice: &[f32], all: &mut [f32]) {
        all.copy_from_slice(&self.exchange(slice.to_vec()).concat());
    }

    fn all_to_all(&self, send: &[f32], received: &mut [f32]) {
        let of = |sent: &Vec<f32>| sent[slice_of(sent.len(), self.size(), self.rank)].to_vec();
        received.copy_from_slice(&self.exchange(send.to_vec()).iter().map(of).collect::<Vec<_>>().concat());
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.exchange(bytes).swap_remove(0)
    }

    fn abort(&self) {}
}
