//! Sums over the rows of a matrix, in chunks of [`CHUNK`] rows that are added in order.

use rayon::prelude::*;

use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::gemm::Cells;
use crate::kernel::cpu::isa::Isa;
use crate::kernel::cpu::scratch::scratch;
use crate::kernel::cpu::tasks::items_of_a_task;

/// Rows of a task.
pub(super) const CHUNK: usize = 64;

/// The sum of all rows of `matrix`, `[rows, width] → [width]`.
pub fn column_sums<E: Element>(matrix: &[E], sums: &mut [f32]) {
    let (width, isa) = (sums.len().max(1), Isa::detect());
    column_sums_of([sums], matrix.len() / width, |from, rows, [sums]| {
        let matrix = &matrix[from * width..][..rows * width];
        isa.run(
            #[inline(always)]
            || add_rows(matrix, sums),
        );
    });
}

/// Adds the rows of `matrix` to `sums`, four at a time.
#[inline(always)]
fn add_rows<E: Element>(matrix: &[E], sums: &mut [f32]) {
    let width = sums.len();
    let mut fours = matrix.chunks_exact(4 * width);
    for four in &mut fours {
        let (a, b, c, d) = (&four[..width], &four[width..][..width], &four[2 * width..][..width], &four[3 * width..]);
        for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *sum += (a.to_f32() + b.to_f32()) + (c.to_f32() + d.to_f32());
        }
    }
    for row in fours.remainder().chunks_exact(width) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x.to_f32();
        }
    }
}

/// Runs `work(first row, rows, sums)` for each chunk of rows on all threads, with sums that begin at zero, and
/// adds those of all chunks, in order, into `totals`, which it overwrites.
pub(super) fn column_sums_of<const N: usize>(
    totals: [&mut [f32]; N],
    rows: usize,
    work: impl Fn(usize, usize, [&mut [f32]; N]) + Sync,
) {
    let width = totals.first().map_or(0, |total| total.len());
    let part = N * width;
    scratch(rows.div_ceil(CHUNK) * part, |parts: &mut [f32]| {
        let cells = Cells::new(parts);
        for_chunks(rows, |from, rows| {
            // SAFETY: each chunk has its own part.
            let sums = unsafe { cells.part(from / CHUNK * part, part) };
            sums.fill(0.0);
            let mut rest = sums;
            let sums = std::array::from_fn(|_| {
                let (first, others) = std::mem::take(&mut rest).split_at_mut(width);
                rest = others;
                first
            });
            work(from, rows, sums);
        });
        for (number, total) in totals.into_iter().enumerate() {
            total.fill(0.0);
            for part in parts.chunks_exact(part.max(1)) {
                total.iter_mut().zip(&part[number * width..]).for_each(|(total, part)| *total += part);
            }
        }
    });
}

/// Runs `work(first row, rows)` for each chunk of rows on all threads.
pub(super) fn for_chunks(rows: usize, work: impl Fn(usize, usize) + Sync) {
    let chunks = rows.div_ceil(CHUNK);
    (0..chunks).into_par_iter().with_max_len(items_of_a_task(chunks)).for_each(|chunk| {
        let from = chunk * CHUNK;
        work(from, CHUNK.min(rows - from));
    });
}
