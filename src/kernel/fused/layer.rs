//! One transformer layer as one burn operation.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, ExtensionType, Flex};

use super::memory::{contiguous, numbers, tensor};
use crate::kernel::cpu::{Buffer, Layer, LayerDropout, LayerGradients, LayerParameters, LayerShape, Saved};
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
    let parameters = LayerParameters {
        qkv_weight: parameters[0],
        qkv_bias: parameters[1],
        attention_weight: parameters[2],
        attention_bias: parameters[3],
        attention_gamma: parameters[4],
        attention_beta: parameters[5],
        intermediate_weight: parameters[6],
        intermediate_bias: parameters[7],
        output_weight: parameters[8],
        output_bias: parameters[9],
        output_gamma: parameters[10],
        output_beta: parameters[11],
    };
    Layer {
        shape: call.shape,
        parameters,
        offsets: call.packing.offsets(),
        dropout: call.dropout.as_ref(),
        read: call.read.as_deref(),
    }
}

/// The layer's output, and what its backward pass reads when `keep` says so.
fn run(inputs: &[FlexTensor; LAYER_INPUTS], call: &LayerCall, keep: bool) -> (FlexTensor, Option<Saved>) {
    let LayerShape { tokens, hidden, .. } = call.shape;
    let rows = call.read.as_ref().map_or(tokens, |read| read.len());
    let mut y = Buffer::take(rows * hidden);
    let saved = layer(inputs, call).forward(numbers(&inputs[0]), call.precision, &mut y, keep);
    (tensor(y, [rows, hidden]), saved)
}

/// Without autodiff: nothing is kept.
pub(super) fn plain(tensors: LayerTensors<Flex>, call: &LayerCall) -> FlexTensor {
    run(&tensors.into_array().map(contiguous), call, false).0
}

/// With autodiff: something is kept when a gradient will be asked for.
pub(super) fn tracked<C: CheckpointStrategy>(
    tensors: LayerTensors<Autodiff<Flex, C>>,
    call: LayerCall,
) -> FloatTensor<Autodiff<Flex, C>> {
    let inputs = tensors.into_array();
    #[expect(clippy::redundant_closure_for_method_calls, reason = "burn does not export the type of the method")]
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| contiguous(input.into_primitive()));
    match LayerBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(preparation) => {
            let (output, saved) = run(&inputs, &call, true);
            preparation.finish(Arc::new(Kept { inputs, call, saved }), output)
        }
        OpsKind::UnTracked(preparation) => preparation.finish(run(&inputs, &call, false).0),
    }
}

#[derive(Debug)]
struct LayerBackward;

/// What the backward pass reads.
#[derive(Debug)]
struct Kept {
    inputs: [FlexTensor; LAYER_INPUTS],
    call: LayerCall,
    saved: Option<Saved>,
}

impl Backward<Flex, LAYER_INPUTS> for LayerBackward {
    type State = Arc<Kept>;

    fn backward(self, ops: Ops<Arc<Kept>, LAYER_INPUTS>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let arriving = contiguous(gradients.consume::<Flex>(&ops.node));
        let Kept { inputs, call, saved } = &*ops.state;
        // There whenever the operation is tracked.
        let Some(saved) = saved else { return };
        let mut buffers = inputs.each_ref().map(|input| Buffer::<f32>::take(numbers(input).len()));
        layer(inputs, call).backward(numbers(&inputs[0]), saved, numbers(&arriving), layer_gradients(&mut buffers));
        for ((parent, buffer), input) in ops.parents.into_iter().zip(buffers).zip(inputs) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, tensor(buffer, input.layout().shape().clone()));
            }
        }
    }
}

fn layer_gradients(buffers: &mut [Buffer<f32>; LAYER_INPUTS]) -> LayerGradients<'_> {
    let [
        x,
        qkv_weight,
        qkv_bias,
        attention_weight,
        attention_bias,
        attention_gamma,
        attention_beta,
        intermediate_weight,
        intermediate_bias,
        output_weight,
        output_bias,
        output_gamma,
        output_beta,
    ] = buffers;
    LayerGradients {
        x,
        qkv_weight,
        qkv_bias,
        attention_weight,
        attention_bias,
        attention_gamma,
        attention_beta,
        intermediate_weight,
        intermediate_bias,
        output_weight,
        output_bias,
        output_gamma,
        output_beta,
    }
}
