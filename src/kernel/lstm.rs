//! The recurrence of a bidirectional LSTM over packed sequences.

use burn::tensor::{Device, Int, Tensor, TensorData, activation::sigmoid};

use super::Packing;

/// Over each sequence from its first token to its last, and from its last to its first.
pub const LSTM_DIRECTIONS: usize = 2;
/// Input, forget, cell and output, in this order.
pub const LSTM_GATES: usize = 4;

/// One layer of a bidirectional LSTM (Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000),
/// `[tokens, 2 × 4 × hidden] → [tokens, 2 × hidden]`, forward direction first in both.
///
/// `inputs` is what the gates get from the layer's input, biases included: input, forget, cell and output gate of
/// the forward direction, then of the backward direction. With R of `recurrent` `[2, hidden, 4 × hidden]`, and h
/// and c from 0 at each sequence's start (backward: at its end),
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
pub fn bidirectional_lstm(inputs: Tensor<2>, recurrent: Tensor<3>, packing: &Packing) -> Tensor<2> {
    let ([tokens, _], [_, hidden, gates]) = (inputs.dims(), recurrent.dims());
    if tokens == 0 {
        return Tensor::zeros([0, LSTM_DIRECTIONS * hidden], &inputs.device());
    }
    let order = StepOrder::new(packing.offsets());
    let device = inputs.device();
    let inputs = inputs.reshape([LSTM_DIRECTIONS * tokens, gates]).select(0, indices(order.rows, &device));
    let mut state: Option<State> = None;
    let (mut states, mut first) = (Vec::with_capacity(order.active.len()), 0);
    for active in order.active {
        let rows = first..first + LSTM_DIRECTIONS * active;
        first = rows.end;
        let input = inputs.clone().slice_dim(0, rows).reshape([LSTM_DIRECTIONS, active, gates]);
        let next = State::step(state, input, &recurrent, active);
        states.push(next.hidden.clone().reshape([LSTM_DIRECTIONS * active, hidden]));
        state = Some(next);
    }
    Tensor::cat(states, 0).select(0, indices(order.places, &device)).reshape([tokens, LSTM_DIRECTIONS * hidden])
}

/// h and c of the sequences that are being read, `[2, active, hidden]` each.
struct State {
    hidden: Tensor<3>,
    cell: Tensor<3>,
}

impl State {
    /// The next state of the first `active` sequences; `input` is `[2, active, 4 × hidden]`.
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

/// The rows of a batch in the order in which they are read: step by step; at a step first those of the forward,
/// then those of the backward direction, a row for every sequence that is long enough.
#[derive(Debug, PartialEq, Eq)]
struct StepOrder {
    /// Sequences with a token at each step.
    active: Vec<usize>,
    /// Which row is read: 2 × token + direction.
    rows: Vec<i32>,
    /// For every such number, where it stands in `rows`.
    places: Vec<i32>,
}

impl StepOrder {
    fn new(offsets: &[u32]) -> Self {
        let mut sequences: Vec<(usize, usize)> =
            offsets.windows(2).map(|pair| (pair[0] as usize, (pair[1] - pair[0]) as usize)).collect();
        sequences.sort_by_key(|&(_, length)| std::cmp::Reverse(length));
        let longest = sequences.first().map_or(0, |&(_, length)| length);
        let active: Vec<usize> =
            (0..longest).map(|step| sequences.partition_point(|&(_, length)| length > step)).collect();
        let tokens: usize = active.iter().sum();
        let (mut rows, mut places) = (Vec::with_capacity(2 * tokens), vec![0; LSTM_DIRECTIONS * tokens]);
        for (step, &active) in active.iter().enumerate() {
            let read = &sequences[..active];
            let forward = read.iter().map(|&(first, _)| 2 * (first + step));
            let backward = read.iter().map(|&(first, length)| 2 * (first + length - 1 - step) + 1);
            for row in forward.chain(backward) {
                places[row] = rows.len() as i32;
                rows.push(row as i32);
            }
        }
        Self { active, rows, places }
    }
}

fn indices(values: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

#[cfg(test)]
mod tests {
    use super::super::comparison::{assert_close, leaf};
    use super::*;

    const HIDDEN: usize = 3;

    #[test]
    fn each_direction_reads_each_sequence_from_its_own_end() {
        // Lengths 1, 3, 0 and 2.
        let order = StepOrder::new(&[0, 1, 4, 4, 6]);
        assert_eq!(order.active, [3, 2, 1]);
        let direction =
            |of: i32| -> Vec<i32> { order.rows.iter().filter(|&&row| row % 2 == of).map(|&row| row / 2).collect() };
        assert_eq!(direction(0), [1, 4, 0, 2, 5, 3], "first tokens of the longest first, then the second ones");
        assert_eq!(direction(1), [3, 5, 0, 2, 4, 1]);
        for (number, &place) in order.places.iter().enumerate() {
            assert_eq!(order.rows[place as usize], number as i32);
        }
    }

    fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    /// Outputs, and the gradients of a weighted sum of them.
    fn run(inputs: &Tensor<2>, recurrent: &Tensor<3>, weights: &Tensor<2>, offsets: &[u32]) -> [Vec<f32>; 3] {
        let packing = Packing::new(offsets, &inputs.device());
        let outputs = bidirectional_lstm(inputs.clone(), recurrent.clone(), &packing);
        let mut gradients = (outputs.clone() * weights.clone()).sum().backward();
        let [of_inputs, of_recurrent] =
            [inputs.grad_remove(&mut gradients).map(numbers), recurrent.grad_remove(&mut gradients).map(numbers)];
        // A sequence of one token has no step that the recurrent weights take part in.
        let of_recurrent = of_recurrent.unwrap_or_else(|| vec![0.0; recurrent.dims().iter().product()]);
        [numbers(outputs.inner()), of_inputs.unwrap(), of_recurrent]
    }

    #[test]
    fn a_sequence_in_a_batch_is_computed_as_alone() {
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
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let device = Device::flex().autodiff();
        let offsets = [0u32, 3, 4, 6];
        let [inputs, weights] = [leaf([6, 8 * HIDDEN], 4, &device), leaf([6, 2 * HIDDEN], 5, &device).detach()];
        let recurrent: Tensor<3> = leaf([2, HIDDEN, 4 * HIDDEN], 6, &device);
        let [_, of_inputs, of_recurrent] = run(&inputs, &recurrent, &weights, &offsets);
        let loss = |inputs: &Tensor<2>, recurrent: &Tensor<3>| -> f64 {
            let [outputs, ..] = run(inputs, recurrent, &weights, &offsets);
            outputs.iter().zip(numbers(weights.clone())).map(|(&y, w)| f64::from(y) * f64::from(w)).sum()
        };
        // Central differences with a step at which the rounding of f32 and the third derivative are both small.
        let step = 1e-2f32;
        let moved = |data: &[f32], at: usize, by: f32| {
            let mut data = data.to_vec();
            data[at] += by;
            data
        };
        let (x, r) = (numbers(inputs.clone()), numbers(recurrent.clone()));
        for at in (0..x.len()).step_by(5) {
            let [high, low] = [step, -step].map(|by| {
                let data = TensorData::new(moved(&x, at, by), inputs.dims());
                loss(&Tensor::from_data(data, &device).require_grad(), &recurrent)
            });
            let slope = (high - low) / f64::from(2.0 * step);
            assert!((slope - f64::from(of_inputs[at])).abs() < 2e-3, "input {at}: {slope} {}", of_inputs[at]);
        }
        for at in (0..r.len()).step_by(5) {
            let [high, low] = [step, -step].map(|by| {
                let data = TensorData::new(moved(&r, at, by), recurrent.dims());
                loss(&inputs, &Tensor::from_data(data, &device).require_grad())
            });
            let slope = (high - low) / f64::from(2.0 * step);
            assert!((slope - f64::from(of_recurrent[at])).abs() < 2e-3, "weight {at}: {slope} {}", of_recurrent[at]);
        }
    }
}
