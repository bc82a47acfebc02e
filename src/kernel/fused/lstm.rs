//! The recurrence of an LSTM in one direction or both as one burn operation.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, ExtensionType, Flex};

use super::memory::{contiguous, numbers, tensor};
use crate::kernel::cpu::Buffer;
use crate::kernel::cpu::lstm::{Kept, Lstm, StepOrder};

/// The tensors that the recurrence reads.
#[derive(ExtensionType)]
pub(in crate::kernel) struct LstmTensors<B: Backend> {
    /// `[tokens, directions × 4 × hidden]`
    pub(in crate::kernel) inputs: FloatTensor<B>,
    /// `[directions, hidden, 4 × hidden]`
    pub(in crate::kernel) recurrent: FloatTensor<B>,
}

/// Inputs of the gates and recurrent weights.
const INPUTS: usize = 2;

/// What it reads besides tensors.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct LstmCall {
    pub(in crate::kernel) directions: usize,
    pub(in crate::kernel) hidden: usize,
    pub(in crate::kernel) order: Arc<StepOrder>,
}

fn lstm<'a>(inputs: &'a [FlexTensor; INPUTS], call: &'a LstmCall) -> Lstm<'a> {
    Lstm { directions: call.directions, hidden: call.hidden, recurrent: numbers(&inputs[1]), order: &call.order }
}

fn run(inputs: &[FlexTensor; INPUTS], call: &LstmCall) -> (FlexTensor, Kept) {
    let (tokens, width) = (call.order.tokens[0].len(), call.directions * call.hidden);
    let mut outputs = Buffer::take(tokens * width);
    let kept = lstm(inputs, call).forward(numbers(&inputs[0]), &mut outputs);
    (tensor(outputs, [tokens, width]), kept)
}

/// Without autodiff.
pub(super) fn plain(tensors: LstmTensors<Flex>, call: &LstmCall) -> FlexTensor {
    run(&[tensors.inputs, tensors.recurrent].map(contiguous), call).0
}

/// With autodiff.
pub(super) fn tracked<C: CheckpointStrategy>(
    tensors: LstmTensors<Autodiff<Flex, C>>,
    call: LstmCall,
) -> FloatTensor<Autodiff<Flex, C>> {
    let inputs = [tensors.inputs, tensors.recurrent];
    #[expect(clippy::redundant_closure_for_method_calls, reason = "burn does not export the type of the method")]
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| contiguous(input.into_primitive()));
    let (output, kept) = run(&inputs, &call);
    match LstmBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(preparation) => preparation.finish(Arc::new(State { inputs, call, kept }), output),
        OpsKind::UnTracked(preparation) => preparation.finish(output),
    }
}

#[derive(Debug)]
struct LstmBackward;

/// What the backward pass reads.
#[derive(Debug)]
struct State {
    inputs: [FlexTensor; INPUTS],
    call: LstmCall,
    kept: Kept,
}

impl Backward<Flex, INPUTS> for LstmBackward {
    type State = Arc<State>;

    fn backward(self, ops: Ops<Arc<State>, INPUTS>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let arriving = contiguous(gradients.consume::<Flex>(&ops.node));
        let State { inputs, call, kept } = &*ops.state;
        let mut buffers = inputs.each_ref().map(|input| Buffer::<f32>::take(numbers(input).len()));
        let [of_inputs, of_recurrent] = &mut buffers;
        lstm(inputs, call).backward(kept, numbers(&arriving), of_inputs, of_recurrent);
        for ((parent, buffer), input) in ops.parents.into_iter().zip(buffers).zip(inputs) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, tensor(buffer, input.layout().shape().clone()));
            }
        }
    }
}
