//! One transformer layer as one burn operation.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, Flex};

use super::memory::{numbers, tensor, tensors_like};
use super::operation::Operation;
use crate::kernel::cpu::{Buffer, Layer, LayerDropout, LayerGradients, LayerShape, PerParameter, Saved};
use crate::kernel::{Packing, Precision};

/// The tensors that a layer reads.
#[derive(ExtensionType)]
pub(in crate::kernel) struct LayerTensors<B: Backend> {
    /// `[tokens, hidden]`
    pub(in crate::kernel) hidden: FloatTensor<B>,
    /// `[hidden, 3 × hidden]`
    pub(in crate::kernel) qkv_weight: FloatTensor<B>,
    /// `[3 × hidden]`
    pub(in crate::kernel) qkv_bias: FloatTensor<B>,
    /// `[hidden, hidden]`
    pub(in crate::kernel) attention_weight: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) attention_bias: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) attention_gamma: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) attention_beta: FloatTensor<B>,
    /// `[hidden, intermediate]`
    pub(in crate::kernel) intermediate_weight: FloatTensor<B>,
    /// `[intermediate]`
    pub(in crate::kernel) intermediate_bias: FloatTensor<B>,
    /// `[intermediate, hidden]`
    pub(in crate::kernel) output_weight: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) output_bias: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) output_gamma: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) output_beta: FloatTensor<B>,
}

/// Tensors of a layer: the hidden state and twelve parameters.
pub(in crate::kernel) const LAYER_INPUTS: usize = 13;

/// What a layer reads besides tensors.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct LayerCall {
    pub(in crate::kernel) shape: LayerShape,
    pub(in crate::kernel) packing: Packing,
    pub(in crate::kernel) dropout: Option<LayerDropout>,
    pub(in crate::kernel) precision: Precision,
    /// The rows of the output that are read, ascending; all without.
    pub(in crate::kernel) read: Option<Arc<[u32]>>,
}

impl<B: Backend> LayerTensors<B> {
    /// In the order of the struct, which is that of the gradients.
    pub(in crate::kernel) fn into_array(self) -> [FloatTensor<B>; LAYER_INPUTS] {
        [
            self.hidden,
            self.qkv_weight,
            self.qkv_bias,
            self.attention_weight,
            self.attention_bias,
            self.attention_gamma,
            self.attention_beta,
            self.intermediate_weight,
            self.intermediate_bias,
            self.output_weight,
            self.output_bias,
            self.output_gamma,
            self.output_beta,
        ]
    }
}

fn layer<'a>(inputs: &'a [FlexTensor; LAYER_INPUTS], call: &'a LayerCall) -> Layer<'a> {
    let [_, parameters @ ..] = inputs.each_ref().map(numbers);
    Layer {
        shape: call.shape,
        parameters: PerParameter::of(parameters),
        offsets: call.packing.offsets(),
        dropout: call.dropout.as_ref(),
        read: call.read.as_deref(),
    }
}

impl Operation<Flex, LAYER_INPUTS> for LayerCall {
    type Kept = Saved;

    fn forward(&self, inputs: &[FlexTensor; LAYER_INPUTS], keep: bool) -> (FlexTensor, Option<Saved>) {
        let LayerShape { tokens, hidden, .. } = self.shape;
        let rows = self.read.as_ref().map_or(tokens, |read| read.len());
        let mut y = Buffer::take(rows * hidden);
        let saved = layer(inputs, self).forward(numbers(&inputs[0]), self.precision, &mut y, keep);
        (tensor(y, [rows, hidden]), saved)
    }

    fn backward(
        &self,
        inputs: &[FlexTensor; LAYER_INPUTS],
        saved: &Saved,
        arriving: &FlexTensor,
    ) -> [FlexTensor; LAYER_INPUTS] {
        let mut buffers = inputs.each_ref().map(|input| Buffer::<f32>::take(numbers(input).len()));
        let [x, parameters @ ..] = buffers.each_mut().map(|buffer| &mut buffer[..]);
        let gradients = LayerGradients { x, parameters: PerParameter::of(parameters) };
        layer(inputs, self).backward(numbers(&inputs[0]), saved, numbers(arriving), gradients);
        tensors_like(buffers, inputs)
    }
}
