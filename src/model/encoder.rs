//! What turns packed tokens into states: an encoder is a file and a row of [`ENCODERS`](super::ENCODERS).

use std::sync::Arc;

use burn::module::Param;
use burn::tensor::{Device, Tensor};

use crate::kernel::{self, Dropout, Packing, Precision, SequenceToken, TokenRows};

/// What the state of a token has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The whole sequence.
    Both,
    /// The token itself and those before it.
    LeftToRight,
    /// The token itself alone.
    Token,
}

/// What heads, pretraining, taggers and extraction ask of an encoder. States are `[tokens, hidden]`.
pub trait Encoder {
    /// The number of layers.
    fn depth(&self) -> usize;

    /// What the state of a token has seen.
    fn direction(&self) -> Direction;

    /// The state before the first layer.
    fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2>;

    /// The state after layer `index` (from 0; its dropout masks depend on it) from the state before.
    fn layer(&self, index: usize, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2>;

    /// A vector for each sequence from the last state: `[tokens, hidden] → [batch, hidden]`.
    fn pool(&self, hidden: Tensor<2>, packing: &Packing) -> Tensor<2>;

    /// The token of a sequence whose last state alone [`Encoder::pool`] reads; `None` where it reads more.
    fn pooled_token(&self) -> Option<SequenceToken> {
        None
    }

    /// Whether [`Encoder::layer_at`] computes less than the layer for all rows does.
    fn leaves_rows_out(&self) -> bool {
        false
    }

    /// As [`Encoder::layer`], the state at `rows` alone, ascending: `[tokens, hidden] → [rows, hidden]`. In f32 on the CPU, the
    /// bits that they have among all.
    fn layer_at(
        &self,
        index: usize,
        hidden: Tensor<2>,
        packing: &Packing,
        dropout: Option<&Dropout>,
        rows: &Arc<[u32]>,
    ) -> Tensor<2> {
        let device = hidden.device();
        self.layer(index, hidden, packing, dropout).select(0, kernel::indices(rows.iter().copied(), &device))
    }

    /// The word embeddings, which the decoder of pretraining shares: `[vocab_size, width]`. A state is as wide, or a
    /// number of times that, with a prediction for each of its parts.
    fn words(&self) -> &Param<Tensor<2>>;

    /// The width of a state.
    fn width(&self) -> usize {
        self.words().dims()[1]
    }

    /// What a task reads of the states after the embeddings and after each layer.
    fn combine(&self, states: Vec<Tensor<2>>) -> Tensor<2> {
        states[states.len() - 1].clone()
    }

    /// The arithmetic of the layers, for encoders that have more than one.
    fn set_precision(&mut self, precision: Precision) {
        let _ = precision;
    }

    /// That arithmetic.
    fn precision(&self) -> Precision {
        Precision::F32
    }

    /// The states after the embeddings and after each layer, `depth + 1` of them.
    fn hidden_states(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Vec<Tensor<2>> {
        let mut states = vec![self.embed(input, dropout)];
        for index in 0..self.depth() {
            states.push(self.layer(index, states[index].clone(), &input.packing, dropout));
        }
        states
    }

    /// What a task reads.
    fn forward(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.last(input, dropout)
    }

    /// The last state, which pretraining reads.
    fn last(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.last_at(input, dropout, None)
    }

    /// The last state at `rows`, ascending, or at all.
    fn last_at(&self, input: &PackedInput, dropout: Option<&Dropout>, rows: Option<&Arc<[u32]>>) -> Tensor<2> {
        let embedded = self.embed(input, dropout);
        (0..self.depth()).fold(embedded, |hidden, index| {
            let is_last = index + 1 == self.depth();
            self.layer_read(index, hidden, &input.packing, dropout, rows.filter(|_| is_last))
        })
    }

    /// The state at `rows`, or at all.
    fn layer_read(
        &self,
        index: usize,
        hidden: Tensor<2>,
        packing: &Packing,
        dropout: Option<&Dropout>,
        rows: Option<&Arc<[u32]>>,
    ) -> Tensor<2> {
        match rows {
            Some(rows) => self.layer_at(index, hidden, packing, dropout, rows),
            None => self.layer(index, hidden, packing, dropout),
        }
    }
}

/// The number of the place before the head where dropout is applied; those of an encoder are 0 and from 2 on.
pub(super) const HEAD_SITE: u32 = 1;

fn rows_of(table: Tensor<2>, ids: &[u32]) -> Tensor<2> {
    let ids = kernel::indices(ids.iter().copied(), &table.device());
    table.select(0, ids)
}

/// A packed batch on a device.
#[derive(Clone, Debug)]
pub struct PackedInput {
    pub(super) rows: TokenRows,
    /// Where the sequences are.
    pub packing: Packing,
}

/// Dropout of one training step: probabilities of the paper's three places (hidden states, attention
/// probabilities, the head's input) are one number in every published BERT.
pub type ForwardDropout = Dropout;

impl PackedInput {
    /// The rows of `table` for the tokens: `[rows, width] → [tokens, width]`.
    pub(super) fn lookup(&self, table: Tensor<2>) -> Tensor<2> {
        rows_of(table, &self.rows.ids)
    }

    /// The rows of `table` for the tokens' positions: `[max_positions, width] → [tokens, width]`.
    pub(super) fn lookup_positions(&self, table: Tensor<2>) -> Tensor<2> {
        rows_of(table, &self.rows.positions)
    }

    /// A batch on `device`: three slices of one length (all sequences, one after the other) and the
    /// `batch + 1` offsets of the sequences.
    #[must_use]
    pub fn new(ids: &[u32], positions: &[u32], segments: &[u32], offsets: &[u32], device: &Device) -> Self {
        let rows = TokenRows { ids: ids.into(), positions: positions.into(), segments: segments.into() };
        Self { rows, packing: Packing::new(offsets, device) }
    }
}
