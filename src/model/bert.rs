//! The encoder of Devlin et al. 2018 (post-layer-norm transformer) and a head on it.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, module::linear};

use super::head::Head;
use super::tagger::Tagger;
use crate::kernel::{self, AttentionHeads, Dropout, EmbeddingTables, LayerWeights, Packing, Precision, TokenRows};

/// An affine map.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`
    pub bias: Param<Tensor<1>>,
}

/// The scale and shift of a layer norm.
#[derive(Module, Debug)]
pub struct Norm {
    /// γ, `[hidden]`
    pub gamma: Param<Tensor<1>>,
    /// β, `[hidden]`
    pub beta: Param<Tensor<1>>,
}

/// The three tables and their norm.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// `[vocab_size, hidden]`
    pub word: Param<Tensor<2>>,
    /// `[max_positions, hidden]`
    pub position: Param<Tensor<2>>,
    /// `[type_vocab_size, hidden]`
    pub segment: Param<Tensor<2>>,
    /// Norm of their sum.
    pub norm: Norm,
}

/// One transformer layer.
#[derive(Module, Debug)]
pub struct Layer {
    /// Query, key and value in one projection: `[hidden, 3 × hidden]`.
    pub query_key_value: Linear,
    /// Output projection of the attention, `[hidden, hidden]`.
    pub attention_output: Linear,
    /// Norm after the attention's residual.
    pub attention_norm: Norm,
    /// `[hidden, intermediate]`
    pub intermediate: Linear,
    /// `[intermediate, hidden]`
    pub output: Linear,
    /// Norm after the feed-forward's residual.
    pub output_norm: Norm,
}

/// The encoder with its pooler.
#[derive(Module, Debug)]
pub struct Bert {
    /// Input.
    pub embeddings: Embeddings,
    /// Transformer layers, first to last.
    pub layers: Vec<Layer>,
    /// tanh(linear(pooled token)), `[hidden, hidden]`; see [`Bert::pool`].
    pub pooler: Linear,
    /// Attention heads.
    pub heads: usize,
    /// Whether every token sees only itself and the tokens before it.
    #[module(skip)]
    pub causal: bool,
    /// Arithmetic of the layers.
    #[module(skip)]
    pub precision: Precision,
}

/// BERT with a linear head: on the pooled output, or on every token; or an LSTM between both.
#[derive(Module, Debug)]
pub struct Classifier {
    /// The encoder.
    pub bert: Bert,
    /// `[hidden, outputs]`; with a tagger `[2 × its hidden size, outputs]`.
    pub head: Linear,
    /// What the head reads, and what it puts out.
    #[module(skip)]
    pub kind: Head,
    /// What reads the encoder, which is frozen then. Only with a head on every token.
    pub tagger: Option<Tagger>,
}

/// A packed batch on a device.
#[derive(Clone, Debug)]
pub struct PackedInput {
    rows: TokenRows,
    /// Where the sequences are.
    pub packing: Packing,
}

/// Dropout of one training step: probabilities of the paper's three places (hidden states, attention
/// probabilities, the head's input) are one number in every published BERT.
pub type ForwardDropout = Dropout;

/// Numbers of the places where dropout is applied: `layer × PER_LAYER + place`.
mod site {
    use crate::kernel::LayerSites;

    pub(super) const EMBEDDINGS: u32 = 0;
    pub(super) const HEAD: u32 = 1;
    const FIRST_LAYER: u32 = 2;
    const PER_LAYER: u32 = 3;

    pub(super) fn layer(index: usize) -> LayerSites {
        let attention = FIRST_LAYER + index as u32 * PER_LAYER;
        LayerSites { attention, attention_residual: attention + 1, output_residual: attention + 2 }
    }
}

impl PackedInput {
    /// A batch on `device`: three slices of one length (all sequences, one after the other) and the
    /// `batch + 1` offsets of the sequences.
    #[must_use]
    pub fn new(ids: &[u32], positions: &[u32], segments: &[u32], offsets: &[u32], device: &Device) -> Self {
        let rows = TokenRows { ids: ids.into(), positions: positions.into(), segments: segments.into() };
        Self { rows, packing: Packing::new(offsets, device) }
    }
}

impl Linear {
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        linear(x, self.weight.val(), Some(self.bias.val()))
    }
}

impl Embeddings {
    fn forward(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        let tables = EmbeddingTables {
            word: self.word.val(),
            position: self.position.val(),
            segment: self.segment.val(),
            gamma: self.norm.gamma.val(),
            beta: self.norm.beta.val(),
        };
        kernel::embeddings(tables, &input.rows, dropout, site::EMBEDDINGS)
    }
}

impl Layer {
    fn weights(&self) -> LayerWeights {
        LayerWeights {
            qkv_weight: self.query_key_value.weight.val(),
            qkv_bias: self.query_key_value.bias.val(),
            attention_weight: self.attention_output.weight.val(),
            attention_bias: self.attention_output.bias.val(),
            attention_gamma: self.attention_norm.gamma.val(),
            attention_beta: self.attention_norm.beta.val(),
            intermediate_weight: self.intermediate.weight.val(),
            intermediate_bias: self.intermediate.bias.val(),
            output_weight: self.output.weight.val(),
            output_bias: self.output.bias.val(),
            output_gamma: self.output_norm.gamma.val(),
            output_beta: self.output_norm.beta.val(),
        }
    }
}

impl Bert {
    /// Hidden states after the embeddings and after each layer, `layers + 1` of `[tokens, hidden]`.
    #[must_use]
    pub fn hidden_states(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Vec<Tensor<2>> {
        let mut states = vec![self.embed(input, dropout)];
        for index in 0..self.layers.len() {
            states.push(self.layer(index, states[index].clone(), &input.packing, dropout));
        }
        states
    }

    /// The state before the first layer, `[tokens, hidden]`.
    #[must_use]
    pub fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.embeddings.forward(input, dropout)
    }

    /// The state after layer `index` (from 0; its dropout masks depend on it) from the state before,
    /// `[tokens, hidden] → [tokens, hidden]`.
    #[must_use]
    pub fn layer(&self, index: usize, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        let (weights, sites) = (self.layers[index].weights(), site::layer(index));
        let heads = AttentionHeads { number: self.heads, causal: self.causal };
        kernel::encoder_layer(hidden, weights, heads, packing, dropout, sites, self.precision)
    }

    /// The last hidden state, `[tokens, hidden]`.
    #[must_use]
    pub fn forward(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        let embedded = self.embed(input, dropout);
        (0..self.layers.len()).fold(embedded, |hidden, index| self.layer(index, hidden, &input.packing, dropout))
    }

    /// tanh(linear(pooled token)): `[tokens, hidden] → [batch, hidden]`. That token is the first of each sequence; in a
    /// causal model, where the first one has seen itself alone, the last (as in Radford et al. 2018, §3.2).
    #[must_use]
    pub fn pool(&self, hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
        let pooled = if self.causal { packing.last_tokens(hidden) } else { packing.first_tokens(hidden) };
        self.pooler.forward(pooled).tanh()
    }
}

impl Classifier {
    /// The number of outputs of the head.
    #[must_use]
    pub fn outputs(&self) -> usize {
        let [_, outputs] = self.head.weight.dims();
        outputs
    }

    /// The outputs of [`Classifier::kind`]: `[batch, outputs]` or `[tokens, outputs]`.
    #[must_use]
    pub fn forward(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        let hidden = match &self.tagger {
            Some(tagger) => tagger.forward(&self.bert, input, dropout),
            None => self.bert.forward(input, dropout),
        };
        self.answer(hidden, &input.packing, dropout)
    }

    /// The head's outputs from the last hidden state or the tagger's, `[tokens, hidden]` → as
    /// [`Classifier::forward`].
    #[must_use]
    pub fn answer(&self, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        let read = match self.kind {
            Head::Classes | Head::Regression | Head::Choices => self.bert.pool(hidden, packing),
            Head::Tags => hidden,
            Head::Spans => return self.head.forward(hidden),
        };
        self.head.forward(match dropout {
            Some(dropout) => dropout.apply(read, site::HEAD),
            None => read,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::random_classifier;
    use crate::store::Architecture;

    /// A class of each of two sequences, of which the first ends with the token `last`.
    fn classes(causal: bool, last: u32) -> Vec<Vec<f32>> {
        let (vocab_size, max_positions) = (20, 8);
        let of = Architecture {
            layers: 2,
            hidden: 16,
            heads: 2,
            intermediate: 32,
            vocab_size,
            max_positions,
            type_vocab_size: 2,
            causal,
        };
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
