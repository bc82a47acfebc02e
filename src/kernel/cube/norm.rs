//! Layer norm of a residual branch, and back: a cube a row forward, a block of rows a cube backward.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::mask::{Mask, PER_BLOCK, factors, mask_args};
use super::norm_back::{Backward, norm_back};
use super::row::{Drops, Row};
use super::sums::{Partials, cube_sum};
use super::tensor::{cubes, empty, length, units};
use crate::kernel::LAYER_NORM_EPSILON;
use crate::kernel::cpu::Site;

/// What a norm keeps for its backward pass.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct Normed {
    /// x̂, `[rows, width]`.
    pub(super) normed: CubeTensor,
    /// 1/σ, `[rows]`.
    pub(super) inverse: CubeTensor,
    /// What the mask counts each row as, `[rows]`, where that is not its place.
    pub(super) numbers: Option<CubeTensor>,
}

/// norm(dropout(x + bias) + residual) × γ + β, `[rows, width]`; the mask counts the rows as `numbers` says, or as they come.
pub(super) fn residual_norm(
    x: &CubeTensor,
    bias: &CubeTensor,
    residual: &CubeTensor,
    [gamma, beta]: [&CubeTensor; 2],
    site: Option<&Site>,
    numbers: Option<&CubeTensor>,
) -> (CubeTensor, Normed) {
    let row = Row::new(length(gamma));
    let rows = length(x) / row.width;
    let [y, normed] = [(); 2].map(|()| empty(x, [rows, row.width]));
    let inverse = empty(x, [rows]);
    let [x_arg, bias_arg, residual_arg, gamma_arg, beta_arg] =
        [x, bias, residual, gamma, beta].map(|tensor| tensor.clone().into_buffer_arg());
    let [y_arg, normed_arg, inverse_arg] = [&y, &normed, &inverse].map(|tensor| tensor.clone().into_buffer_arg());
    residual_norm_rows::launch(
        &x.client,
        cubes(rows),
        units(row.units),
        x_arg,
        bias_arg,
        residual_arg,
        gamma_arg,
        beta_arg,
        y_arg,
        normed_arg,
        inverse_arg,
        numbers_arg(numbers.filter(|_| site.is_some())),
        mask_args(site),
        rows as u32,
        row,
        site.is_some(),
    );
    (y, Normed { normed, inverse, numbers: numbers.cloned() })
}

/// A list of row numbers as an argument.
fn numbers_arg(numbers: Option<&CubeTensor>) -> ComptimeOptionArgs<&'static [u32]> {
    numbers.map(|numbers| numbers.clone().into_buffer_arg()).into()
}

/// Gradients that go on from a norm.
pub(super) struct NormGradients {
    /// Of what is normed.
    pub(super) sum: CubeTensor,
    /// Of x + bias before dropout: the same when nothing is dropped there.
    pub(super) input: CubeTensor,
}

/// The backward pass of a norm whose output's gradient is the sum of those given. The gradients of γ, β and, where the
/// mask is on the input, of its bias become vectors number `vector` and following of `partials`.
pub(super) fn norm_backward(
    (arriving, also): (&CubeTensor, Option<&CubeTensor>),
    kept: &Normed,
    gamma: &CubeTensor,
    (site, drops): (Option<&Site>, Drops),
    partials: &Partials,
    vector: usize,
) -> NormGradients {
    let Normed { normed, inverse, numbers } = kept;
    let row = Row::new(length(gamma));
    let rows = length(inverse);
    let has_bias = drops == Drops::Input;
    let drops = if site.is_some() { drops } else { Drops::Nothing };
    let nothing = empty(normed, [1]);
    let sum = empty(normed, [rows, row.width]);
    let input = if drops == Drops::Input { empty(normed, [rows, row.width]) } else { nothing.clone() };
    let [arriving_arg, also_arg] = [arriving, also.unwrap_or(&nothing)].map(|tensor| tensor.clone().into_buffer_arg());
    let [normed_arg, inverse_arg, gamma_arg] = [normed, inverse, gamma].map(|tensor| tensor.clone().into_buffer_arg());
    let [sum_arg, input_arg] = [&sum, &input].map(|tensor| tensor.clone().into_buffer_arg());
    let with = Backward {
        row,
        stride: partials.columns(),
        first: partials.first(vector),
        has_bias,
        has_also: also.is_some(),
        drops,
    };
    norm_back::launch(
        &normed.client,
        cubes(partials.blocks()),
        units(row.units),
        arriving_arg,
        also_arg,
        normed_arg,
        inverse_arg,
        gamma_arg,
        sum_arg,
        input_arg,
        partials.arg(),
        numbers_arg(numbers.as_ref().filter(|_| drops != Drops::Nothing)),
        mask_args(site),
        rows as u32,
        with,
    );
    let input = if drops == Drops::Input { input } else { sum.clone() };
    NormGradients { sum, input }
}

/// Turns the numbers of a row into normed ones, from their `sum` over the unit; to 1/σ.
#[cube]
pub(super) fn normalise(values: &mut Array<f32>, sum: f32, shared: &mut Shared<[f32]>, #[comptime] row: Row) -> f32 {
    let unit = UNIT_POS as usize;
    let width = comptime!(row.width as f32);
    let mean = cube_sum(sum, shared) / width;
    let mut squares = 0.0f32;
    #[unroll]
    for round in 0..comptime!(row.rounds()) {
        let first = (unit + round * row.units) * PER_BLOCK;
        #[unroll]
        for element in 0..PER_BLOCK {
            if first + element < row.width {
                let difference = values[round * PER_BLOCK + element] - mean;
                values[round * PER_BLOCK + element] = difference;
                squares += difference * difference;
            }
        }
    }
    let inverse = 1.0f32 / (cube_sum(squares, shared) / width + comptime!(LAYER_NORM_EPSILON as f32)).sqrt();
    #[unroll]
    for held in 0..comptime!(row.held()) {
        values[held] *= inverse;
    }
    inverse
}

#[cube(launch)]
fn residual_norm_rows(
    x: &[f32],
    bias: &[f32],
    residual: &[f32],
    gamma: &[f32],
    beta: &[f32],
    y: &mut [f32],
    normed: &mut [f32],
    inverse: &mut [f32],
    numbers: ComptimeOption<&[u32]>,
    mask: Mask,
    rows: u32,
    #[comptime] row: Row,
    #[comptime] drops: bool,
) {
    let at = CUBE_POS;
    if at >= rows as usize {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let begin = at * row.width;
    #[comptime]
    let number = match numbers {
        ComptimeOption::Some(numbers) => numbers[at],
        ComptimeOption::None => at as u32,
    };
    let mut shared = Shared::<[f32]>::new_slice(row.units);
    let mut values = Array::<f32>::new(comptime!(row.held()));
    let mut kept = Array::<f32>::new(PER_BLOCK);
    let mut sum = 0.0f32;
    #[unroll]
    for round in 0..comptime!(row.rounds()) {
        let block = unit + round * row.units;
        factors(number, block as u32, &mask, &mut kept, drops);
        #[unroll]
        for element in 0..PER_BLOCK {
            let column = block * PER_BLOCK + element;
            if column < row.width {
                let value = (x[begin + column] + bias[column]) * kept[element] + residual[begin + column];
                values[round * PER_BLOCK + element] = value;
                sum += value;
            }
        }
    }
    let scale = normalise(&mut values, sum, &mut shared, row);
    #[unroll]
    for round in 0..comptime!(row.rounds()) {
        let first = (unit + round * row.units) * PER_BLOCK;
        #[unroll]
        for element in 0..PER_BLOCK {
            let column = first + element;
            if column < row.width {
                let value = values[round * PER_BLOCK + element];
                normed[begin + column] = value;
                y[begin + column] = value * gamma[column] + beta[column];
            }
        }
    }
    if unit == 0 {
        inverse[at] = scale;
    }
}
