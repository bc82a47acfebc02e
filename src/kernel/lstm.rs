//! The recurrence of an LSTM over packed sequences, in one direction or both.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation::sigmoid};

use super::Packing;
use super::cpu::lstm::StepOrder;
pub use super::cpu::lstm::{DIRECTIONS as LSTM_DIRECTIONS, GATES as LSTM_GATES};
use super::fused::{self, FusedLstm, LstmCall, LstmTensors};
use super::indices::indices;

/// One layer of an LSTM (Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000),
/// `[tokens, directions × 4 × hidden] → [tokens, directions × hidden]`, forward direction first in both. One direction,
/// from first token to last, or two: `recurrent` says it.
///
/// `inputs` is what the gates get from the layer's input, biases included: input, forget, cell and output gate of
/// the forward direction, then of the backward direction. With R of `recurrent` `[directions, hidden, 4 × hidden]`,
/// and h and c from 0 at each sequence's start (backward: at its end),
///
/// ```text
/// i, f, g, o = input + h R
/// c ← σ(f) c + σ(i) tanh(g)
/// h ← σ(o) tanh(c)
/// ```
///
/// Nothing is padded: at each step the sequences that still have a token are a prefix of the batch, sorted by
/// length.
#[must_use]
pub fn lstm(inputs: Tensor<2>, recurrent: Tensor<3>, packing: &Packing) -> Tensor<2> {
    let ([tokens, _], [directions, hidden, _]) = (inputs.dims(), recurrent.dims());
    if tokens == 0 {
        return Tensor::zeros([0, directions * hidden], &inputs.device());
    }
    let order = StepOrder::new(packing.offsets());
    if !fused::is_cpu(&inputs.device()) {
        return composed(inputs, &recurrent, &order);
    }
    let tensors = LstmTensors { inputs: inputs.into_dispatch(), recurrent: recurrent.into_dispatch() };
    let call = LstmCall { directions, hidden, order: Arc::new(order) };
    Tensor::from_dispatch(<Dispatch as FusedLstm>::fused_lstm(tensors, call))
}

fn composed(inputs: Tensor<2>, recurrent: &Tensor<3>, order: &StepOrder) -> Tensor<2> {
    let ([tokens, _], [directions, hidden, gates], device) = (inputs.dims(), recurrent.dims(), inputs.device());
    let rows = rows(order, directions);
    let mut places = vec![0; rows.len()];
    rows.iter().zip(0..).for_each(|(&row, place)| places[row as usize] = place);
    let inputs = inputs.reshape([directions * tokens, gates]).select(0, indices(rows, &device));
    let mut state: Option<State> = None;
    let (mut states, mut first) = (Vec::with_capacity(order.active.len()), 0);
    for &active in &order.active {
        let rows = first..first + directions * active;
        first = rows.end;
        let input = inputs.clone().slice_dim(0, rows).reshape([directions, active, gates]);
        let next = State::step(state, input, recurrent, active);
        states.push(next.hidden.clone().reshape([directions * active, hidden]));
        state = Some(next);
    }
    Tensor::cat(states, 0).select(0, indices(places, &device)).reshape([tokens, directions * hidden])
}

/// The rows of the `[directions × tokens, …]` batch in the order in which they are read: at each step those of the
/// forward, then those of the backward direction.
fn rows(order: &StepOrder, directions: usize) -> Vec<u32> {
    let (mut rows, mut first) = (Vec::with_capacity(directions * order.tokens[0].len()), 0);
    for &active in &order.active {
        for (direction, tokens) in order.tokens.iter().take(directions).enumerate() {
            let row = |token: &u32| (directions * *token as usize + direction) as u32;
            rows.extend(tokens[first..first + active].iter().map(row));
        }
        first += active;
    }
    rows
}

/// h and c of the sequences that are being read, `[directions, active, hidden]` each.
struct State {
    hidden: Tensor<3>,
    cell: Tensor<3>,
}

impl State {
    /// The next state of the first `active` sequences; `input` is `[directions, active, 4 × hidden]`.
    fn step(state: Option<Self>, input: Tensor<3>, recurrent: &Tensor<3>, active: usize) -> Self {
        let kept = |tensor: Tensor<3>| {
            if tensor.dims()[1] == active { tensor } else { tensor.slice_dim(1, 0..active) }
        };
        let state = state.map(|Self { hidden, cell }| (kept(hidden), kept(cell)));
        let (gates, cell) = match state {
            Some((hidden, cell)) => (input + hidden.matmul(recurrent.clone()), Some(cell)),
            None => (input, None),
        };
        let width = gates.dims()[2] / LSTM_GATES;
        let gate = |index: usize| gates.clone().slice_dim(2, index * width..(index + 1) * width);
        let written = sigmoid(gate(0)) * gate(2).tanh();
        let cell = match cell {
            Some(cell) => sigmoid(gate(1)) * cell + written,
            None => written,
        };
        Self { hidden: sigmoid(gate(3)) * cell.clone().tanh(), cell }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::kernel::comparison::{assert_close, leaf, numbers, scaled_leaf};
    use crate::kernel::cpu::isa::forced::with_every_isa;

    const HIDDEN: usize = 3;

    /// Outputs, and the gradients of a weighted sum of them.
    fn run(inputs: &Tensor<2>, recurrent: &Tensor<3>, weights: &Tensor<2>, offsets: &[u32]) -> [Vec<f32>; 3] {
        let packing = Packing::new(offsets, &inputs.device());
        run_by(|inputs, recurrent| lstm(inputs, recurrent, &packing), inputs, recurrent, weights)
    }

    fn run_by(
        lstm: impl Fn(Tensor<2>, Tensor<3>) -> Tensor<2>,
        inputs: &Tensor<2>,
        recurrent: &Tensor<3>,
        weights: &Tensor<2>,
    ) -> [Vec<f32>; 3] {
        let outputs = lstm(inputs.clone(), recurrent.clone());
        let mut gradients = (outputs.clone() * weights.clone()).sum().backward();
        let [of_inputs, of_recurrent] =
            [inputs.grad_remove(&mut gradients).map(numbers), recurrent.grad_remove(&mut gradients).map(numbers)];
        // A sequence of one token has no step that the recurrent weights take part in.
        let of_recurrent = of_recurrent.unwrap_or_else(|| vec![0.0; recurrent.dims().iter().product()]);
        [numbers(outputs.inner()), of_inputs.unwrap(), of_recurrent]
    }

    #[test]
    fn the_fused_operation_is_the_composed_one() {
        with_every_isa(|_| {
            let device = Device::flex().autodiff();
            for (offsets, hidden, seed) in
                [(vec![0u32, 4, 4, 5, 12, 14], 3, 10), (vec![0, 1, 2], 5, 20), (vec![0, 33, 60, 90], 70, 30)]
            {
                let tokens = offsets[offsets.len() - 1] as usize;
                let inputs = leaf([tokens, 8 * hidden], seed, &device);
                // Scaled as in a trained LSTM: with weights of 1, wide ones are chaotic, and rounding grows from step to step.
                let scale = 1.0 / (hidden as f32).sqrt();
                let recurrent: Tensor<3> = scaled_leaf([2, hidden, 4 * hidden], seed + 1, scale, &device);
                let weights = leaf([tokens, 2 * hidden], seed + 2, &device).detach();
                let order = StepOrder::new(&offsets);
                let expected =
                    run_by(|inputs, recurrent| composed(inputs, &recurrent, &order), &inputs, &recurrent, &weights);
                let found = run(&inputs, &recurrent, &weights, &offsets);
                let checked = if order.active.len() > 1 { 3 } else { 2 };
                assert_close(&found[..checked], &expected[..checked], 1e-5);
                assert!(checked == 3 || found[2].iter().all(|&gradient| gradient.to_bits() == 0));
                // Without autodiff the same bits.
                let plain = lstm(inputs.inner(), recurrent.inner(), &Packing::new(&offsets, &Device::flex()));
                assert_eq!(numbers(plain), found[0]);
            }
        });
    }

    #[test]
    fn one_direction_is_the_first_of_two() {
        with_every_isa(|_| {
            let device = Device::flex().autodiff();
            let offsets = [0u32, 4, 5, 12, 14];
            let order = StepOrder::new(&offsets);
            let inputs = leaf([14, 4 * HIDDEN], 1, &device);
            let recurrent: Tensor<3> = leaf([1, HIDDEN, 4 * HIDDEN], 2, &device);
            let weights = leaf([14, HIDDEN], 3, &device).detach();
            let found = run(&inputs, &recurrent, &weights, &offsets);
            let expected =
                run_by(|inputs, recurrent| composed(inputs, &recurrent, &order), &inputs, &recurrent, &weights);
            assert_close(&found, &expected, 1e-5);
            let both = lstm(
                Tensor::cat(vec![inputs.clone().inner(); 2], 1),
                Tensor::cat(vec![recurrent.clone().inner(); 2], 0),
                &Packing::new(&offsets, &Device::flex()),
            );
            assert_eq!(numbers(both.slice_dim(1, 0..HIDDEN)), found[0]);
        });
    }

    #[test]
    fn a_sequence_in_a_batch_is_computed_as_alone() {
        with_every_isa(|_| {
            let device = Device::flex().autodiff();
            let offsets = [0u32, 4, 5, 12, 14];
            let inputs = leaf([14, 8 * HIDDEN], 1, &device);
            let recurrent = leaf([2, HIDDEN, 4 * HIDDEN], 2, &device);
            let weights = leaf([14, 2 * HIDDEN], 3, &device).detach();
            let together = run(&inputs, &recurrent, &weights, &offsets);
            let mut alone = [Vec::new(), Vec::new(), vec![0.0; 8 * HIDDEN * HIDDEN]];
            for pair in offsets.windows(2) {
                let rows = pair[0] as usize..pair[1] as usize;
                let part = Tensor::from_inner(inputs.clone().inner().slice_dim(0, rows.clone())).require_grad();
                let weights = weights.clone().slice_dim(0, rows.clone());
                let [outputs, of_inputs, of_recurrent] = run(&part, &recurrent, &weights, &[0, rows.len() as u32]);
                alone[0].extend(outputs);
                alone[1].extend(of_inputs);
                alone[2].iter_mut().zip(of_recurrent).for_each(|(sum, more)| *sum += more);
            }
            assert_close(&together, &alone, 1e-6);
        });
    }
}
