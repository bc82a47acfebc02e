//! The input embeddings on a GPU: three rows a token, their norm, dropout; and back to the rows of the tables.

use burn::backend::Cube;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::mask::{Mask, PER_BLOCK, factors, mask_args};
use super::norm::{Normed, norm_backward, normalise};
use super::row::{Drops, Row};
use super::sparse::{self, Rows};
use super::sums::Partials;
use super::tensor::{cubes, empty, length, units, upload, zeros};
use crate::kernel::TokenRows;
use crate::kernel::fused::{EMBEDDING_INPUTS, EmbeddingCall, Operation};

/// Units that add up a row of a table.
const ROW_UNITS: usize = 64;

/// Who reads which row of a table: the tokens sorted by row, where each row's begin and the last's end, and the rows.
struct Readers {
    numbers: Vec<u32>,
    distinct: usize,
}

impl Readers {
    fn of(rows: &[u32]) -> Self {
        let mut numbers: Vec<u32> = (0..rows.len() as u32).collect();
        // Stable: tokens of a row are added in their order.
        numbers.sort_by_key(|&token| rows[token as usize]);
        let sorted: Vec<u32> = numbers.iter().map(|&token| rows[token as usize]).collect();
        let begins: Vec<u32> =
            (0..sorted.len()).filter(|&at| at == 0 || sorted[at] != sorted[at - 1]).map(|at| at as u32).collect();
        numbers.extend(&begins);
        numbers.push(sorted.len() as u32);
        numbers.extend(begins.iter().map(|&at| sorted[at as usize]));
        Self { numbers, distinct: begins.len() }
    }
}

#[cube(launch)]
fn embed(
    numbers: &[u32],
    word: &[f32],
    position: &[f32],
    segment: &[f32],
    gamma: &[f32],
    beta: &[f32],
    y: &mut [f32],
    normed: &mut [f32],
    inverse: &mut [f32],
    mask: Mask,
    tokens: u32,
    #[comptime] row: Row,
    #[comptime] drops: bool,
) {
    let at = CUBE_POS;
    let tokens = tokens as usize;
    if at >= tokens {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let of_word = numbers[at] as usize * row.width;
    let of_position = numbers[tokens + at] as usize * row.width;
    let of_segment = numbers[2 * tokens + at] as usize * row.width;
    let mut shared = Shared::<[f32]>::new_slice(row.units);
    let mut values = Array::<f32>::new(comptime!(row.held()));
    let mut kept = Array::<f32>::new(PER_BLOCK);
    let mut sum = 0.0f32;
    #[unroll]
    for round in 0..comptime!(row.rounds()) {
        let first = (unit + round * row.units) * PER_BLOCK;
        #[unroll]
        for element in 0..PER_BLOCK {
            let column = first + element;
            if column < row.width {
                let value = word[of_word + column] + position[of_position + column] + segment[of_segment + column];
                values[round * PER_BLOCK + element] = value;
                sum += value;
            }
        }
    }
    let scale = normalise(&mut values, sum, &mut shared, row);
    #[unroll]
    for round in 0..comptime!(row.rounds()) {
        let block = unit + round * row.units;
        factors(at as u32, block as u32, &mask, &mut kept, drops);
        #[unroll]
        for element in 0..PER_BLOCK {
            let column = block * PER_BLOCK + element;
            if column < row.width {
                let value = values[round * PER_BLOCK + element];
                normed[at * row.width + column] = value;
                y[at * row.width + column] = (value * gamma[column] + beta[column]) * kept[element];
            }
        }
    }
    if unit == 0 {
        inverse[at] = scale;
    }
}

/// A cube adds up one row of a table's gradient, over the tokens that read it.
#[cube(launch)]
fn add_rows(
    gradient: &[f32],
    lists: &[u32],
    table: &mut [f32],
    first: u32,
    tokens: u32,
    distinct: u32,
    #[comptime] width: usize,
) {
    let number = CUBE_POS;
    if number >= distinct as usize {
        terminate!();
    }
    let begins = first as usize + tokens as usize;
    let begin = lists[begins + number] as usize;
    let end = lists[begins + number + 1] as usize;
    let row = lists[begins + distinct as usize + 1 + number] as usize;
    let mut column = UNIT_POS as usize;
    while column < width {
        let mut total = 0.0f32;
        for reader in begin..end {
            let token = lists[first as usize + reader] as usize;
            total += gradient[token * width + column];
        }
        table[row * width + column] = total;
        column += ROW_UNITS;
    }
}

impl Operation<Cube, EMBEDDING_INPUTS> for EmbeddingCall {
    type Kept = Normed;

    fn forward(&self, inputs: &[CubeTensor; EMBEDDING_INPUTS], _keep: bool) -> (CubeTensor, Option<Normed>) {
        let gamma = &inputs[3];
        let (row, tokens) = (Row::new(length(gamma)), self.rows.ids.len());
        let TokenRows { ids, positions, segments } = &self.rows;
        let numbers = upload(gamma, &[&**ids, &**positions, &**segments].concat());
        let [y, normed] = [(); 2].map(|()| empty(gamma, [tokens, row.width]));
        let inverse = empty(gamma, [tokens]);
        let arg = |tensor: &CubeTensor| tensor.clone().into_buffer_arg();
        let [word, position, segment, gamma_arg, beta] = inputs.each_ref().map(arg);
        embed::launch(
            &gamma.client,
            cubes(tokens),
            units(row.units),
            arg(&numbers),
            word,
            position,
            segment,
            gamma_arg,
            beta,
            arg(&y),
            arg(&normed),
            arg(&inverse),
            mask_args(self.mask.as_ref()),
            tokens as u32,
            row,
            self.mask.is_some(),
        );
        (y, Some(Normed { normed, inverse, numbers: None }))
    }

    fn backward(
        &self,
        inputs: &[CubeTensor; EMBEDDING_INPUTS],
        kept: &Normed,
        arriving: &CubeTensor,
    ) -> [CubeTensor; EMBEDDING_INPUTS] {
        let [_, _, _, gamma, _] = inputs;
        let (width, tokens) = (length(gamma), self.rows.ids.len());
        let partials = Partials::new(gamma, tokens, vec![width, width]);
        let masked = (self.mask.as_ref(), Drops::Output);
        let of_sum = norm_backward((arriving, None), kept, gamma, masked, &partials, 0).sum;
        let TokenRows { ids, positions, segments } = &self.rows;
        let readers = [ids, positions, segments].map(|rows| Readers::of(rows));
        let lists = upload(gamma, &readers.each_ref().map(|readers| &*readers.numbers).concat());
        let mut found = Vec::with_capacity(readers.len());
        let mut first = 0;
        for (number, (table, readers)) in inputs.iter().zip(&readers).enumerate() {
            // Of the words most rows stay 0; the other tables are small.
            let is_sparse = number == 0;
            let gradient = if is_sparse { sparse::cleared(table) } else { zeros(table, table.meta.shape().clone()) };
            if is_sparse {
                let rows =
                    Rows { lists: lists.clone(), first: tokens + readers.distinct + 1, count: readers.distinct, width };
                sparse::keep(&gradient, rows);
            }
            let [of_sum, lists, into] = [&of_sum, &lists, &gradient].map(|tensor| tensor.clone().into_buffer_arg());
            let (tokens, distinct) = (tokens as u32, readers.distinct as u32);
            let (count, dim) = (cubes(readers.distinct), units(ROW_UNITS));
            add_rows::launch(&table.client, count, dim, of_sum, lists, into, first as u32, tokens, distinct, width);
            found.push(gradient);
            first += readers.numbers.len();
        }
        let mut all = found.into_iter().chain(partials.totals());
        // There are as many.
        [(); EMBEDDING_INPUTS].map(|()| all.next().unwrap_or_else(|| gamma.clone()))
    }
}
