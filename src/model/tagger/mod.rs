//! The feature-based approach (Devlin et al. 2018, §5.3; Wang et al. 2018, "GLUE", for whole texts): a bidirectional LSTM
//! reads a frozen encoder.

mod files;
mod lstm;
mod mixture;
mod text_pooler;

use burn::module::Module;
use burn::tensor::Tensor;

pub(super) use files::{describe, described};
pub use lstm::{BiLstm, LstmLayer};
pub use mixture::{Mixture, Scalars};
pub(super) use text_pooler::CLASSIFIER_HIDDEN;
pub(super) use text_pooler::TextPooler;

use super::encoder::{Encoder, PackedInput};
use crate::kernel::{Dropout, LSTM_DIRECTIONS};
use crate::settings::FeatureBased;

/// Between a frozen encoder and the head of a [`Classifier`](super::Classifier).
#[derive(Module, Debug)]
pub struct Tagger {
    /// What it reads.
    pub mixture: Mixture,
    /// What reads it.
    pub lstm: BiLstm,
    /// What makes one vector of a text or a pair; none where words are tagged.
    pub pooler: Option<TextPooler>,
}

impl Tagger {
    /// `[tokens, 2 × hidden]` from a batch. `encoder` runs without dropout and gets no gradient.
    #[must_use]
    pub fn forward(&self, encoder: &dyn Encoder, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.lstm.forward(self.mixture.read(encoder, input), &input.packing, dropout)
    }

    /// Numbers that the head reads: 2 × hidden of a token, or those of a whole text.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.pooler.is_some() { CLASSIFIER_HIDDEN } else { LSTM_DIRECTIONS * self.lstm.hidden() }
    }

    /// Whether the texts of a pair come as two sequences.
    #[must_use]
    pub fn reads_texts_apart(&self) -> bool {
        self.pooler.as_ref().is_some_and(|pooler| pooler.pairs)
    }

    /// What it is, as a run's settings have it.
    #[must_use]
    pub fn settings(&self) -> FeatureBased {
        FeatureBased {
            layers: self.mixture.layers,
            hidden: self.lstm.hidden() as u32,
            lstm_layers: self.lstm.layers.len() as u32,
            attention: self.pooler.as_ref().is_some_and(|pooler| pooler.attention.is_some()),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_pooler_tests;
