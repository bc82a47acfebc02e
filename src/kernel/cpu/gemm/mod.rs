//! Matrix products with f32 sums: C = A B, each tile of C handed to an [`Output`] while it is hot.
//!
//! ```text
//! if A is transposed, or its rows do not end with a whole step: a copy of it, once for all tasks
//! for each task: a block of rows of C × a block of columns, spread over the threads
//!     for each part of the depth (one, unless it is very deep)
//!         for each group of panels of B's columns      packed into the second cache
//!             for each strip of A's rows               as high as a tile
//!                 for each panel of the group
//!                     the micro-kernel over the depth  the sums stay in registers
//!                     the output takes the tile
//! ```
//!
//! Each element is summed in the order of the depth, whatever the tasks: the bits do not depend on the number
//! of threads. The scheme is that of Goto & van de Geijn 2008 with B in the second cache and A unpacked.

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod amx;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx2;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx2_copy;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx512;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx512_bf16;
mod grid;
mod matrix;
mod micro;
mod operand;
mod output;
mod pack;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod pairs;
mod portable;

use rayon::prelude::*;

use grid::{Block, Grid};
pub use matrix::{Cells, Matrix};
use micro::{Factors, Micro, TILE};
use operand::WithMicro;
pub use operand::{Operand, kernel_name, multiply_adds};
pub use output::{Output, Place, Store, Sum, SumTransposed, tile_row};
#[cfg(all(target_arch = "x86_64", not(miri)))]
pub use pairs::Words;

use super::element::Element;
use super::scratch::scratch;
use super::tasks::items_of_a_task;

/// What other processors need to know of an element.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
pub trait Words {}
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
impl<E> Words for E {}

/// The deepest product that is not cut: 4 bytes × 64 columns of it are 1 MiB.
const DEPTH: usize = 4096;
/// Rows that are copied by a task.
const STRIP: usize = 64;

/// A B into `output`, `[m, k] × [k, n] → [m, n]`, on all threads.
pub fn gemm<E: Operand, S: Element>(a: Matrix<'_, E>, b: Matrix<'_, S>, output: &dyn Output) {
    E::with_micro(Everywhere { a, b, output });
}

/// As [`gemm`], on this thread alone.
pub fn gemm_on_this_thread<E: Operand, S: Element>(a: Matrix<'_, E>, b: Matrix<'_, S>, output: &dyn Output) {
    E::with_micro(Here { a, b, output });
}

struct Everywhere<'a, E, S> {
    a: Matrix<'a, E>,
    b: Matrix<'a, S>,
    output: &'a dyn Output,
}

impl<E: Operand, S: Element> WithMicro<E> for Everywhere<'_, E, S> {
    type Result = ();

    fn with<M: Micro<Element = E>>(self, micro: M) {
        let (rows, depth) = (self.a.rows(), self.a.columns());
        if Rows::as_they_are::<M>(self.a).is_none() && rows > STRIP {
            let padded = depth.next_multiple_of(M::STEP);
            let stride = copy_stride::<E>(padded);
            return scratch(rows * stride, |copy: &mut [E]| {
                let strips = copy.par_chunks_mut((STRIP * stride).max(1)).zip(0..rows.div_ceil(STRIP));
                strips.with_max_len(items_of_a_task(rows.div_ceil(STRIP))).for_each(|(to, strip)| {
                    let rows = (strip * STRIP, rows.min((strip + 1) * STRIP));
                    M::run(
                        #[inline(always)]
                        || copy_rows(micro, self.a, rows, padded, stride, to),
                    );
                });
                self.spread(micro, Some(Rows { data: copy, stride }));
            });
        }
        self.spread(micro, Rows::as_they_are::<M>(self.a));
    }
}

impl<E: Operand, S: Element> Everywhere<'_, E, S> {
    /// Makes the tasks; without `rows`, the one task copies A itself.
    fn spread<M: Micro<Element = E>>(&self, micro: M, rows: Option<Rows<'_, E>>) {
        let deep = self.b.rows().min(if self.output.sums() { DEPTH } else { usize::MAX }).next_multiple_of(M::STEP);
        let grid = Grid::new::<M, E>(&self.a, self.b.columns(), group_columns::<M>(deep));
        match rows {
            Some(a) if grid.tasks() > 1 => (0..grid.tasks()).into_par_iter().with_max_len(1).for_each(|task| {
                M::run(
                    #[inline(always)]
                    || block(micro, a, self.b, grid.block(task), self.output),
                );
            }),
            _ => Here { a: self.a, b: self.b, output: self.output }.with(micro),
        }
    }
}

struct Here<'a, E, S> {
    a: Matrix<'a, E>,
    b: Matrix<'a, S>,
    output: &'a dyn Output,
}

impl<E: Operand, S: Element> WithMicro<E> for Here<'_, E, S> {
    type Result = ();

    #[inline(always)]
    fn with<M: Micro<Element = E>>(self, micro: M) {
        let (rows, depth) = (self.a.rows(), self.a.columns());
        let whole = Block { rows: (0, rows), columns: (0, self.b.columns()) };
        if let Some(a) = Rows::as_they_are::<M>(self.a) {
            return M::run(
                #[inline(always)]
                || block(micro, a, self.b, whole, self.output),
            );
        }
        let padded = depth.next_multiple_of(M::STEP);
        let stride = copy_stride::<E>(padded);
        M::run(
            #[inline(always)]
            || {
                scratch(
                    rows * stride,
                    #[inline(always)]
                    |copy: &mut [E]| {
                        copy_rows(micro, self.a, (0, rows), padded, stride, copy);
                        block(micro, Rows { data: copy, stride }, self.b, whole, self.output);
                    },
                );
            },
        );
    }
}

/// A with contiguous rows that end with a whole step of the micro-kernel.
#[derive(Clone, Copy, Debug)]
struct Rows<'a, E> {
    data: &'a [E],
    stride: usize,
}

impl<'a, E: Element> Rows<'a, E> {
    /// `a`, unless it has to be copied.
    #[inline(always)]
    fn as_they_are<M: Micro<Element = E>>(a: Matrix<'a, E>) -> Option<Self> {
        let fit = !a.transposed() && a.columns().is_multiple_of(M::STEP);
        fit.then(|| Self { data: a.from(0, 0), stride: a.stride() })
    }
}

/// One block of C.
#[inline(always)]
fn block<M: Micro, S: Element>(micro: M, a: Rows<'_, M::Element>, b: Matrix<'_, S>, block: Block, output: &dyn Output) {
    let depth = b.rows();
    let part = if output.sums() { DEPTH } else { depth.max(1) };
    micro.enter();
    for from in (0..depth.max(1)).step_by(part) {
        let deep = part.min(depth - from);
        let b = Part { b, from, deep, padded: deep.next_multiple_of(M::STEP) };
        b.multiply(micro, &a.data[(block.rows.0 * a.stride + from).min(a.data.len())..], a.stride, block, output);
    }
    micro.leave();
}

/// Rows `from .. from + deep` of B.
struct Part<'a, S> {
    b: Matrix<'a, S>,
    from: usize,
    deep: usize,
    /// `deep` in whole steps of the micro-kernel.
    padded: usize,
}

impl<S: Element> Part<'_, S> {
    /// Adds this part's products with the rows of `a` to a block of C.
    #[inline(always)]
    fn multiply<M: Micro>(&self, micro: M, a: &[M::Element], stride: usize, block: Block, output: &dyn Output) {
        let wide = M::columns(self.padded);
        let length = M::panel_length(self.padded, wide);
        let group = group_columns::<M>(self.padded);
        // Sums wait in memory for the next part of the depth; if it is in one part, there is one tile for all.
        let parts = self.padded.div_ceil(M::CHUNK).max(1);
        let part = self.padded.div_ceil(parts).next_multiple_of(M::STEP);
        let parts = || (0..self.padded.max(1)).step_by(part.max(1)).map(|at| (at, part.min(self.padded - at)));
        for left in (block.columns.0..block.columns.1).step_by(group) {
            let right = block.columns.1.min(left + group);
            let panels = || (left..right).step_by(wide).map(|column| (column, wide.min(right - column)));
            let count = (right - left).div_ceil(wide);
            scratch(
                count * length,
                #[inline(always)]
                |memory: &mut [M::Element]| {
                    for (panel, (column, columns)) in panels().enumerate() {
                        for (at, padded) in parts() {
                            let from = panel * length + M::panel_length(at, columns);
                            let panel = &mut memory[from..][..M::panel_length(padded, columns)];
                            let deep = padded.min(self.deep - at);
                            micro.pack(self.b, (self.from + at, deep), (column, columns), panel);
                        }
                    }
                    let tiles = if part >= self.padded { 1 } else { count };
                    scratch(
                        tiles * TILE,
                        #[inline(always)]
                        |sums: &mut [f32]| {
                            let (sums, _) = sums.as_chunks_mut::<TILE>();
                            let mut row = block.rows.0;
                            while row < block.rows.1 {
                                let rows = M::strip(block.rows.1 - row);
                                let a = &a[(row - block.rows.0) * stride..];
                                for (at, deep) in parts() {
                                    let last = at + deep == self.padded;
                                    for (panel, (column, columns)) in panels().enumerate() {
                                        let place = Place { row, column, rows, columns, first: self.from == 0 };
                                        let tile = &mut sums[panel % tiles];
                                        let panel = &memory[panel * length + M::panel_length(at, columns)..];
                                        // SAFETY: `with_micro` chose a micro-kernel that the processor has; A's rows and the
                                        // panel are as deep as said; blocks, and tiles within one, do not overlap.
                                        unsafe {
                                            let of = Factors { depth: deep, a: &a[at..], stride, rows, panel, columns };
                                            micro.multiply(of, at > 0, tile);
                                            if last {
                                                output.take(place, tile.as_slice());
                                            }
                                        }
                                    }
                                }
                                row += rows;
                            }
                        },
                    );
                },
            );
        }
    }
}

/// Columns whose panels of `depth` rows, a multiple of [`Micro::STEP`], are in use together.
#[inline(always)]
fn group_columns<M: Micro>(depth: usize) -> usize {
    let wide = M::columns(depth);
    let bytes = M::panel_length(depth, wide) * size_of::<M::Element>();
    wide * (M::PANELS / bytes.max(1)).max(1)
}

/// Elements between the starts of copied rows of `padded` elements: an odd number of cache lines, so that the rows of
/// a tile do not meet in few sets of the first cache.
fn copy_stride<E>(padded: usize) -> usize {
    let line = 64 / size_of::<E>();
    (padded.div_ceil(line) | 1) * line
}

/// Rows `rows.0 .. rows.1` of `a`, each filled up with zeros to `padded`, to rows `stride` apart.
#[inline(always)]
fn copy_rows<M: Micro>(
    micro: M,
    a: Matrix<'_, M::Element>,
    rows: (usize, usize),
    padded: usize,
    stride: usize,
    to: &mut [M::Element],
) {
    if a.transposed() {
        micro.copy_transposed(a, (rows.0, rows.1 - rows.0), padded, stride, to);
        return;
    }
    let deep = a.columns();
    for (row, to) in (rows.0..rows.1).zip(to.chunks_exact_mut(stride)) {
        to[..deep].copy_from_slice(a.line(row, 0, deep));
        to[deep..padded].fill(M::Element::default());
    }
}

#[cfg(test)]
#[expect(clippy::many_single_char_names, reason = "the letters of the formulas")]
mod tests;
