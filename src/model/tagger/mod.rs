//! The feature-based approach (Devlin et al. 2018, §5.3): a bidirectional LSTM reads a frozen encoder.

mod files;
mod lstm;
mod mixture;

use burn::module::Module;
use burn::tensor::Tensor;

pub(super) use files::{describe, described};
pub use lstm::{BiLstm, LstmLayer};
pub use mixture::{Mixture, Scalars};

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
}

impl Tagger {
    /// `[tokens, 2 × hidden]` from a batch. `encoder` runs without dropout and gets no gradient.
    #[must_use]
    pub fn forward(&self, encoder: &impl Encoder, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.lstm.forward(self.mixture.read(encoder, input), &input.packing, dropout)
    }

    /// Numbers that it puts out for a token: 2 × hidden.
    #[must_use]
    pub fn width(&self) -> usize {
        LSTM_DIRECTIONS * self.lstm.hidden()
    }

    /// What it is, as a run's settings have it.
    #[must_use]
    pub fn settings(&self) -> FeatureBased {
        FeatureBased {
            layers: self.mixture.layers,
            hidden: self.lstm.hidden() as u32,
            lstm_layers: self.lstm.layers.len() as u32,
        }
    }
}

#[cfg(test)]
mod tests;
