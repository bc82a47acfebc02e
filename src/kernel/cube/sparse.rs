//! Gradients of tables of which a step reads few rows: memory that is kept from step to step and is 0 but for rows that are
//! known, so that neither all of it is cleared nor all of it is read for its norm.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::sums::cube_sum;
use super::tensor::{cubes, length, units, zeros};

/// Units that clear a row.
const ROW_UNITS: usize = 64;

/// The rows of a table's gradient that may be something else than 0.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Numbers of rows, among others.
    pub(super) lists: CubeTensor,
    /// Where they begin there.
    pub(super) first: usize,
    /// How many there are.
    pub(super) count: usize,
    /// Numbers of a row.
    pub(super) width: usize,
}

/// A gradient, which someone may still read, and what is known of it.
struct Kept {
    gradient: CubeTensor,
    rows: Rows,
}

impl Kept {
    /// Nobody reads it any more.
    fn is_free(&self) -> bool {
        self.gradient.can_mut()
    }
}

/// A gradient says nothing of its rows to burn, which passes it on, so they are looked up by its memory.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

fn kept() -> MutexGuard<'static, Vec<Kept>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Zeros of the shape of `table`, of which [`keep`] should hear.
pub(super) fn cleared(table: &CubeTensor) -> CubeTensor {
    let mut all = kept();
    let fits = |kept: &Kept| {
        let gradient = &kept.gradient;
        gradient.device == table.device && gradient.meta.shape() == table.meta.shape() && kept.is_free()
    };
    let Some(place) = all.iter().position(fits) else { return zeros(table, table.meta.shape().clone()) };
    let Kept { gradient, rows } = all.swap_remove(place);
    drop(all);
    let [into, lists] = [&gradient, &rows.lists].map(|tensor| tensor.clone().into_buffer_arg());
    let (first, count) = (rows.first as u32, rows.count as u32);
    clear_rows::launch(&gradient.client, cubes(rows.count), units(ROW_UNITS), lists, into, first, count, rows.width);
    gradient
}

/// From now on it is known that `gradient` is 0 but for `rows`, for as long as nobody changes it. Nobody does: who holds it
/// is not alone.
pub(super) fn keep(gradient: &CubeTensor, rows: Rows) {
    kept().push(Kept { gradient: gradient.clone(), rows });
}

/// What is known of `gradient`, of whatever shape.
pub(super) fn rows_of(gradient: &CubeTensor) -> Option<Rows> {
    let memory = gradient.handle.memory.descriptor().id;
    let is_it = |kept: &&Kept| {
        kept.gradient.handle.memory.descriptor().id == memory && length(&kept.gradient) == length(gradient)
    };
    kept().iter().find(is_it).map(|kept| kept.rows.clone())
}

/// Frees what nobody reads.
pub(in crate::kernel) fn release() {
    kept().retain(|kept| !kept.is_free());
}

/// Adds up the squares of a gradient's `rows` in `parts[first_part ..]`, as many as there are cubes.
pub(super) fn squares(gradient: &CubeTensor, rows: &Rows, parts: &CubeTensor, first_part: usize, cubes: usize) {
    let [values, lists, parts] = [gradient, &rows.lists, parts].map(|tensor| tensor.clone().into_buffer_arg());
    squares_of_rows::launch(
        &gradient.client,
        CubeCount::Static(cubes as u32, 1, 1),
        units(SQUARE_UNITS),
        values,
        lists,
        parts,
        first_part as u32,
        rows.first as u32,
        rows.count as u32,
        rows.width,
    );
}

/// Units that add up squares.
const SQUARE_UNITS: usize = 256;

#[cube(launch)]
fn clear_rows(lists: &[u32], table: &mut [f32], first: u32, count: u32, #[comptime] width: usize) {
    let number = CUBE_POS;
    if number >= count as usize {
        terminate!();
    }
    let row = lists[first as usize + number] as usize;
    let mut column = UNIT_POS as usize;
    while column < width {
        table[row * width + column] = 0.0f32;
        column += ROW_UNITS;
    }
}

#[cube(launch)]
fn squares_of_rows(
    values: &[f32],
    lists: &[u32],
    parts: &mut [f32],
    first_part: u32,
    first: u32,
    count: u32,
    #[comptime] width: usize,
) {
    let mut shared = Shared::<[f32]>::new_slice(SQUARE_UNITS);
    let mut sum = 0.0f32;
    let mut number = CUBE_POS_X as usize;
    while number < count as usize {
        let row = lists[first as usize + number] as usize;
        let mut column = UNIT_POS as usize;
        while column < width {
            let value = values[row * width + column];
            sum += value * value;
            column += SQUARE_UNITS;
        }
        number += CUBE_COUNT_X as usize;
    }
    let total = cube_sum(sum, &mut shared);
    if UNIT_POS == 0 {
        parts[(first_part + CUBE_POS_X) as usize] = total;
    }
}

#[cfg(test)]
mod tests;
