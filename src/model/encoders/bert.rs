//! The encoder of Devlin et al. 2018 (post-layer-norm transformer).

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::kernel::{
    self, AttentionHeads, Dropout, EmbeddingTables, LayerForm, LayerWeights, Packing, Precision, SequenceToken,
};
use crate::model::encoder::{Direction, Encoder, PackedInput};
use crate::model::linear::{Linear, Norm};

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
    /// tanh(linear(pooled token)), `[hidden, hidden]`; see [`Encoder::pool`].
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

/// Numbers of the places where dropout is applied: `layer × PER_LAYER + place`.
pub(super) mod site {
    use crate::kernel::LayerSites;

    pub(in crate::model) const EMBEDDINGS: u32 = 0;
    const FIRST_LAYER: u32 = 1 + crate::model::encoder::HEAD_SITE;
    const PER_LAYER: u32 = 3;

    pub(in crate::model) fn layer(index: usize) -> LayerSites {
        let attention = FIRST_LAYER + index as u32 * PER_LAYER;
        LayerSites { attention, attention_residual: attention + 1, output_residual: attention + 2 }
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
    pub(super) fn weights(&self) -> LayerWeights {
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
    fn encoder_layer<'a>(
        &self,
        index: usize,
        packing: &'a Packing,
        dropout: Option<&'a Dropout>,
    ) -> kernel::EncoderLayer<'a> {
        kernel::EncoderLayer {
            weights: self.layers[index].weights(),
            form: self.form(),
            packing,
            dropout,
            sites: site::layer(index),
            precision: self.precision,
        }
    }

    fn token(&self) -> SequenceToken {
        if self.causal { SequenceToken::Last } else { SequenceToken::First }
    }

    fn form(&self) -> LayerForm {
        AttentionHeads { number: self.heads, causal: self.causal }.into()
    }
}

impl Encoder for Bert {
    fn depth(&self) -> usize {
        self.layers.len()
    }

    fn direction(&self) -> Direction {
        if self.causal { Direction::LeftToRight } else { Direction::Both }
    }

    fn words(&self) -> &Param<Tensor<2>> {
        &self.embeddings.word
    }

    fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.embeddings.forward(input, dropout)
    }

    fn layer(&self, index: usize, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        self.encoder_layer(index, packing, dropout).states(hidden)
    }

    /// tanh(linear(token)) of the first token of each sequence; in a causal model, where that one has seen itself alone,
    /// of the last (as in Radford et al. 2018, §3.2).
    fn pool(&self, hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
        self.pooler.forward(packing.tokens_of(self.token(), hidden)).tanh()
    }

    fn pooled_token(&self) -> Option<SequenceToken> {
        Some(self.token())
    }

    fn leaves_rows_out(&self) -> bool {
        !self.layers.is_empty() && self.form().is_fused_on(&self.embeddings.word.val().device())
    }

    fn layer_at(
        &self,
        index: usize,
        hidden: Tensor<2>,
        packing: &Packing,
        dropout: Option<&Dropout>,
        rows: &Arc<[u32]>,
    ) -> Tensor<2> {
        self.encoder_layer(index, packing, dropout).states_at(rows, hidden)
    }
}
