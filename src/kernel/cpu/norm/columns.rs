//! Sums over the rows of a matrix, in chunks of [`CHUNK`] rows that are added in order.

use rayon::prelude::*;

use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::gemm::Cells;
use crate::kernel::cpu::isa::Isa;
use crate::kernel::cpu::scratch::scratch;
use crate::kernel::cpu::tasks::items_of_a_task;

/// Rows of a task.
pub(super) const CHUNK: usize = 64;
/// Rows that are added to each other before they are added to a sum.
const GROUP: usize = 4;

/// Rows of a batch that are at hand, in their order.
#[derive(Clone, Copy, Debug)]
pub enum BatchRows<'a> {
    /// So many, which are all.
    All(usize),
    /// Some of them. Sums over them have the bits that they would have over all, if the others were 0.
    Some {
        /// Their numbers in the batch, ascending.
        rows: &'a [u32],
        /// Rows of the batch.
        batch: usize,
    },
}

impl BatchRows<'_> {
    /// How many are at hand.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::All(count) => count,
            Self::Some { rows, .. } => rows.len(),
        }
    }

    /// The first row at hand of each chunk of the batch that has one, and how many it has.
    fn chunks(self) -> Vec<(usize, usize)> {
        match self {
            Self::All(count) => (0..count).step_by(CHUNK).map(|from| (from, CHUNK.min(count - from))).collect(),
            Self::Some { rows, .. } => {
                let mut next = 0;
                let chunks = rows.chunk_by(|a, b| *a as usize / CHUNK == *b as usize / CHUNK);
                chunks
                    .map(|chunk| {
                        next += chunk.len();
                        (next - chunk.len(), chunk.len())
                    })
                    .collect()
            }
        }
    }
}

/// The sum of all rows of `matrix`, `[rows, width] → [width]`.
pub fn column_sums<E: Element>(matrix: &[E], sums: &mut [f32]) {
    column_sums_at(matrix, BatchRows::All(matrix.len() / sums.len().max(1)), sums);
}

/// The sum of the rows of `matrix`, which are these of a batch, `[rows, width] → [width]`.
pub fn column_sums_at<E: Element>(matrix: &[E], of: BatchRows<'_>, sums: &mut [f32]) {
    let (width, isa) = (sums.len().max(1), Isa::detect());
    assert!(matrix.len() == of.count() * sums.len(), "rows of one width");
    column_sums_of([sums], of, |from, rows, [sums]| {
        let matrix = &matrix[from * width..][..rows * width];
        isa.run(
            #[inline(always)]
            || match of {
                BatchRows::All(_) => add_rows(matrix, sums),
                BatchRows::Some { rows: of, batch } => add_some_rows(matrix, &of[from..from + rows], batch, sums),
            },
        );
    });
}

/// Adds the rows of `matrix`, which are these of one chunk of a batch, to `sums`, in the order of [`add_rows`].
#[inline(always)]
fn add_some_rows<E: Element>(matrix: &[E], rows: &[u32], batch: usize, sums: &mut [f32]) {
    let width = sums.len();
    let group = |row: u32| row as usize % CHUNK / GROUP;
    let mut matrix = matrix.chunks_exact(width);
    for rows in rows.chunk_by(|a, b| group(*a) == group(*b)) {
        let chunk = rows[0] as usize / CHUNK * CHUNK;
        let whole_groups = CHUNK.min(batch - chunk) / GROUP;
        let mut four: [Option<&[E]>; GROUP] = [None; GROUP];
        for &row in rows {
            four[row as usize % GROUP] = matrix.next();
        }
        let at = |row: Option<&[E]>, column: usize| row.map_or(0.0, |row| row[column].to_f32());
        for (column, sum) in sums.iter_mut().enumerate() {
            let [a, b, c, d] = four.map(|row| at(row, column));
            if group(rows[0]) < whole_groups {
                *sum += (a + b) + (c + d);
            } else {
                *sum = (((*sum + a) + b) + c) + d;
            }
        }
    }
}

/// Adds the rows of `matrix` to `sums`, four at a time.
#[inline(always)]
fn add_rows<E: Element>(matrix: &[E], sums: &mut [f32]) {
    let width = sums.len();
    let mut fours = matrix.chunks_exact(GROUP * width);
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
    of: BatchRows<'_>,
    work: impl Fn(usize, usize, [&mut [f32]; N]) + Sync,
) {
    let width = totals.first().map_or(0, |total| total.len());
    let part = N * width;
    let chunks = of.chunks();
    scratch(chunks.len() * part, |parts: &mut [f32]| {
        let cells = Cells::new(parts);
        (0..chunks.len()).into_par_iter().with_max_len(items_of_a_task(chunks.len())).for_each(|chunk| {
            let (from, rows) = chunks[chunk];
            // SAFETY: each chunk has its own part.
            let sums = unsafe { cells.part(chunk * part, part) };
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
