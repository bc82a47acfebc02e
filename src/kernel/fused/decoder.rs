//! The decoder and its loss on burn tensors.

use burn::backend::Flex;
use burn::tensor::Tensor;

use super::memory::{numbers, primitive, tensor};
use crate::kernel::cpu::{Decoder, DecoderBuffers};
use crate::kernel::{Decoded, DecoderGradients, DecoderLoss, Deferred};

/// See [`decoder_loss`](crate::kernel::decoder_loss); tensors on `flex`, and gradients of `scale` times the loss.
pub(in crate::kernel) fn decoder_loss(
    states: &Tensor<2>,
    table: &Tensor<2>,
    bias: &Tensor<1>,
    labels: &[u32],
    scale: Option<f32>,
) -> DecoderLoss {
    let ([predictions, hidden], [vocabulary, _]) = (states.dims(), table.dims());
    let [states, table] = [states, table].map(|tensor| primitive(tensor.clone()));
    let bias = primitive(bias.clone());
    let decoder = Decoder { table: numbers(&table), bias: numbers(&bias), hidden };
    let found = decoder.loss(numbers(&states), labels, scale);
    let gradients = found.gradients.map(|DecoderBuffers { states, table, bias }| DecoderGradients {
        states: Tensor::from_primitive::<Flex>(tensor(states, [predictions, hidden])),
        table: Tensor::from_primitive::<Flex>(tensor(table, [vocabulary, hidden])),
        bias: Tensor::from_primitive::<Flex>(tensor(bias, [vocabulary])),
    });
    let known = Decoded { loss: found.loss, right: found.right };
    DecoderLoss { found: Deferred::known(known), gradients }
}
