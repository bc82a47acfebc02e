//! One forward and backward pass, with the whole graph kept or with layers computed twice.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Gradients, Tensor};

use super::optimizer::{FlatGradients, take};
use crate::model::{Classifier, ForwardDropout, PackedInput};
use crate::store::TrainingSettings;
use crate::units::Seconds;

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

/// The loss of a batch and its gradients.
#[derive(Debug)]
pub(super) struct Pass {
    /// Mean loss of the batch.
    pub(super) loss: f64,
    /// In the model's visiting order.
    pub(super) gradients: FlatGradients,
    /// Duration of the forward pass, loss included.
    pub(super) forward: Seconds,
    /// Duration of the backward pass, with what is computed again.
    pub(super) backward: Seconds,
}

impl Graph {
    pub(super) fn of(training: &TrainingSettings) -> Self {
        if training.activation_checkpointing { Self::LayerInputs } else { Self::Whole }
    }
}

impl Pass {
    /// `loss_of` turns `[batch, outputs]` into `[1]`. All tensors are on an autodiff device.
    pub(super) fn new(
        model: &Classifier,
        input: &PackedInput,
        dropout: Option<&ForwardDropout>,
        graph: Graph,
        loss_of: impl FnOnce(Tensor<2>) -> Tensor<1>,
    ) -> Self {
        let start = Instant::now();
        let (loss, tape) = match (graph, &model.tagger) {
            // Nothing of a frozen encoder is kept in either way.
            (Graph::Whole, _) | (_, Some(_)) => (loss_of(model.forward(input, dropout)), None),
            (Graph::LayerInputs, None) => {
                let tape = Tape::record(model, input, dropout);
                (loss_of(model.answer(tape.last.clone(), &input.packing, dropout)), Some(tape))
            }
        };
        let value = f64::from(loss.clone().inner().into_scalar::<f32>());
        let forward = Seconds(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let gradients = match tape {
            None => take(model, &mut loss.backward()),
            Some(tape) => tape.backward(model, input, dropout, &loss),
        };
        Self { loss: value, gradients, forward, backward: Seconds(start.elapsed().as_secs_f64()) }
    }
}

/// The inputs of all layers, and the last hidden state, each the leaf of a graph of its own.
struct Tape {
    inputs: Vec<Tensor<2>>,
    last: Tensor<2>,
}

impl Tape {
    /// The encoder's forward pass without a graph.
    fn record(model: &Classifier, input: &PackedInput, dropout: Option<&ForwardDropout>) -> Self {
        // Not `valid()`: the same operations must run as in the backward pass, for the same bits.
        let bert = model.bert.clone().no_grad();
        let mut hidden = bert.embed(input, dropout);
        let mut inputs = Vec::with_capacity(bert.layers.len());
        for index in 0..bert.layers.len() {
            inputs.push(hidden.clone().require_grad());
            hidden = bert.layer(index, hidden, &input.packing, dropout);
        }
        Self { inputs, last: hidden.require_grad() }
    }

    /// From the loss back through the head, the layers from last to first and the embeddings.
    fn backward(
        self,
        model: &Classifier,
        input: &PackedInput,
        dropout: Option<&ForwardDropout>,
        loss: &Tensor<1>,
    ) -> FlatGradients {
        let mut gradients = loss.backward();
        let mut arriving = gradient_of(&self.last, &mut gradients);
        let pooler = take(&model.bert.pooler, &mut gradients);
        let head = take(&model.head, &mut gradients);
        let mut layers = Vec::with_capacity(self.inputs.len());
        for (index, hidden) in self.inputs.into_iter().enumerate().rev() {
            let output = model.bert.layer(index, hidden.clone(), &input.packing, dropout);
            let mut gradients = backward_from(output, arriving);
            layers.push(take(&model.bert.layers[index], &mut gradients));
            arriving = gradient_of(&hidden, &mut gradients);
        }
        let mut gradients = backward_from(model.bert.embed(input, dropout), arriving);
        let embeddings = take(&model.bert.embeddings, &mut gradients);
        let layers = layers.into_iter().rev().flatten();
        embeddings.into_iter().chain(layers).chain(pooler).chain(head).collect()
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

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Int, TensorData};

    use super::*;
    use crate::kernel::cross_entropy;
    use crate::model::random_classifier;
    use crate::random::Stream;
    use crate::store::Architecture;

    const SMALL: Architecture = Architecture {
        layers: 3,
        hidden: 24,
        heads: 2,
        intermediate: 40,
        vocab_size: 30,
        max_positions: 8,
        type_vocab_size: 2,
        causal: false,
    };

    fn pass(model: &Classifier, graph: Graph, step: u64) -> Pass {
        let device = Device::flex().autodiff();
        let ids: Vec<u32> = (0..11).map(|token| (token * 7 + 5) % 30).collect();
        let positions = [0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 3];
        let segments = [0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1];
        let input = PackedInput::new(&ids, &positions, &segments, &[0, 5, 7, 11], &device);
        let dropout = ForwardDropout::new(0.3, Stream::new(4, "dropout"), step);
        let labels = Tensor::<1, Int>::from_data(TensorData::new(vec![0i32, 2, 1], [3]), &device);
        Pass::new(model, &input, dropout.as_ref(), graph, |logits| cross_entropy(logits, labels))
    }

    fn model() -> Classifier {
        random_classifier(&SMALL, 3, 1, &Device::flex().autodiff())
    }

    fn numbers(gradients: FlatGradients) -> Vec<Vec<f32>> {
        gradients.into_iter().map(|gradient| gradient.unwrap().into_data().try_to_vec().unwrap()).collect()
    }

    #[test]
    fn layers_computed_twice_give_the_same_bits_with_dropout_on() {
        let model = model();
        let (whole, recomputed) = (pass(&model, Graph::Whole, 1), pass(&model, Graph::LayerInputs, 1));
        assert_eq!(whole.loss.to_bits(), recomputed.loss.to_bits());
        let whole = numbers(whole.gradients);
        assert_eq!(whole.len(), 5 + 3 * 12 + 2 + 2, "embeddings, layers, pooler and head");
        assert!(whole.iter().all(|gradient| gradient.iter().any(|g| *g != 0.0)), "every parameter learns");
        assert_eq!(whole, numbers(recomputed.gradients));
        assert_ne!(whole, numbers(pass(&model, Graph::Whole, 2).gradients), "another step has other masks");
    }
}
