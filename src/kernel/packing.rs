//! Where each sequence of a packed batch begins, in the forms that the operations need.

use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::indices::indices;

/// Added to the scores of keys that a query does not attend to: its exponential is 0 in f32 after the maximum is subtracted.
const MASKED: f32 = -1e9;

/// The token of a sequence whose state stands for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceToken {
    /// `[CLS]` of BERT.
    First,
    /// That of a causal model, which has seen the others.
    Last,
}

/// The layout of a packed batch: `tokens` rows hold `batch` sequences one after the other, and
/// `offsets[i]..offsets[i + 1]` are the rows of sequence `i`.
///
/// Tensors of it are made when an operation first asks for them: the fused ones read the offsets alone.
#[derive(Clone, Debug)]
pub struct Packing {
    offsets: Arc<[u32]>,
    longest: usize,
    device: Device,
    tensors: Arc<Tensors>,
}

#[derive(Debug, Default)]
struct Tensors {
    #[cfg(feature = "cube")]
    offsets: OnceLock<Tensor<1, Int>>,
    firsts: OnceLock<Tensor<1, Int>>,
    lasts: OnceLock<Tensor<1, Int>>,
    padding: OnceLock<Option<Padding>>,
    later: OnceLock<Tensor<4>>,
}

/// The maps between packed rows and a padded `[batch × longest]` grid; absent when all sequences are
/// of one length, because the packed rows are that grid then.
#[derive(Clone, Debug)]
struct Padding {
    /// `[batch × longest]` → row of the packed batch; padding reads row 0, and is masked.
    to_padded: Tensor<1, Int>,
    /// `[tokens]` → cell of the grid.
    to_packed: Tensor<1, Int>,
    /// `[batch, 1, 1, longest]`: 0 for tokens, [`MASKED`] for padding.
    key_bias: Tensor<4>,
}

impl Packing {
    /// The layout for `offsets` (`batch + 1` ascending row numbers from 0), on `device`.
    #[must_use]
    pub fn new(offsets: &[u32], device: &Device) -> Self {
        let longest = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0);
        Self { offsets: offsets.into(), longest, device: device.clone(), tensors: Arc::default() }
    }

    /// Sequences in the batch.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Length of the longest sequence.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The first row of each sequence, and the number of rows at the end: `batch + 1` numbers.
    #[must_use]
    pub fn offsets(&self) -> &Arc<[u32]> {
        &self.offsets
    }

    /// [`Self::offsets`] on the packing's device, of backend `B`.
    ///
    /// # Panics
    /// When that is another backend.
    #[cfg(feature = "cube")]
    pub(super) fn offsets_on<B>(&self) -> burn::backend::tensor::IntTensor<B>
    where
        B: burn::backend::Backend,
        burn::tensor::Int: burn::tensor::BackendPrimitive<B, Primitive = burn::backend::tensor::IntTensor<B>>,
        burn::backend::DispatchTensor: burn::backend::DispatchKindConversion<B>,
    {
        let offsets =
            self.tensors.offsets.get_or_init(|| indices(self.offsets.iter().copied(), &self.device.clone().inner()));
        match offsets.clone().try_into_primitive::<B>() {
            Ok(offsets) => offsets,
            Err(error) => unreachable!("the callers ask where the packing is: {error:?}"),
        }
    }

    /// `[tokens, width] → [batch × longest, width]`
    pub(super) fn pad(&self, packed: Tensor<2>) -> Tensor<2> {
        match self.padding() {
            Some(padding) => packed.select(0, padding.to_padded.clone()),
            None => packed,
        }
    }

    /// `[batch × longest, width] → [tokens, width]`
    pub(super) fn pack(&self, padded: Tensor<2>) -> Tensor<2> {
        match self.padding() {
            Some(padding) => padded.select(0, padding.to_packed.clone()),
            None => padded,
        }
    }

    /// `[batch, heads, longest, longest]` with padding keys masked.
    pub(super) fn mask_keys(&self, scores: Tensor<4>) -> Tensor<4> {
        match self.padding() {
            Some(padding) => scores + padding.key_bias.clone(),
            None => scores,
        }
    }

    /// `[batch, heads, longest, longest]` with the keys after each query masked. Padding comes after every token, so it
    /// is among these.
    pub(super) fn mask_later_keys(&self, scores: Tensor<4>) -> Tensor<4> {
        let later = self.tensors.later.get_or_init(|| {
            let longest = self.longest;
            let cell = |at: usize| if at % longest > at / longest { MASKED } else { 0.0 };
            let bias: Vec<f32> = (0..longest * longest).map(cell).collect();
            Tensor::from_data(TensorData::new(bias, [1, 1, longest, longest]), &self.device)
        });
        scores + later.clone()
    }

    /// The largest number of each column among a sequence's tokens: max pooling over time,
    /// `[tokens, hidden] → [batch, hidden]`. Each sequence has a token.
    #[must_use]
    pub fn max_tokens(&self, hidden: Tensor<2>) -> Tensor<2> {
        let (batch, longest, [_, width]) = (self.batch(), self.longest, hidden.dims());
        let padded = self.pad(hidden).reshape([batch, longest, width]);
        let padded = match self.padding() {
            Some(padding) => padded + padding.key_bias.clone().reshape([batch, longest, 1]),
            None => padded,
        };
        padded.max_dim(1).reshape([batch, width])
    }

    /// `[batch, longest, longest]`, the scores of each sequence's keys for the queries of another, with padding keys
    /// masked; `other` puts what is of the one in the place of the other: `[batch, 1, longest]`.
    pub(super) fn mask_keys_of(&self, scores: Tensor<3>, other: impl Fn(Tensor<3>) -> Tensor<3>) -> Tensor<3> {
        match self.padding() {
            Some(padding) => scores + other(padding.key_bias.clone().reshape([self.batch(), 1, self.longest])),
            None => scores,
        }
    }

    /// The rows of one token of each sequence.
    #[must_use]
    pub fn rows_of(&self, token: SequenceToken) -> Arc<[u32]> {
        match token {
            SequenceToken::First => self.offsets[..self.batch()].into(),
            SequenceToken::Last => self.offsets[1..].iter().map(|next| next.saturating_sub(1)).collect(),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.offsets.last().map_or(0, |last| *last as usize)
    }

    /// Whether every sequence has a token.
    #[must_use]
    pub fn has_no_gaps(&self) -> bool {
        self.offsets.windows(2).all(|pair| pair[0] < pair[1])
    }

    /// The layout for other `offsets`, on the same device.
    #[must_use]
    pub fn with_offsets(&self, offsets: &[u32]) -> Self {
        Self::new(offsets, &self.device)
    }

    /// One token of each sequence, `[tokens, hidden] → [batch, hidden]`.
    #[must_use]
    pub fn tokens_of(&self, token: SequenceToken, hidden: Tensor<2>) -> Tensor<2> {
        match token {
            SequenceToken::First => self.first_tokens(hidden),
            SequenceToken::Last => self.last_tokens(hidden),
        }
    }

    /// The first token of each sequence, `[tokens, hidden] → [batch, hidden]`.
    #[must_use]
    pub fn first_tokens(&self, hidden: Tensor<2>) -> Tensor<2> {
        let firsts =
            self.tensors.firsts.get_or_init(|| indices(self.offsets[..self.batch()].iter().copied(), &self.device));
        hidden.select(0, firsts.clone())
    }

    /// The last token of each sequence, `[tokens, hidden] → [batch, hidden]`.
    #[must_use]
    pub fn last_tokens(&self, hidden: Tensor<2>) -> Tensor<2> {
        let lasts = self
            .tensors
            .lasts
            .get_or_init(|| indices(self.offsets[1..].iter().map(|&end| end.saturating_sub(1)), &self.device));
        hidden.select(0, lasts.clone())
    }

    fn padding(&self) -> Option<&Padding> {
        self.tensors.padding.get_or_init(|| Padding::new(&self.offsets, self.longest, &self.device)).as_ref()
    }
}

impl Padding {
    /// `None` when all sequences are `longest`.
    fn new(offsets: &[u32], longest: usize, device: &Device) -> Option<Self> {
        let lengths: Vec<usize> = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).collect();
        if lengths.iter().all(|&length| length == longest) {
            return None;
        }
        let batch = lengths.len();
        let mut to_padded = vec![0; batch * longest];
        let mut to_packed = Vec::with_capacity(offsets[batch] as usize);
        let mut key_bias = vec![MASKED; batch * longest];
        for (sequence, &length) in lengths.iter().enumerate() {
            for position in 0..length {
                let cell = sequence * longest + position;
                to_padded[cell] = (offsets[sequence] as usize + position) as u32;
                key_bias[cell] = 0.0;
                to_packed.push(cell as u32);
            }
        }
        Some(Self {
            to_padded: indices(to_padded, device),
            to_packed: indices(to_packed, device),
            key_bias: Tensor::from_data(TensorData::new(key_bias, [batch, 1, 1, longest]), device),
        })
    }
}

/// The rows of the three tables for each token of a packed batch, three of `[tokens]`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenRows {
    /// Of the word table.
    pub ids: Arc<[u32]>,
    /// Of the position table.
    pub positions: Arc<[u32]>,
    /// Of the segment table.
    pub segments: Arc<[u32]>,
}
