//! The recurrence of an LSTM in one direction or both as one burn operation.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, Flex};

use super::memory::{numbers, tensor, tensors_like};
use super::operation::Operation;
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

impl Operation<Flex, INPUTS> for LstmCall {
    type Kept = Kept;

    fn forward(&self, inputs: &[FlexTensor; INPUTS], _keep: bool) -> (FlexTensor, Option<Kept>) {
        let (tokens, width) = (self.order.tokens[0].len(), self.directions * self.hidden);
        let mut outputs = Buffer::take(tokens * width);
        let kept = lstm(inputs, self).forward(numbers(&inputs[0]), &mut outputs);
        (tensor(outputs, [tokens, width]), Some(kept))
    }

    fn backward(&self, inputs: &[FlexTensor; INPUTS], kept: &Kept, arriving: &FlexTensor) -> [FlexTensor; INPUTS] {
        let mut buffers = inputs.each_ref().map(|input| Buffer::<f32>::take(numbers(input).len()));
        let [of_inputs, of_recurrent] = &mut buffers;
        lstm(inputs, self).backward(kept, numbers(arriving), of_inputs, of_recurrent);
        tensors_like(buffers, inputs)
    }
}
