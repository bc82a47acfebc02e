//! Activation checkpointing: the encoder's passes with the inputs of its layers kept, and nothing else.

use burn::module::Module;
use burn::tensor::{Gradients, Tensor};

use super::optimizer::{FlatGradients, take};
use crate::model::{Bert, Encoder, ForwardDropout, PackedInput};

/// What is kept between forward and backward. Both ways give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Graph {
    /// Everything that a backward operation reads.
    Whole,
    /// Each layer's input, `[tokens, hidden]`; the layer is computed again when its turn comes (Chen et
    /// al. 2016, arXiv 1604.06174). burn's own `gradient_checkpointing` recomputes single cheap
    /// operations only, and none that reads a constant such as a dropout mask, so it saves little here.
    LayerInputs,
}

impl Graph {
    /// As `gradient_checkpointing` of the settings says.
    pub(super) fn of(gradient_checkpointing: bool) -> Self {
        if gradient_checkpointing { Self::LayerInputs } else { Self::Whole }
    }
}

/// The inputs of all layers, and the last hidden state, each the leaf of a graph of its own.
pub(super) struct Tape {
    inputs: Vec<Tensor<2>>,
    /// What heads read, `[tokens, hidden]`.
    pub(super) last: Tensor<2>,
}

impl Tape {
    /// The encoder's forward pass without a graph.
    pub(super) fn record(bert: &Bert, input: &PackedInput, dropout: Option<&ForwardDropout>) -> Self {
        // Not `valid()`: the same operations must run as in the backward pass, for the same bits.
        let bert = bert.clone().no_grad();
        let mut hidden = bert.embed(input, dropout);
        let mut inputs = Vec::with_capacity(bert.layers.len());
        for index in 0..bert.layers.len() {
            inputs.push(hidden.clone().require_grad());
            hidden = bert.layer(index, hidden, &input.packing, dropout);
        }
        Self { inputs, last: hidden.require_grad() }
    }

    /// The gradients of the whole encoder in its visiting order, from those that the heads' loss gave: the pooler's
    /// are among them, and that of [`Self::last`] goes back through the layers from last to first and the embeddings.
    pub(super) fn backward(
        self,
        bert: &Bert,
        input: &PackedInput,
        dropout: Option<&ForwardDropout>,
        gradients: &mut Gradients,
    ) -> FlatGradients {
        let mut arriving = gradient_of(&self.last, gradients);
        let pooler = take(&bert.pooler, gradients);
        let mut layers = Vec::with_capacity(self.inputs.len());
        for (index, hidden) in self.inputs.into_iter().enumerate().rev() {
            let output = bert.layer(index, hidden.clone(), &input.packing, dropout);
            let mut gradients = backward_from(output, arriving);
            layers.push(take(&bert.layers[index], &mut gradients));
            arriving = gradient_of(&hidden, &mut gradients);
        }
        let mut gradients = backward_from(bert.embed(input, dropout), arriving);
        let embeddings = take(&bert.embeddings, &mut gradients);
        embeddings.into_iter().chain(layers.into_iter().rev().flatten()).chain(pooler).collect()
    }
}

/// The gradients of Σ `output` × `gradient`: what flows on when `gradient` arrives at `output`.
fn backward_from(output: Tensor<2>, gradient: Tensor<2>) -> Gradients {
    (output * Tensor::from_inner(gradient)).sum().backward()
}

/// The gradient of a leaf; 0 where the loss does not depend on it.
fn gradient_of(leaf: &Tensor<2>, gradients: &mut Gradients) -> Tensor<2> {
    leaf.grad_remove(gradients).unwrap_or_else(|| leaf.clone().inner().zeros_like())
}
