//! The encoder's passes layer by layer, for activation checkpointing, which keeps the inputs of the layers and nothing
//! else, and to have the gradients of each layer before the next one's are computed.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Gradients, Tensor};

use super::gradient_hook::GradientHook;
use super::optimizer::{FlatGradients, accumulate, take};
use crate::model::{AnyEncoder, ForwardDropout, PackedInput};

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

/// Who reads the states.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reads<'a> {
    /// A head of pretraining: the last one.
    Last,
    /// A head that reads these rows of the last one.
    Rows(&'a Arc<[u32]>),
    /// A task: what the encoder makes of all of them.
    Combined,
}

/// The states before the first layer and after each, the leaf of a graph of its own each.
pub(super) struct Tape {
    states: Vec<Tensor<2>>,
    /// What the embeddings and each layer gave, with their graphs, unless these are computed again.
    outputs: Vec<Tensor<2>>,
    /// What heads read, `[tokens, hidden]` or `[rows, hidden]`.
    pub(super) read: Tensor<2>,
    /// The rows of the last state, where it is computed at some alone.
    rows: Option<Arc<[u32]>>,
}

impl Tape {
    /// The encoder's forward pass, of which `graph` says what is kept.
    pub(super) fn record(
        encoder: &AnyEncoder,
        input: &PackedInput,
        dropout: Option<&ForwardDropout>,
        reads: Reads<'_>,
        graph: Graph,
    ) -> Self {
        let keeps = graph == Graph::Whole;
        let rows = if let Reads::Rows(rows) = reads { Some(rows.clone()) } else { None };
        // Not `valid()`: the same operations must run as in the backward pass, for the same bits.
        let frozen = if keeps { encoder.clone() } else { encoder.clone().no_grad() };
        let mut hidden = frozen.embed(input, dropout);
        let mut outputs = Vec::new();
        let mut states = Vec::with_capacity(frozen.depth() + 1);
        for index in 0..frozen.depth() {
            let leaf = leaf(&hidden);
            outputs.extend(keeps.then_some(hidden));
            let read = rows.as_ref().filter(|_| index + 1 == frozen.depth());
            hidden = frozen.layer_read(index, leaf.clone(), &input.packing, dropout, read);
            states.push(leaf);
        }
        let last = leaf(&hidden);
        outputs.extend(keeps.then_some(hidden));
        states.push(last.clone());
        let read = match reads {
            Reads::Last | Reads::Rows(_) => last,
            Reads::Combined => encoder.combine(states.clone()),
        };
        Self { states, outputs, read, rows }
    }

    /// The gradients of the whole encoder in its visiting order, and behind them `of_heads`, from those that the heads'
    /// loss gave: those of the pooler and of a learnt sum of the states are among them, and those of the states go back
    /// through the layers from last to first and the embeddings. `hook` takes those of each layer when they are found.
    pub(super) fn backward(
        self,
        (encoder, input, dropout): (&AnyEncoder, &PackedInput, Option<&ForwardDropout>),
        gradients: &mut Gradients,
        of_heads: FlatGradients,
        hook: &GradientHook,
    ) -> FlatGradients {
        let Self { mut states, mut outputs, read, rows } = self;
        drop(read);
        let mut found = take(encoder, gradients);
        let of_heads = hook.take(found.len(), of_heads);
        let mut arriving = states.pop().map(|last| gradient_of(&last, gradients));
        for (index, hidden) in states.into_iter().enumerate().rev() {
            let output = outputs.pop().unwrap_or_else(|| {
                let read = rows.as_ref().filter(|_| index + 1 == encoder.depth());
                encoder.layer_read(index, hidden.clone(), &input.packing, dropout, read)
            });
            let mut of_layer = backward_from(output, arriving.take());
            found = accumulate(Some(found), hook.take(0, take(encoder, &mut of_layer)), 1.0);
            let through = gradient_of(&hidden, &mut of_layer);
            // What heads read of this state themselves.
            arriving = Some(match hidden.grad_remove(gradients) {
                Some(direct) => through + direct,
                None => through,
            });
        }
        let output = outputs.pop().unwrap_or_else(|| encoder.embed(input, dropout));
        let mut of_embeddings = backward_from(output, arriving);
        found = accumulate(Some(found), take(encoder, &mut of_embeddings), 1.0);
        found.extend(of_heads);
        found
    }
}

/// The numbers of `state` as the leaf of a graph.
fn leaf(state: &Tensor<2>) -> Tensor<2> {
    Tensor::from_inner(state.clone().inner()).require_grad()
}

/// The gradients of Σ `output` × `gradient`: what flows on when `gradient` arrives at `output`.
fn backward_from(output: Tensor<2>, gradient: Option<Tensor<2>>) -> Gradients {
    let gradient = gradient.unwrap_or_else(|| output.clone().inner().zeros_like());
    (output * Tensor::from_inner(gradient)).sum().backward()
}

/// The gradient of a leaf; 0 where the loss does not depend on it.
fn gradient_of(leaf: &Tensor<2>, gradients: &mut Gradients) -> Tensor<2> {
    leaf.grad_remove(gradients).unwrap_or_else(|| leaf.clone().inner().zeros_like())
}
