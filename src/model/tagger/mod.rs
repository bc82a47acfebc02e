//! The feature-based approach (Devlin et al. 2018, §5.3): a bidirectional LSTM reads a frozen encoder.

mod files;
mod lstm;
mod mixture;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

pub(super) use files::{describe, described};
pub use lstm::{BiLstm, LstmLayer};
pub use mixture::{Mixture, Scalars};

use super::bert::{Bert, Classifier, PackedInput};
use super::initialize::random_head;
use crate::kernel::{Dropout, LSTM_DIRECTIONS};
use crate::random::Stream;
use crate::store::FeatureBased;

/// Between a frozen encoder and the head of a [`Classifier`].
#[derive(Module, Debug)]
pub struct Tagger {
    /// What it reads.
    pub mixture: Mixture,
    /// What reads it.
    pub lstm: BiLstm,
}

impl Tagger {
    /// `[tokens, 2 × hidden]` from a batch. `bert` runs without dropout and gets no gradient.
    #[must_use]
    pub fn forward(&self, bert: &Bert, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.lstm.forward(self.mixture.read(bert, input), &input.packing, dropout)
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

impl Classifier {
    /// The encoder frozen, with a random LSTM on it (from the `init-tagger` stream of `seed`) and a random head with
    /// as many outputs as this one's. `None` when the encoder has fewer layers than are read.
    #[must_use]
    pub fn on_features(self, of: &FeatureBased, seed: u64, device: &Device) -> Option<Self> {
        let [_, encoder_hidden] = self.bert.embeddings.word.val().dims();
        let mixture = Mixture::new(of.layers, self.bert.layers.len() as u32, device)?;
        let (hidden, stream) = (of.hidden as usize, Stream::new(seed, "init-tagger"));
        let lstm = BiLstm::random(mixture.width(encoder_hidden), hidden, of.lstm_layers, stream, device);
        let head = random_head(LSTM_DIRECTIONS * hidden, self.outputs(), seed, device);
        let tagger = Some(Tagger { mixture, lstm });
        Some(Self { bert: self.bert.no_grad(), head, kind: self.kind, tagger })
    }
}

#[cfg(test)]
mod tests;
