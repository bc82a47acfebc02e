//! The loss of the next token beside that of a task (Radford et al. 2018, §3.2): L = L(task) + λ × L(next token), with the mean
//! over all tokens of a batch that have a next one in their sequence, as pretraining has it.

use burn::tensor::Tensor;

use crate::kernel::{Decoded, DecoderGradients, Deferred, decoder_loss};
use crate::model::{Classifier, TokenHead};
use crate::text::PackedBatch;

/// What is to be predicted of the tokens of a pass.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NextTokens {
    /// The tokens that have a next one, ascending, `[predictions]`.
    rows: Vec<u32>,
    /// The next ones, `[predictions]`.
    labels: Vec<u32>,
    /// λ; of a part of a batch, times the share of its predictions in the batch's by its share of the batch's gradients.
    coefficient: f64,
}

/// Where the backward pass of the next token's loss begins.
pub(super) struct NextTokenLoss {
    /// λ × the mean loss.
    pub(super) found: Deferred<f64>,
    /// A number with autodiff, `[1]`, whose gradients are those of λ × the loss with respect to all that is before the decoder.
    pub(super) before_decoder: Tensor<1>,
    /// Those with respect to the word embeddings as the decoder's matrix, `[vocab_size, hidden]`, and to its bias,
    /// `[vocab_size]`.
    pub(super) of_decoder: (Tensor<2>, Tensor<1>),
}

impl NextTokens {
    /// Of the sequences of a batch.
    pub(super) fn of(batch: &PackedBatch, coefficient: f64) -> Self {
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        for pair in batch.offsets.windows(2).filter(|pair| pair[0] < pair[1]) {
            rows.extend(pair[0]..pair[1] - 1);
            labels.extend(&batch.ids[pair[0] as usize + 1..pair[1] as usize]);
        }
        Self { rows, labels, coefficient }
    }

    /// How many tokens have a next one.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// The same as a part of a batch with `whole` such tokens, whose gradients count `weight` in the batch's.
    pub(super) fn part_of(self, whole: usize, weight: f64) -> Self {
        let share = self.count() as f64 / whole.max(1) as f64;
        Self { coefficient: self.coefficient * share / weight, ..self }
    }

    /// The loss on the states of the model, `[tokens, hidden]` with autodiff; nothing where no token has a next one.
    pub(super) fn loss(&self, model: &Classifier, head: &TokenHead, hidden: Tensor<2>) -> Option<NextTokenLoss> {
        if self.rows.is_empty() {
            return None;
        }
        let (words, coefficient, count) = (model.encoder.words(), self.coefficient, self.count());
        let states = head.read(hidden, &self.rows, words.dims()[1]);
        let [read, table] = [states.clone(), words.val()].map(Tensor::inner);
        let (bias, precision) = (head.decoder_bias.val().inner(), model.encoder.precision());
        let decoded = decoder_loss(&read, &table, &bias, &self.labels, Some(count), precision);
        let DecoderGradients { states: arriving, table, bias } = decoded.gradients?;
        let found = decoded.found.map(move |Decoded { loss, .. }| coefficient * loss / count as f64);
        let arriving = Tensor::from_inner(arriving.mul_scalar(coefficient));
        let of_decoder = (table.mul_scalar(coefficient), bias.mul_scalar(coefficient));
        // Σ states × gradient has that gradient.
        Some(NextTokenLoss { found, before_decoder: (states * arriving).sum(), of_decoder })
    }
}
