//! The order of examples in training: each epoch another permutation, computed on the fly.

use serde::{Deserialize, Serialize};

use crate::random::{Stream, philox};

/// Rounds of the Feistel network. Three make it indistinguishable from random by few queries (Luby and Rackoff 1988);
/// six leave a margin for small domains.
const ROUNDS: u32 = 6;

/// Where training stands in the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Epochs that are complete.
    pub epoch: u64,
    /// Examples of this epoch that were taken.
    pub position: u64,
}

/// A permutation of `0..examples` for each epoch, in no memory: a Feistel network over as many bits as needed,
/// walked until it comes back below `examples` (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
#[derive(Clone, Copy, Debug)]
pub struct ExampleOrder {
    examples: u64,
    key: [u32; 2],
    /// Bits of half a number.
    half: u32,
}

impl ExampleOrder {
    /// The orders of `examples` examples for a seed.
    #[must_use]
    pub fn new(examples: u64, seed: u64) -> Self {
        let bits = u64::BITS - examples.saturating_sub(1).leading_zeros();
        // Philox mixes halves of up to 32 bits.
        Self { examples, key: Stream::new(seed, "shuffle pretraining").key(), half: bits.div_ceil(2).max(1) }
    }

    /// Which example comes at `position` (below the number of examples) in an epoch.
    #[must_use]
    pub fn example(&self, epoch: u64, position: u64) -> u64 {
        // A walk that begins below `examples` comes back there, for it is on a cycle; one from above might not.
        let mut number = position % self.examples.max(1);
        loop {
            // The network permutes up to four times as many numbers, so the walk is short.
            number = self.step(epoch, number);
            if number < self.examples.max(1) {
                return number;
            }
        }
    }

    fn step(&self, epoch: u64, number: u64) -> u64 {
        let mask = (1u64 << self.half) - 1;
        let (mut left, mut right) = (number >> self.half, number & mask);
        for round in 0..ROUNDS {
            let counter = [right as u32, round, epoch as u32, (epoch >> 32) as u32];
            let mixed = u64::from(philox(counter, self.key)[0]) & mask;
            (left, right) = (right, left ^ mixed);
        }
        left << self.half | right
    }

    /// The examples of a batch from `cursor` on, each with its epoch, and the cursor after it. A batch that an
    /// epoch's end falls into goes on with the next epoch, so that every batch has `size` examples. Of no
    /// examples there are none.
    #[must_use]
    pub fn batch(&self, mut cursor: Cursor, size: usize) -> (Vec<(u64, u64)>, Cursor) {
        let mut batch = Vec::new();
        while batch.len() < size && self.examples > 0 {
            if cursor.position >= self.examples {
                cursor = Cursor { epoch: cursor.epoch + 1, position: 0 };
            }
            batch.push((self.example(cursor.epoch, cursor.position), cursor.epoch));
            cursor.position += 1;
        }
        (batch, cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_is_another_permutation() {
        for examples in [1, 2, 3, 5, 64, 65, 1000, 4097] {
            let order = ExampleOrder::new(examples, 1);
            let epochs: Vec<Vec<u64>> =
                (0..3).map(|epoch| (0..examples).map(|position| order.example(epoch, position)).collect()).collect();
            for epoch in &epochs {
                let mut sorted = epoch.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..examples).collect::<Vec<_>>());
            }
            if examples >= 64 {
                assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
                assert_ne!(
                    epochs[0],
                    (0..examples).map(|at| ExampleOrder::new(examples, 2).example(0, at)).collect::<Vec<_>>()
                );
            }
        }
    }

    /// Over many epochs every example comes at every position equally often: a chi-squared test of the table of
    /// 20 × 20 counts, whose statistic has mean 361 and standard deviation 27 (19 × 19 degrees of freedom).
    #[test]
    fn positions_are_uniform() {
        let (examples, epochs) = (20, 20_000);
        let order = ExampleOrder::new(examples, 3);
        let mut counts = vec![0u32; (examples * examples) as usize];
        for epoch in 0..epochs {
            for position in 0..examples {
                counts[(position * examples + order.example(epoch, position)) as usize] += 1;
            }
        }
        let expected = epochs as f64 / examples as f64;
        let statistic: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!((361.0 - 5.0 * 27.0..361.0 + 5.0 * 27.0).contains(&statistic), "{statistic}");
    }

    #[test]
    fn huge_corpora_have_an_order_too() {
        let order = ExampleOrder::new(u64::MAX, 1);
        let mut seen: Vec<u64> = (0..1000).map(|position| order.example(7, position)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1000);
        assert!(seen[500] > u64::MAX / 4 && seen[500] < u64::MAX / 4 * 3);
        assert!(ExampleOrder::new(0, 1).batch(Cursor::default(), 4).0.is_empty());
    }

    #[test]
    fn batches_go_on_from_any_cursor_and_into_the_next_epoch() {
        let order = ExampleOrder::new(10, 1);
        let (all, end) = order.batch(Cursor::default(), 25);
        assert_eq!(end, Cursor { epoch: 2, position: 5 });
        assert_eq!(
            all.iter().map(|(_, epoch)| *epoch).collect::<Vec<_>>(),
            [[0; 10].as_slice(), &[1; 10], &[2; 5]].concat()
        );
        let (mut again, mut cursor) = (Vec::new(), Cursor::default());
        for size in [4, 4, 4, 4, 9] {
            let (batch, next) = order.batch(cursor, size);
            again.extend(batch);
            cursor = next;
        }
        assert_eq!((again, cursor), (all, end));
    }
}
