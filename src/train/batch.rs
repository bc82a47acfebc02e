//! The examples of a step, and what is lost on them.

use std::fmt::Debug;

use burn::tensor::Device;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ranks::Share;
use crate::corpus::examples::Cursor;
use crate::model::PackedInput;
use crate::text::PackedBatch;

/// Losses that can be summed over the parts of a batch and over steps.
pub(super) trait Losses: Copy + Default + Debug + Send + Serialize + DeserializeOwned + 'static {
    /// Adds those of more examples.
    fn add(&mut self, more: &Self);
    /// The loss that is minimised.
    fn loss(&self) -> f64;
    /// All numbers, bit for bit; as many of any losses.
    fn to_words(&self) -> Vec<u64>;
    /// What [`Self::to_words`] was given.
    fn from_words(words: &[u64]) -> Self;
}

/// Where the examples of a step begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataPosition {
    /// The phase of a pretraining, from 0; a task has but one.
    pub(super) phase: usize,
    /// Epochs that are complete, and examples of this one.
    pub(super) cursor: Cursor,
}

/// The examples of a step.
pub(super) struct Batch<T> {
    /// One for each pass of this rank.
    pub(super) parts: Vec<Part<T>>,
    /// Which of the passes these are.
    pub(super) share: Share,
    /// Passes of all ranks.
    pub(super) passes: usize,
    /// How many examples there are.
    pub(super) examples: usize,
    /// What the step belongs to, as [`StepReport::epoch`](super::observer::StepReport::epoch) counts.
    pub(super) epoch: u32,
    /// Where the next batch begins.
    pub(super) next: DataPosition,
}

/// What a classifier reads of `batch`: with `both_orders`, each pair twice.
pub(super) fn packed_input(batch: &PackedBatch, both_orders: bool, device: &Device) -> PackedInput {
    let both = both_orders.then(|| batch.in_both_orders());
    let PackedBatch { ids, positions, segments, offsets, .. } = both.as_ref().unwrap_or(batch);
    PackedInput::new(ids, positions, segments, offsets, device)
}

/// The examples of a pass.
pub(super) struct Part<T> {
    pub(super) input: PackedInput,
    pub(super) tokens: u64,
    /// The share of the gradients of this part in those of the batch.
    pub(super) weight: f64,
    pub(super) targets: T,
}
