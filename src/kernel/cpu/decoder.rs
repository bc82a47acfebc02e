//! The decoder of masked language modelling with its loss and gradients.

use super::cross_entropy::cross_entropy_rows;
use super::gemm::{Cells, Matrix, Store, Sum, SumTransposed, gemm};
use super::norm::column_sums;
use super::pool::Buffer;

/// States that are decoded at a time: logits of a whole batch would be the largest tensor of a step, several times
/// over.
pub const DECODED_ROWS: usize = 256;

/// Logits h Eᵀ + b of states h `[predictions, hidden]`.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    /// E, `[vocab_size, hidden]`
    pub table: &'a [f32],
    /// b, `[vocab_size]`
    pub bias: &'a [f32],
    /// Width of a state.
    pub hidden: usize,
}

/// What a [`Decoder`] says about states.
#[derive(Debug)]
pub struct Decoded {
    /// Σ −log p(label), in nats.
    pub loss: f64,
    /// How many labels are the likeliest token.
    pub right: u64,
    /// The gradients, when they were asked for and there are labels.
    pub gradients: Option<DecoderBuffers>,
}

/// Gradients with respect to what a [`Decoder`] reads.
#[derive(Debug)]
pub struct DecoderBuffers {
    /// `[predictions, hidden]`
    pub states: Buffer<f32>,
    /// `[vocab_size, hidden]`
    pub table: Buffer<f32>,
    /// `[vocab_size]`
    pub bias: Buffer<f32>,
}

impl Decoder<'_> {
    /// The loss of `states` `[labels, hidden]`, and with `scale` the gradients of `scale` × the loss. On all threads;
    /// no number depends on how many there are.
    #[must_use]
    pub fn loss(&self, states: &[f32], labels: &[u32], scale: Option<f32>) -> Decoded {
        let (vocabulary, hidden) = (self.bias.len(), self.hidden);
        let mut logits = Buffer::<f32>::take(labels.len().min(DECODED_ROWS) * vocabulary);
        let mut gradients = scale.filter(|_| !labels.is_empty()).map(|_| DecoderBuffers {
            states: Buffer::take(labels.len() * hidden),
            table: Buffer::take(self.table.len()),
            bias: Buffer::take(vocabulary),
        });
        let (mut loss, mut right) = (0.0, 0);
        for (number, labels) in labels.chunks(DECODED_ROWS).enumerate() {
            let from = number * DECODED_ROWS;
            let states = Matrix::new(&states[from * hidden..], labels.len(), hidden);
            let logits = &mut logits[..labels.len() * vocabulary];
            let store = Store { to: Cells::new(logits), stride: vocabulary, bias: Some(self.bias) };
            gemm(states, Matrix::new(self.table, vocabulary, hidden).transpose(), &store);
            let found = cross_entropy_rows(logits, labels, scale);
            (loss, right) = (loss + found.0, right + found.1);
            if let Some(to) = &mut gradients {
                self.back(states, logits, from, to);
            }
        }
        Decoded { loss, right, gradients }
    }

    /// Takes the gradient `arriving` of the logits of states `from ..`, which is added to that of the earlier ones.
    fn back(&self, states: Matrix<'_, f32>, arriving: &[f32], from: usize, to: &mut DecoderBuffers) {
        let (vocabulary, hidden, add) = (self.bias.len(), self.hidden, from > 0);
        let gradient = Matrix::new(arriving, arriving.len() / vocabulary.max(1), vocabulary);
        let sum = Sum { to: Cells::new(&mut to.states).skip(from * hidden), stride: hidden, add: false };
        gemm(gradient, Matrix::new(self.table, vocabulary, hidden), &sum);
        // (statesᵀ gradient)ᵀ: the left operand is copied, and this one is much smaller.
        gemm(states.transpose(), gradient, &SumTransposed { to: Cells::new(&mut to.table), stride: hidden, add });
        let mut sums = Buffer::<f32>::take(vocabulary);
        column_sums(arriving, &mut sums);
        for (to, &sum) in to.bias.iter_mut().zip(&sums[..]) {
            *to = if add { *to + sum } else { sum };
        }
    }
}
