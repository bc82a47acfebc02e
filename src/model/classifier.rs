//! An encoder with the head of a task.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::encoder::{HEAD_SITE, PackedInput};
use super::encoders::AnyEncoder;
use super::head::Head;
use super::initialize::{Initializer, random_head};
use super::linear::Linear;
use super::rows_read::RowsRead;
use super::tagger::{BiLstm, Mixture, Tagger, TextPooler};
use super::token_head::TokenHead;
use crate::kernel::{Dropout, Packing, dropped};
use crate::random::Stream;
use crate::settings::{FeatureBased, InitializerRange};
use crate::store::Architecture;

/// An encoder with a linear head: on the pooled output, or on every token; or an LSTM between both.
#[derive(Module, Debug)]
pub struct Classifier {
    /// The encoder.
    pub encoder: AnyEncoder,
    /// `[hidden, outputs]`; with a tagger as many rows as its [`Tagger::width`].
    pub head: Linear,
    /// What the head reads, and what it puts out.
    #[module(skip)]
    pub kind: Head,
    /// What reads the encoder, which is frozen then. Not for spans.
    pub tagger: Option<Tagger>,
    /// Whether pairs come in both orders, one behind the other; the head reads the sum of what both give (Radford et al. 2018,
    /// §3.3).
    #[module(skip)]
    pub both_orders: bool,
    /// What predicts the next token in training, where that is learnt besides the task.
    pub next_token: Option<TokenHead>,
}

impl Classifier {
    /// An encoder that is trained whole, and a head.
    pub(super) fn of(encoder: AnyEncoder, head: Linear, kind: Head) -> Self {
        Self { encoder, head, kind, tagger: None, both_orders: false, next_token: None }
    }

    /// With what predicts the next token, random from the `init-pretraining` stream of `seed`.
    #[must_use]
    pub fn with_next_token(mut self, of: &Architecture, seed: u64, device: &Device) -> Self {
        self.next_token = Some(TokenHead::random(&mut TokenHead::initializer(of, seed, device), of));
        self
    }

    /// The number of outputs of the head.
    #[must_use]
    pub fn outputs(&self) -> usize {
        let [_, outputs] = self.head.weight.dims();
        outputs
    }

    /// The outputs of [`Classifier::kind`]: `[batch, outputs]` or `[tokens, outputs]`.
    #[must_use]
    pub fn forward(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        let read = self.rows_read(&input.packing);
        let hidden = self.hidden(input, dropout, read.as_ref());
        self.answer(hidden, read.as_ref().map_or(&input.packing, |read| &read.packing), dropout)
    }

    /// The rows of a batch whose last states are read; `None` where all are computed, since the head reads every token or the
    /// encoder leaves none out.
    #[must_use]
    pub fn rows_read(&self, packing: &Packing) -> Option<RowsRead> {
        let reads_all = self.tagger.is_some() || self.kind.per_token();
        let token = self.encoder.pooled_token().filter(|_| !reads_all && self.encoder.leaves_rows_out())?;
        packing.has_no_gaps().then(|| RowsRead::of(packing, token, &[]))
    }

    /// What [`Classifier::answer`] reads: the last hidden state or the tagger's, `[tokens, hidden]`, or the rows of it that are
    /// `read`.
    #[must_use]
    pub fn hidden(&self, input: &PackedInput, dropout: Option<&Dropout>, read: Option<&RowsRead>) -> Tensor<2> {
        match (&self.tagger, read) {
            (Some(tagger), _) => tagger.forward(&*self.encoder, input, dropout),
            (None, Some(read)) => self.encoder.last_at(input, dropout, Some(&read.rows)),
            (None, None) => self.encoder.forward(input, dropout),
        }
    }

    /// The head's outputs from what [`Classifier::hidden`] gives and where its sequences are → as [`Classifier::forward`].
    #[must_use]
    pub fn answer(&self, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        match self.kind {
            Head::Classes | Head::Regression | Head::Choices => {
                if let Some(pooler) = self.text_pooler() {
                    return self.head_of(pooler.forward(hidden, packing, dropout), dropout);
                }
                let pooled = self.encoder.pool(hidden, packing);
                self.head_of(if self.both_orders { sum_of_orders(pooled) } else { pooled }, dropout)
            }
            Head::Tags => self.head_of(hidden, dropout),
            Head::Spans => self.head.forward(hidden),
        }
    }

    fn head_of(&self, read: Tensor<2>, dropout: Option<&Dropout>) -> Tensor<2> {
        self.head.forward(dropped(read, dropout, HEAD_SITE))
    }

    fn text_pooler(&self) -> Option<&TextPooler> {
        self.tagger.as_ref()?.pooler.as_ref()
    }

    /// Whether the texts of a pair come as two sequences.
    #[must_use]
    pub fn reads_texts_apart(&self) -> bool {
        self.tagger.as_ref().is_some_and(Tagger::reads_texts_apart)
    }

    /// The encoder frozen, with a random LSTM on it (from the `init-tagger` stream of `seed`; where the head is on whole texts,
    /// of which there are two where examples are `pairs`, with what makes one vector of them) and a random head with as many
    /// outputs as this one's. `None` when the encoder has fewer layers than are read.
    #[must_use]
    pub fn on_features(self, of: &FeatureBased, pairs: bool, seed: u64, device: &Device) -> Option<Self> {
        let encoder_hidden = self.encoder.width();
        let mixture = Mixture::new(of.layers, self.encoder.depth() as u32, device)?;
        let (hidden, stream) = (of.hidden as usize, Stream::new(seed, "init-tagger"));
        let lstm = BiLstm::random(mixture.width(encoder_hidden), hidden, of.lstm_layers, stream, device);
        let pooler = (!self.kind.per_token()).then(|| TextPooler::random(of, pairs, seed, device));
        let tagger = Tagger { mixture, lstm, pooler };
        let head = random_head(tagger.width(), self.outputs(), InitializerRange::BERT, seed, device);
        Some(Self { encoder: self.encoder.no_grad(), head, tagger: Some(tagger), ..self })
    }
}

/// `[2 × batch, hidden]`, the two orders of each pair one behind the other → `[batch, hidden]`
fn sum_of_orders(pooled: Tensor<2>) -> Tensor<2> {
    let [orders, hidden] = pooled.dims();
    let both = pooled.reshape([orders / 2, 2 * hidden]);
    both.clone().slice_dim(1, 0..hidden) + both.slice_dim(1, hidden..2 * hidden)
}

/// A classifier with random weights from the `init` stream of `seed`; its head is on the pooled output until
/// [`Classifier::kind`] says otherwise.
#[must_use]
pub fn random_classifier(architecture: &Architecture, outputs: usize, seed: u64, device: &Device) -> Classifier {
    let mut initializer = Initializer::new(Stream::new(seed, "init"), architecture.initializer_range, device);
    let encoder = AnyEncoder::random(architecture, &mut initializer);
    let head = initializer.linear(architecture.hidden as usize, outputs);
    Classifier::of(encoder, head, Head::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::example;

    /// A class of each of two sequences, of which the first ends with the token `last`.
    fn classes(causal: bool, last: u32) -> Vec<Vec<f32>> {
        let of = Architecture { causal, ..example::small_bert(2, 16) };
        let device = Device::flex();
        let input = PackedInput::new(&[2, 7, last, 2, 9, 3], &[0, 1, 2, 0, 1, 2], &[0; 6], &[0, 3, 6], &device);
        let outputs = random_classifier(&of, 4, 1, &device).forward(&input, None);
        outputs.into_data().try_to_vec::<f32>().unwrap().chunks(4).map(<[f32]>::to_vec).collect()
    }

    /// The last token is seen by no other one.
    #[test]
    fn classes_of_a_causal_model_are_read_off_the_last_token_of_each_sequence() {
        let (one, other) = (classes(true, 5), classes(true, 6));
        assert_ne!(one[0], other[0]);
        assert_eq!(one[1], other[1]);
        assert_ne!(classes(false, 5), one, "the same weights, and every token sees all");
    }
}
