//! Losses and accuracies of both heads, summed over predictions.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::batch::Targets;
use crate::kernel::{DecoderGradients, Deferred, cross_entropy, decoder_loss, indices};
use crate::model::{LanguageModel, LanguageModelStates};
use crate::train::batch::Losses;

/// The loss of a head on some predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct HeadLoss {
    /// Predictions.
    pub(super) count: u64,
    /// Those that are right.
    pub(super) correct: u64,
    /// Σ −log p(label), in nats.
    pub(super) sum: f64,
}

/// The losses of both heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct HeadLosses {
    /// Masked tokens, or next ones.
    pub(super) tokens: HeadLoss,
    /// Next sentences.
    pub(super) pairs: HeadLoss,
}

impl HeadLoss {
    /// Mean loss; 0 without predictions.
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    /// The share that is right.
    pub(super) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.count.max(1) as f64
    }

    fn add(&mut self, more: &Self) {
        self.count += more.count;
        self.correct += more.correct;
        self.sum += more.sum;
    }
}

impl Losses for HeadLosses {
    fn add(&mut self, more: &Self) {
        self.tokens.add(&more.tokens);
        self.pairs.add(&more.pairs);
    }

    /// The sum of both means, as in google-research/bert's `run_pretraining.py`.
    fn loss(&self) -> f64 {
        self.tokens.mean() + self.pairs.mean()
    }

    fn to_words(&self) -> Vec<u64> {
        let words = |of: &HeadLoss| [of.count, of.correct, of.sum.to_bits()];
        [words(&self.tokens), words(&self.pairs)].concat()
    }

    fn from_words(words: &[u64]) -> Self {
        let [tokens, pairs] = [0, 3].map(|at| match words.get(at..at + 3) {
            Some(&[count, correct, sum]) => HeadLoss { count, correct, sum: f64::from_bits(sum) },
            _ => HeadLoss::default(),
        });
        Self { tokens, pairs }
    }
}

/// What the heads of a model give on a part of a batch.
pub(super) struct HeadOutputs {
    pub(super) losses: Deferred<HeadLosses>,
    /// Mean loss of the next sentence, `[1]`, where there are pairs.
    pub(super) pairs: Option<Tensor<1>>,
    /// Where the backward pass begins at the decoder: the states it read, and the gradients, when they were asked for.
    pub(super) decoder: Option<(Tensor<2>, DecoderGradients)>,
}

impl HeadOutputs {
    /// With the gradients of the decoder's mean loss over `mean_over` predictions, if that is given.
    pub(super) fn of(
        model: &LanguageModel,
        states: LanguageModelStates,
        targets: &Targets,
        mean_over: Option<usize>,
    ) -> Self {
        let mut of_tokens = Deferred::<HeadLoss>::default();
        let mut of_pairs = Deferred::<HeadLoss>::default();
        let decoder = states.predictions.and_then(|states| {
            let [read, table] = [states.clone(), model.encoder.words().val()].map(plain);
            let (bias, precision) = (plain(model.tokens.decoder_bias.val()), model.encoder.precision());
            let found = decoder_loss(&read, &table, &bias, &targets.labels, mean_over, precision);
            let count = targets.labels.len() as u64;
            of_tokens = found.found.map(move |found| HeadLoss { count, correct: found.right, sum: found.loss });
            Some((states, found.gradients?))
        });
        let pairs = states.next_sentence.filter(|_| !targets.pairs.is_empty()).map(|logits| {
            let (examples, labels): (Vec<u32>, Vec<u32>) =
                targets.pairs.iter().map(|&(example, random)| (example, u32::from(random))).unzip();
            let [all, _] = logits.dims();
            let device = logits.device();
            let logits = if examples.len() == all { logits } else { logits.select(0, indices(examples, &device)) };
            let (loss, head) = next_sentence_loss(logits, &labels);
            of_pairs = head;
            loss
        });
        let losses = of_tokens.and(of_pairs).map(|(tokens, pairs)| HeadLosses { tokens, pairs });
        Self { losses, pairs, decoder }
    }
}

/// Without autodiff, if it is with.
fn plain<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.device().is_autodiff() { tensor.inner() } else { tensor }
}

/// The mean loss of `[predictions, classes]`, `[1]`.
fn next_sentence_loss(logits: Tensor<2>, labels: &[u32]) -> (Tensor<1>, Deferred<HeadLoss>) {
    let count = labels.len();
    let best = plain(logits.clone()).argmax(1).float().reshape([count]);
    let classes = indices(labels.iter().copied(), &logits.device());
    let loss = cross_entropy(logits, classes);
    let labels = labels.to_vec();
    let head = Deferred::read([plain(loss.clone()), best], move |[mean, best]| {
        let correct = best.iter().zip(&labels).filter(|(best, label)| **best as u32 == **label).count() as u64;
        let mean = mean.first().map_or(f64::NAN, |mean| f64::from(*mean));
        HeadLoss { count: count as u64, correct, sum: mean * count as f64 }
    });
    (loss, head)
}
