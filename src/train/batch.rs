//! The examples of a step, and what is lost on them.

use std::borrow::Cow;
use std::fmt::Debug;

use burn::tensor::Device;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ranks::Share;
use crate::corpus::examples::Cursor;
use crate::model::{Classifier, PackedInput};
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

/// How the two texts of a pair come to a classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PairInput {
    /// As one sequence.
    Together,
    /// As two, in both orders.
    BothOrders,
    /// As two, a text each.
    Apart,
}

impl PairInput {
    /// As `model` reads them.
    pub(super) fn of(model: &Classifier) -> Self {
        if model.reads_texts_apart() {
            Self::Apart
        } else if model.both_orders {
            Self::BothOrders
        } else {
            Self::Together
        }
    }

    /// `batch` as it is read.
    pub(super) fn read(self, batch: &PackedBatch) -> Cow<'_, PackedBatch> {
        match self {
            Self::Together => Cow::Borrowed(batch),
            Self::BothOrders => Cow::Owned(batch.in_both_orders()),
            Self::Apart => Cow::Owned(batch.with_texts_apart()),
        }
    }
}

/// What a classifier reads of `batch`.
pub(super) fn packed_input(batch: &PackedBatch, pairs: PairInput, device: &Device) -> PackedInput {
    let read = pairs.read(batch);
    let PackedBatch { ids, positions, segments, offsets, .. } = &*read;
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
