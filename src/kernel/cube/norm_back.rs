//! The kernel of a norm's backward pass: a cube has a block of rows, and sums over them as it goes.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::mask::{Mask, PER_BLOCK, factors};
use super::row::{Drops, Row};
use super::sums::{BLOCK_ROWS, cube_sum};

/// What is fixed when the kernel is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Backward {
    pub(super) row: Row,
    /// Columns of all sums.
    pub(super) stride: usize,
    /// The first of this norm's: γ, β, and the input's bias.
    pub(super) first: usize,
    pub(super) has_bias: bool,
    /// Whether two gradients arrive.
    pub(super) has_also: bool,
    pub(super) drops: Drops,
}

#[cube(launch)]
pub(super) fn norm_back(
    arriving: &[f32],
    also: &[f32],
    normed: &[f32],
    inverse: &[f32],
    gamma: &[f32],
    of_sum: &mut [f32],
    of_input: &mut [f32],
    sums: &mut [f32],
    numbers: ComptimeOption<&[u32]>,
    mask: Mask,
    rows: u32,
    #[comptime] with: Backward,
) {
    let row = comptime!(with.row);
    let block_of_rows = CUBE_POS;
    let begin = block_of_rows * BLOCK_ROWS;
    if begin >= rows as usize {
        terminate!();
    }
    let end = min(begin + BLOCK_ROWS, rows as usize);
    let unit = UNIT_POS as usize;
    let width = comptime!(row.width as f32);
    let mut shared = Shared::<[f32]>::new_slice(row.units);
    let mut scaled = Array::<f32>::new(comptime!(row.held()));
    let mut values = Array::<f32>::new(comptime!(row.held()));
    let mut kept = Array::<f32>::new(PER_BLOCK);
    let mut of_gamma = Array::<f32>::new(comptime!(row.held()));
    let mut of_beta = Array::<f32>::new(comptime!(row.held()));
    let mut of_bias = Array::<f32>::new(comptime!(row.held()));
    #[unroll]
    for held in 0..comptime!(row.held()) {
        of_gamma[held] = 0.0f32;
        of_beta[held] = 0.0f32;
        of_bias[held] = 0.0f32;
    }
    for at in begin..end {
        #[comptime]
        let number = match numbers {
            ComptimeOption::Some(numbers) => numbers[at],
            ComptimeOption::None => at as u32,
        };
        let mut sum = 0.0f32;
        let mut product = 0.0f32;
        #[unroll]
        for round in 0..comptime!(row.rounds()) {
            let block = unit + round * row.units;
            if comptime!(with.drops == Drops::Output) {
                factors(number, block as u32, &mask, &mut kept, true);
            }
            #[unroll]
            for element in 0..PER_BLOCK {
                let column = block * PER_BLOCK + element;
                let held = round * PER_BLOCK + element;
                if column < row.width {
                    let mut gradient = arriving[at * row.width + column];
                    if comptime!(with.has_also) {
                        gradient += also[at * row.width + column];
                    }
                    if comptime!(with.drops == Drops::Output) {
                        gradient *= kept[element];
                    }
                    let value = normed[at * row.width + column];
                    let times_gamma = gradient * gamma[column];
                    of_gamma[held] += gradient * value;
                    of_beta[held] += gradient;
                    scaled[held] = times_gamma;
                    values[held] = value;
                    sum += times_gamma;
                    product += times_gamma * value;
                }
            }
        }
        let mean = cube_sum(sum, &mut shared) / width;
        let slope = cube_sum(product, &mut shared) / width;
        let scale = inverse[at];
        #[unroll]
        for round in 0..comptime!(row.rounds()) {
            let block = unit + round * row.units;
            if comptime!(with.drops == Drops::Input) {
                factors(number, block as u32, &mask, &mut kept, true);
            }
            #[unroll]
            for element in 0..PER_BLOCK {
                let column = block * PER_BLOCK + element;
                let held = round * PER_BLOCK + element;
                if column < row.width {
                    let mut gradient = scale * (scaled[held] - mean - values[held] * slope);
                    of_sum[at * row.width + column] = gradient;
                    if comptime!(with.drops == Drops::Input) {
                        gradient *= kept[element];
                        of_input[at * row.width + column] = gradient;
                    }
                    of_bias[held] += gradient;
                }
            }
        }
    }
    write_sums(&of_gamma, &of_beta, &of_bias, block_of_rows * with.stride + with.first, sums, with);
}

#[cube]
fn write_sums(
    of_gamma: &Array<f32>,
    of_beta: &Array<f32>,
    of_bias: &Array<f32>,
    first: usize,
    sums: &mut [f32],
    #[comptime] with: Backward,
) {
    let row = comptime!(with.row);
    #[unroll]
    for round in 0..comptime!(row.rounds()) {
        let block = UNIT_POS as usize + round * row.units;
        #[unroll]
        for element in 0..PER_BLOCK {
            let column = block * PER_BLOCK + element;
            if column < row.width {
                sums[first + column] = of_gamma[round * PER_BLOCK + element];
                sums[first + row.width + column] = of_beta[round * PER_BLOCK + element];
                if comptime!(with.has_bias) {
                    sums[first + 2 * row.width + column] = of_bias[round * PER_BLOCK + element];
                }
            }
        }
    }
}
