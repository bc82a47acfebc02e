//! Losses and right answers, summed over predictions.

use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::batch::PretrainingBatch;
use crate::kernel::{DecoderGradients, cross_entropy, decoder_loss};
use crate::model::{PretrainingModel, PretrainingStates};

/// What a head did on some predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct HeadTally {
    /// Predictions.
    pub(super) count: u64,
    /// Those that are right.
    right: u64,
    /// Σ −log p(label), in nats.
    loss: f64,
}

/// What both heads did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Masked tokens, or next ones.
    pub(super) tokens: HeadTally,
    /// Second segments.
    pub(super) pairs: HeadTally,
}

impl HeadTally {
    /// Mean loss; 0 of nothing.
    pub(super) fn loss(&self) -> f64 {
        self.loss / self.count.max(1) as f64
    }

    /// The share that is right.
    pub(super) fn accuracy(&self) -> f64 {
        self.right as f64 / self.count.max(1) as f64
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.right += other.right;
        self.loss += other.loss;
    }
}

impl Tally {
    /// The loss that is minimised: the sum of both means, as in google-research/bert's `run_pretraining.py`.
    pub(super) fn loss(&self) -> f64 {
        self.tokens.loss() + self.pairs.loss()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.tokens.add(&other.tokens);
        self.pairs.add(&other.pairs);
    }
}

/// What the heads of `model` do on a batch.
pub(super) struct Losses {
    /// Mean loss of the next sentence, `[1]`, where there are pairs.
    pub(super) pairs: Option<Tensor<1>>,
    /// What goes back from the decoder: the states it read, and the gradients, when they were asked for.
    pub(super) decoder: Option<(Tensor<2>, DecoderGradients)>,
    pub(super) tally: Tally,
}

impl Losses {
    /// With the gradients of the decoder's mean loss over `mean_over` predictions, if that is given.
    pub(super) fn of(
        model: &PretrainingModel,
        output: PretrainingStates,
        batch: &PretrainingBatch,
        mean_over: Option<usize>,
    ) -> Self {
        let mut tally = Tally::default();
        let decoder = output.predictions.and_then(|states| {
            let [read, table] = [states.clone(), model.bert.embeddings.word.val()].map(plain);
            let found = decoder_loss(&read, &table, &plain(model.decoder_bias.val()), &batch.labels, mean_over);
            let count = batch.labels.len() as u64;
            tally.tokens.add(&HeadTally { count, right: found.right, loss: found.loss });
            Some((states, found.gradients?))
        });
        let pairs = output.next_sentence.filter(|_| !batch.pairs.is_empty()).map(|logits| {
            let (examples, labels): (Vec<u32>, Vec<u32>) =
                batch.pairs.iter().map(|&(example, random)| (example, u32::from(random))).unzip();
            let [all, _] = logits.dims();
            let device = logits.device();
            let logits = if examples.len() == all { logits } else { logits.select(0, indices(&examples, &device)) };
            judged(logits, &labels, &mut tally.pairs)
        });
        Self { pairs, decoder, tally }
    }
}

/// Without autodiff, if it is with.
fn plain<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.device().is_autodiff() { tensor.inner() } else { tensor }
}

/// The mean loss of `[predictions, classes]`, which is added to `tally` with the number of right ones.
fn judged(logits: Tensor<2>, labels: &[u32], tally: &mut HeadTally) -> Tensor<1> {
    let best = logits.clone().argmax(1).into_data();
    let right = best.iter::<i64>().zip(labels).filter(|(best, label)| *best == i64::from(**label)).count();
    let count = labels.len() as u64;
    let labels = indices(labels, &logits.device());
    let loss = cross_entropy(logits, labels);
    let mean = f64::from(loss.clone().into_scalar::<f32>());
    tally.add(&HeadTally { count, right: right as u64, loss: mean * count as f64 });
    loss
}

fn indices(numbers: &[u32], device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i32> = numbers.iter().map(|&number| number as i32).collect();
    let length = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [length]), device)
}
