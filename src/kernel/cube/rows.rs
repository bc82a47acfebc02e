//! Some rows of a matrix, and back into their places.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::tensor::{cubes, empty, length, units, zeros};

/// Units that copy a row.
const ROW_UNITS: usize = 256;

/// The rows of `x` `[_, width]` that `rows` numbers: `[rows, width]`.
pub(super) fn take_rows(x: &CubeTensor, rows: &CubeTensor, width: usize) -> CubeTensor {
    let count = length(rows);
    let taken = empty(x, [count, width]);
    let [x_arg, rows_arg, taken_arg] = [x, rows, &taken].map(|tensor| tensor.clone().into_buffer_arg());
    take::launch(&x.client, cubes(count), units(ROW_UNITS), x_arg, rows_arg, taken_arg, count as u32, width);
    taken
}

/// `[tokens, width]` with the rows of `of` where `rows` numbers them, which ascend, and zeros elsewhere.
pub(super) fn spread_rows(of: &CubeTensor, rows: &CubeTensor, [tokens, width]: [usize; 2]) -> CubeTensor {
    let spread = zeros(of, [tokens, width]);
    put_rows(of, rows, &spread, width, false);
    spread
}

/// Adds the rows of `of` to those of `into` that `rows` numbers, which ascend. Nobody else may hold `into`.
pub(super) fn add_rows(of: &CubeTensor, rows: &CubeTensor, into: CubeTensor, width: usize) -> CubeTensor {
    put_rows(of, rows, &into, width, true);
    into
}

fn put_rows(of: &CubeTensor, rows: &CubeTensor, into: &CubeTensor, width: usize, adds: bool) {
    let count = length(rows);
    let [of_arg, rows_arg, into_arg] = [of, rows, into].map(|tensor| tensor.clone().into_buffer_arg());
    put::launch(&of.client, cubes(count), units(ROW_UNITS), of_arg, rows_arg, into_arg, count as u32, width, adds);
}

/// A cube a row.
#[cube(launch)]
fn take(x: &[f32], rows: &[u32], taken: &mut [f32], count: u32, #[comptime] width: usize) {
    let row = CUBE_POS;
    if row >= count as usize {
        terminate!();
    }
    let from = rows[row] as usize * width;
    let mut column = UNIT_POS as usize;
    while column < width {
        taken[row * width + column] = x[from + column];
        column += CUBE_DIM as usize;
    }
}

/// A cube a row.
#[cube(launch)]
fn put(of: &[f32], rows: &[u32], into: &mut [f32], count: u32, #[comptime] width: usize, #[comptime] adds: bool) {
    let row = CUBE_POS;
    if row >= count as usize {
        terminate!();
    }
    let first = rows[row] as usize * width;
    let mut column = UNIT_POS as usize;
    while column < width {
        let mut value = of[row * width + column];
        if comptime!(adds) {
            value += into[first + column];
        }
        into[first + column] = value;
        column += CUBE_DIM as usize;
    }
}
