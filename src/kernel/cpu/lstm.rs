//! The recurrence of an LSTM in one direction or both, forward and backward, as a single call each.
//!
//! Directions are independent, and run side by side. Within one, everything is in the order of the steps: rows of a
//! step are one matrix, and the gradient of the recurrent weights is one product over all of them.

use rayon::prelude::*;

use super::gemm::{Cells, Matrix, Sum, gemm};
use super::isa::Isa;
use super::math::{sigmoid, tanh};
use super::pool::Buffer;

/// The most directions: over each sequence from its first token to its last, and from its last to its first.
pub const DIRECTIONS: usize = 2;
/// Input, forget, cell and output, in this order.
pub const GATES: usize = 4;

/// Rows that a task takes at least.
const ROWS: usize = 4;

/// The tokens of a batch in the order in which they are read.
///
/// Step t takes the t-th token of each sequence that has one (backward: counted from the end). Sequences are sorted
/// by length, so those of a step are the first ones of the step before.
#[derive(Debug, PartialEq, Eq)]
pub struct StepOrder {
    /// Sequences with a token at each step.
    pub active: Vec<usize>,
    /// The tokens' rows in the packed batch, step by step, for each direction.
    pub tokens: [Vec<u32>; DIRECTIONS],
}

impl StepOrder {
    /// The order for sequences that begin at `offsets`, of which the last is their end.
    #[must_use]
    pub fn new(offsets: &[u32]) -> Self {
        let mut sequences: Vec<(u32, u32)> = offsets.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
        sequences.sort_by_key(|&(_, length)| std::cmp::Reverse(length));
        let longest = sequences.first().map_or(0, |&(_, length)| length);
        let steps: Vec<(u32, usize)> =
            (0..longest).map(|step| (step, sequences.partition_point(|&(_, length)| length > step))).collect();
        let read = |token: fn(u32, u32, u32) -> u32| {
            let rows = steps.iter().flat_map(|&(step, active)| {
                sequences[..active].iter().map(move |&(first, length)| token(first, length, step))
            });
            rows.collect()
        };
        let tokens = [read(|first, _, step| first + step), read(|first, length, step| first + length - 1 - step)];
        Self { active: steps.into_iter().map(|(_, active)| active).collect(), tokens }
    }
}

/// What the backward pass reads of each direction, in the order of the steps.
#[derive(Debug)]
pub struct Kept(Vec<KeptDirection>);

#[derive(Debug)]
struct KeptDirection {
    /// After their activations, `[tokens, 4 × hidden]`.
    gates: Buffer<f32>,
    /// c, `[tokens, hidden]`
    cells: Buffer<f32>,
    /// h, `[tokens, hidden]`
    states: Buffer<f32>,
}

/// The recurrence over one batch.
#[derive(Clone, Copy, Debug)]
pub struct Lstm<'a> {
    /// One (from first token to last) or two.
    pub directions: usize,
    /// Width of each direction.
    pub hidden: usize,
    /// `[directions, hidden, 4 × hidden]`
    pub recurrent: &'a [f32],
    /// What is read when.
    pub order: &'a StepOrder,
}

/// A direction of it.
#[derive(Clone, Copy)]
struct Direction<'a> {
    index: usize,
    /// How many there are.
    of: usize,
    hidden: usize,
    recurrent: Matrix<'a, f32>,
    active: &'a [usize],
    tokens: &'a [u32],
}

impl Lstm<'_> {
    /// `[tokens, directions × 4 × hidden] → [tokens, directions × hidden]`
    pub fn forward(&self, inputs: &[f32], outputs: &mut [f32]) -> Kept {
        let kept: Vec<KeptDirection> =
            (0..self.directions).into_par_iter().map(|index| self.direction(index).forward(inputs)).collect();
        for (direction, kept) in kept.iter().enumerate() {
            self.direction(direction).scatter(&kept.states, self.hidden, outputs);
        }
        Kept(kept)
    }

    /// The gradients of `inputs` and of `recurrent` from that of the outputs, `[tokens, directions × hidden]`.
    pub fn backward(&self, kept: &Kept, arriving: &[f32], inputs: &mut [f32], recurrent: &mut [f32]) {
        let weights = (GATES * self.hidden * self.hidden).max(1);
        let parts = recurrent.par_chunks_exact_mut(weights).zip(&kept.0).enumerate();
        let of_inputs: Vec<Buffer<f32>> =
            parts.map(|(index, (weights, kept))| self.direction(index).backward(kept, arriving, weights)).collect();
        for (index, gradients) in of_inputs.iter().enumerate() {
            self.direction(index).scatter(gradients, GATES * self.hidden, inputs);
        }
    }

    fn direction(&self, index: usize) -> Direction<'_> {
        let (hidden, gates) = (self.hidden, GATES * self.hidden);
        let weights = &self.recurrent[index * hidden * gates..][..hidden * gates];
        Direction {
            index,
            of: self.directions,
            hidden,
            recurrent: Matrix::new(weights, hidden, gates),
            active: &self.order.active,
            tokens: &self.order.tokens[index],
        }
    }
}

impl Direction<'_> {
    /// Each step's first row and number of rows.
    fn steps(&self) -> Vec<(usize, usize)> {
        let starts = self.active.iter().scan(0, |next, &active| {
            let first = *next;
            *next += active;
            Some((first, active))
        });
        starts.collect()
    }

    /// The part of a packed row of `width` × directions numbers that is this direction's.
    fn part<'b>(&self, packed: &'b [f32], token: u32, width: usize) -> &'b [f32] {
        &packed[(token as usize * self.of + self.index) * width..][..width]
    }

    /// Rows of `width` in the order of the steps to where they stand in the packed batch.
    fn scatter(&self, from: &[f32], width: usize, packed: &mut [f32]) {
        for (from, &token) in from.chunks_exact(width.max(1)).zip(self.tokens) {
            packed[(token as usize * self.of + self.index) * width..][..width].copy_from_slice(from);
        }
    }

    fn forward(&self, inputs: &[f32]) -> KeptDirection {
        let (hidden, width) = (self.hidden, GATES * self.hidden);
        let mut gates = Buffer::<f32>::take(self.tokens.len() * width);
        for (to, &token) in gates.chunks_exact_mut(width.max(1)).zip(self.tokens) {
            to.copy_from_slice(self.part(inputs, token, width));
        }
        let [mut cells, mut states] = [(); 2].map(|()| Buffer::<f32>::take(self.tokens.len() * hidden));
        let mut before = 0;
        for (first, active) in self.steps() {
            let gates = &mut gates[first * width..][..active * width];
            let (old_cells, cells) = cells.split_at_mut(first * hidden);
            let (old_states, states) = states.split_at_mut(first * hidden);
            if first > 0 {
                let old = Matrix::new(&old_states[before * hidden..], active, hidden);
                gemm(old, self.recurrent, &Sum { to: Cells::new(gates), stride: width, add: true });
            }
            let old_cells = old_cells.get(before * hidden..).filter(|old| !old.is_empty());
            let rows = gates.par_chunks_exact_mut(width).zip(cells.par_chunks_exact_mut(hidden));
            let rows = rows.zip(states.par_chunks_exact_mut(hidden)).with_min_len(ROWS).enumerate();
            rows.for_each(|(row, ((gates, cell), state))| {
                let old = old_cells.map(|cells| &cells[row * hidden..][..hidden]);
                Isa::detect().run(
                    #[inline(always)]
                    || step(gates, old, cell, state),
                );
            });
            before = first;
        }
        KeptDirection { gates, cells, states }
    }

    /// The gradient of the gates' inputs, `[tokens, 4 × hidden]` in the order of the steps; that of the recurrent
    /// weights goes into `recurrent`.
    fn backward(&self, kept: &KeptDirection, arriving: &[f32], recurrent: &mut [f32]) -> Buffer<f32> {
        let (hidden, width) = (self.hidden, GATES * self.hidden);
        let batch = self.active.first().copied().unwrap_or_default();
        let mut gradients = Buffer::<f32>::take(self.tokens.len() * width);
        // Of h and c of the step before, from the steps that were done.
        let [mut state, mut cell] = [(); 2].map(|()| Buffer::<f32>::zeroed(batch * hidden));
        for (index, (first, active)) in self.steps().into_iter().enumerate().rev() {
            let before = index.checked_sub(1).map(|before| first - self.active[before]);
            let gradients = &mut gradients[first * width..][..active * width];
            let rows = gradients.par_chunks_exact_mut(width).zip(state.par_chunks_exact_mut(hidden));
            let rows = rows.zip(cell.par_chunks_exact_mut(hidden)).with_min_len(ROWS).enumerate();
            rows.for_each(|(row, ((gradient, state), cell))| {
                let at = first + row;
                let done = Done {
                    gates: &kept.gates[at * width..][..width],
                    cell: &kept.cells[at * hidden..][..hidden],
                    old: before.map(|before| &kept.cells[(before + row) * hidden..][..hidden]),
                    arriving: self.part(arriving, self.tokens[at], hidden),
                };
                Isa::detect().run(
                    #[inline(always)]
                    || step_back(&done, state, cell, gradient),
                );
            });
            if index > 0 {
                let to = Sum { to: Cells::new(&mut state), stride: hidden, add: false };
                gemm(Matrix::new(gradients, active, width), self.recurrent.transpose(), &to);
            }
        }
        self.weights(kept, &gradients, recurrent);
        gradients
    }

    /// Σ over all steps but the first of h of the step before × the gates' gradient.
    fn weights(&self, kept: &KeptDirection, gradients: &[f32], recurrent: &mut [f32]) {
        let (hidden, width) = (self.hidden, GATES * self.hidden);
        let first = self.active.first().copied().unwrap_or_default();
        let rows = self.tokens.len() - first;
        let mut old = Buffer::<f32>::take(rows * hidden);
        let mut to = old.chunks_exact_mut(hidden.max(1));
        let next = self.active.iter().skip(1);
        for ((start, _), &active) in self.steps().into_iter().zip(next) {
            let from = kept.states[start * hidden..].chunks_exact(hidden.max(1)).take(active);
            from.zip(&mut to).for_each(|(from, to)| to.copy_from_slice(from));
        }
        if rows == 0 {
            return recurrent.fill(0.0);
        }
        let to = Sum { to: Cells::new(recurrent), stride: width, add: false };
        let gradients = Matrix::new(&gradients[first * width..], rows, width);
        gemm(Matrix::new(&old[..], rows, hidden).transpose(), gradients, &to);
    }
}

/// One row of a step: `gates` are activated, `cell` and `state` written. `old` is c of the step before, if any.
#[inline(always)]
fn step(gates: &mut [f32], old: Option<&[f32]>, cell: &mut [f32], state: &mut [f32]) {
    let hidden = state.len();
    let (input, rest) = gates.split_at_mut(hidden);
    let (forget, rest) = rest.split_at_mut(hidden);
    let (new, output) = rest.split_at_mut(hidden);
    let (output, cell) = (&mut output[..hidden], &mut cell[..hidden]);
    for at in 0..hidden {
        input[at] = sigmoid(input[at]);
        forget[at] = sigmoid(forget[at]);
        new[at] = tanh(new[at]);
        output[at] = sigmoid(output[at]);
        cell[at] = input[at] * new[at];
    }
    if let Some(old) = old {
        for ((cell, &old), &forget) in cell.iter_mut().zip(old).zip(&*forget) {
            *cell += forget * old;
        }
    }
    for ((state, &cell), &output) in state.iter_mut().zip(&*cell).zip(&*output) {
        *state = output * tanh(cell);
    }
}

/// What a row of a step left, and the gradient of its output.
struct Done<'a> {
    gates: &'a [f32],
    cell: &'a [f32],
    old: Option<&'a [f32]>,
    arriving: &'a [f32],
}

/// The gradient of a row's gates before their activations. `state` and `cell` hold the gradients of h and c from the
/// later steps; `cell` becomes that of the step before.
#[inline(always)]
fn step_back(done: &Done<'_>, state: &[f32], cell: &mut [f32], gradient: &mut [f32]) {
    let hidden = cell.len();
    let gate = |index: usize| &done.gates[index * hidden..][..hidden];
    let (input, forget, new, output) = (gate(0), gate(1), gate(2), gate(3));
    let (state, arriving, now) = (&state[..hidden], &done.arriving[..hidden], &done.cell[..hidden]);
    let (to_input, rest) = gradient.split_at_mut(hidden);
    let (to_forget, rest) = rest.split_at_mut(hidden);
    let (to_new, to_output) = rest.split_at_mut(hidden);
    let to_output = &mut to_output[..hidden];
    for at in 0..hidden {
        let (of_state, squashed) = (state[at] + arriving[at], tanh(now[at]));
        let (i, f, g, o) = (input[at], forget[at], new[at], output[at]);
        let of_cell = cell[at] + of_state * o * (1.0 - squashed * squashed);
        to_output[at] = of_state * squashed * o * (1.0 - o);
        to_input[at] = of_cell * g * i * (1.0 - i);
        to_new[at] = of_cell * i * (1.0 - g * g);
        to_forget[at] = of_cell * f * (1.0 - f);
        cell[at] = of_cell * f;
    }
    match done.old {
        Some(old) => to_forget.iter_mut().zip(old).for_each(|(to, &old)| *to *= old),
        None => to_forget.fill(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::cpu::isa::forced::with_every_isa;

    #[test]
    fn each_direction_reads_each_sequence_from_its_own_end() {
        with_every_isa(|_| {
            // Lengths 1, 3, 0 and 2.
            let order = StepOrder::new(&[0, 1, 4, 4, 6]);
            assert_eq!(order.active, [3, 2, 1]);
            assert_eq!(order.tokens[0], [1, 4, 0, 2, 5, 3], "first tokens of the longest first, then the second ones");
            assert_eq!(order.tokens[1], [3, 5, 0, 2, 4, 1]);
        });
    }
}
