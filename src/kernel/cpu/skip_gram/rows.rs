//! Products of rows of a table, and sums over them.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernel::cpu::isa::Isa;

/// Independent sums of one product: a vector of 512 bits.
const LANES: usize = 16;
/// A vector of 128 bits.
const QUARTER: usize = 4;
/// Products whose sums are kept apart at a time.
const TOGETHER: usize = 8;
/// Rows that a thread takes at least.
const ROWS: usize = 16;

/// Row `to` of `into` gets Σ product × row `from` of `table` over the products whose rows `(to, from)` `rows` gives, in their
/// order. A row is one thread's, so that their number changes no sum.
pub(super) fn scatter(
    products: &[f32],
    rows: impl Fn(usize) -> (u32, u32) + Sync,
    table: &[f32],
    width: usize,
    into: &mut [f32],
) -> Vec<u32> {
    // Sorted by row: how many products each has, then where they begin.
    let mut ends = vec![0u32; into.len() / width.max(1) + 1];
    for product in 0..products.len() {
        ends[rows(product).0 as usize + 1] += 1;
    }
    let touched: Vec<u32> = (0..).zip(&ends[1..]).filter(|(_, count)| **count > 0).map(|(row, _)| row).collect();
    for row in 1..ends.len() {
        ends[row] += ends[row - 1];
    }
    let starts = ends.clone();
    let mut order = vec![0u32; products.len()];
    for product in 0..products.len() {
        let next = &mut ends[rows(product).0 as usize];
        order[*next as usize] = product as u32;
        *next += 1;
    }
    let mut tasks: Vec<(&mut [f32], Range<usize>)> = Vec::with_capacity(touched.len());
    let (mut rest, mut before) = (into, 0);
    for &row in &touched {
        let (_, from) = rest.split_at_mut((row as usize - before) * width);
        let (own, after) = from.split_at_mut(width);
        tasks.push((own, starts[row as usize] as usize..starts[row as usize + 1] as usize));
        (rest, before) = (after, row as usize + 1);
    }
    let isa = Isa::detect();
    tasks.into_par_iter().with_min_len(ROWS).for_each(|(own, range)| {
        isa.run(
            #[inline(always)]
            || {
                for &product in &order[range] {
                    let factor = products[product as usize];
                    let from = row(table, rows(product as usize).1, width);
                    for (sum, x) in own.iter_mut().zip(from) {
                        *sum = x.mul_add(factor, *sum);
                    }
                }
            },
        );
    });
    touched
}

#[inline(always)]
pub(super) fn row(table: &[f32], row: u32, width: usize) -> &[f32] {
    &table[row as usize * width..][..width]
}

/// The products of `vector` with the rows `others` of `table`.
#[inline(always)]
pub(super) fn dots(products: &mut [f32], vector: &[f32], table: &[f32], others: &[u32]) {
    // By way of memory: sums that the compiler may keep in registers until they are added up, it makes two at a time.
    let mut parts = [[0f32; LANES]; TOGETHER];
    for (products, others) in products.chunks_mut(TOGETHER).zip(others.chunks(TOGETHER)) {
        for (parts, &other) in parts.iter_mut().zip(others) {
            parts_of_product(parts, vector, row(table, other, vector.len()));
        }
        for (product, parts) in products.iter_mut().zip(&parts) {
            *product = sum(parts);
        }
    }
}

/// A product in as many parts as a vector has; the rest of the row, in quarters, goes into the first ones.
#[inline(always)]
fn parts_of_product(parts: &mut [f32; LANES], a: &[f32], b: &[f32]) {
    let (one, other) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (rest, other_rest) = (one.remainder(), other.remainder());
    let mut sums = [0f32; LANES];
    for (a, b) in one.zip(other) {
        for at in 0..LANES {
            sums[at] = a[at].mul_add(b[at], sums[at]);
        }
    }
    *parts = sums;
    let (four, other_four) = (rest.chunks_exact(QUARTER), other_rest.chunks_exact(QUARTER));
    let last = four.remainder().iter().zip(other_four.remainder());
    for (a, b) in four.zip(other_four) {
        for at in 0..QUARTER {
            parts[at] = a[at].mul_add(b[at], parts[at]);
        }
    }
    for (part, (a, b)) in parts.iter_mut().zip(last) {
        *part = a.mul_add(*b, *part);
    }
}

/// In halves, as vectors are added.
#[inline(always)]
fn sum(parts: &[f32; LANES]) -> f32 {
    let (mut eight, mut four) = ([0f32; 8], [0f32; QUARTER]);
    for at in 0..8 {
        eight[at] = parts[at] + parts[at + 8];
    }
    for at in 0..QUARTER {
        four[at] = eight[at] + eight[at + QUARTER];
    }
    (four[0] + four[2]) + (four[1] + four[3])
}
