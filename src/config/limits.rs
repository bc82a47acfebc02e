//! Limits of numbers in experiment files.

/// `[CLS]`, one token and `[SEP]`: the shortest sequence that says anything.
pub(super) const SHORTEST_SEQUENCE: u32 = 3;
/// Two special tokens more than a sentence pair has tokens at least.
pub(super) const SHORTEST_PAIR: u32 = SHORTEST_SEQUENCE + 2;

// Limits far above any published encoder, which keep products of dimensions from overflowing.
pub(super) const MAX_LAYERS: u32 = 1000;
pub(super) const MAX_INTERMEDIATE: u32 = 1 << 18;
pub(super) const MAX_POSITIONS: u32 = 1 << 20;

/// Steps of a pretraining, all phases together: 2,000 times the paper's. Their product with the largest batch fits 64 bits.
pub(super) const MAX_STEPS: u64 = 1 << 31;
