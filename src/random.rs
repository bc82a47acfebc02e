//! Random numbers with names: Philox4x32-10, a counter-based generator.
//!
//! A stream is keyed by (seed, name) and addressed by a step, so that a resumed run draws the same
//! numbers and neither the order of calls elsewhere nor the number of threads changes a draw.
//! Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", table 2 (10 rounds).

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One block of Philox4x32-10: 128 random bits that depend on `counter` and `key` alone.
#[must_use]
#[inline]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        let (a_high, a_low, b_high, b_low) = ((a >> 32) as u32, a as u32, (b >> 32) as u32, b as u32);
        counter = [b_high ^ counter[1] ^ key[0], b_low, a_high ^ counter[3] ^ key[1], a_low];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// A named family of random numbers. Cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// The stream called `name` (`init`, `shuffle`, `dropout`, `masking`, …) of an experiment's seed.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(&seed.to_le_bytes());
        hash.update(name.as_bytes());
        let digest = hash.finalize();
        let bytes = digest.as_bytes();
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Self { key: [word(0), word(4)] }
    }

    /// The key of Philox, for kernels that compute their own counters `[block, 0, step low, step high]`.
    #[must_use]
    pub fn key(self) -> [u32; 2] {
        self.key
    }

    /// The draws of this stream at one step (an optimisation step, an epoch, a tensor's index…).
    #[must_use]
    pub fn at(self, step: u64) -> Draws {
        Draws { key: self.key, step, block: 0, buffer: [0; 4], used: 4 }
    }
}

/// A sequence of random numbers at one step of a [`Stream`].
#[derive(Clone, Debug)]
pub struct Draws {
    key: [u32; 2],
    step: u64,
    block: u64,
    buffer: [u32; 4],
    used: usize,
}

impl Draws {
    /// The next 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.refill();
        }
        self.used += 1;
        self.buffer[self.used - 1]
    }

    fn refill(&mut self) {
        let counter = [self.block as u32, (self.block >> 32) as u32, self.step as u32, (self.step >> 32) as u32];
        self.buffer = philox(counter, self.key);
        self.block += 1;
        self.used = 0;
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        let bits = (self.next_u64() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// Uniform in `0..bound` without modulo bias (Lemire 2019). `bound` of 0 gives 0.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            let (high, low) = ((product >> 64) as usize, product as u64);
            // The exact test is below `bound` and costs a division, which is hardly ever needed.
            if low >= bound || low >= bound.wrapping_neg().checked_rem(bound).unwrap_or(0) {
                return high;
            }
        }
    }

    /// Standard normal (Box–Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// A uniformly random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// One of `items`.
    ///
    /// # Panics
    /// When `items` is empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the Random123 library, file `kat_vectors`, philox4x32 10 rounds.
    #[test]
    fn philox_gives_the_published_vectors() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_differ_by_seed_name_and_step_and_repeat() {
        let first = |s: Stream, step| s.at(step).next_u64();
        let a = Stream::new(1, "init");
        assert_eq!(first(a, 0), first(Stream::new(1, "init"), 0));
        assert_ne!(first(a, 0), first(a, 1));
        assert_ne!(first(a, 0), first(Stream::new(2, "init"), 0));
        assert_ne!(first(a, 0), first(Stream::new(1, "dropout"), 0));
    }

    #[test]
    fn moments_of_uniform_and_normal() {
        let mut draws = Stream::new(3, "test").at(0);
        let n = 200_000;
        let (mut sum, mut normal_sum, mut normal_squares) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            sum += draws.uniform();
            let z = draws.normal();
            normal_sum += z;
            normal_squares += z * z;
        }
        let n = f64::from(n);
        // Five standard errors.
        assert!((sum / n - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt());
        assert!((normal_sum / n).abs() < 5.0 / n.sqrt());
        assert!((normal_squares / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
    }

    #[test]
    fn shuffle_is_a_permutation() {
        let mut items: Vec<usize> = (0..1000).collect();
        Stream::new(1, "shuffle").at(0).shuffle(&mut items);
        assert_ne!(items, (0..1000).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..1000).collect::<Vec<_>>());
    }
}
