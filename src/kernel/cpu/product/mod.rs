//! Matrix products with f32 sums: C = A B, each tile of C handed to an [`Output`] while it is hot.
//!
//! ```text
//! for each task: a block of rows of C × a block of columns, spread over the threads
//!     for each part of the depth (one, unless it is very deep)
//!         for each panel of B's columns            packed into the second cache, once per block of rows
//!             for each tile of A's rows            read where they are, unless A is transposed
//!                 the micro-kernel over the depth  the sums stay in registers
//!                 the output takes the tile
//! ```
//!
//! Each element is summed in the order of the depth, whatever the tasks: the bits do not depend on the number
//! of threads. The scheme is that of Goto & van de Geijn 2008 with B in the second cache and A unpacked.

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx512;
mod matrix;
mod micro;
mod output;
mod pack;
mod portable;

use half::bf16;
use rayon::prelude::*;

pub use matrix::{Cells, Matrix};
use micro::{Micro, TILE};
pub use output::{Output, Place, Store, Sum, tile_row};
use portable::Portable;

use super::element::Element;
use super::isa::Isa;
use super::scratch::{Plain, scratch};

/// The deepest product that is not cut: 4 bytes × 64 columns of it are 1 MiB.
const DEPTH: usize = 4096;
/// The same when A is copied, row by row, into the second cache.
const COPIED_DEPTH: usize = 512;
/// Rows of a task at most: as many as make the packing of B cheap, and for a copied A, as many as fit.
const TASK_ROWS: usize = 1024;
const COPIED_ROWS: usize = 384;
/// Multiplications that are worth a task.
const TASK_WORK: usize = 1 << 21;

/// Storage formats that products can be made of.
pub trait Operand: Element + Plain {
    /// `work` with the best micro-kernel of this processor.
    #[doc(hidden)]
    fn with_micro<W: WithMicro<Self>>(work: W) -> W::Result;
}

/// Something to do with a micro-kernel.
#[doc(hidden)]
pub trait WithMicro<E> {
    type Result;
    #[expect(private_bounds, reason = "the trait is sealed by it")]
    fn with<M: Micro<Element = E>>(self, isa: Isa, micro: M) -> Self::Result;
}

impl Operand for f32 {
    #[inline(always)]
    fn with_micro<W: WithMicro<Self>>(work: W) -> W::Result {
        match Isa::detect() {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Isa::Avx512 => work.with(Isa::Avx512, avx512::Avx512),
            Isa::Portable => work.with(Isa::Portable, Portable::<f32, false>::new()),
            isa => work.with(isa, Portable::<f32, true>::new()),
        }
    }
}

impl Operand for bf16 {
    #[inline(always)]
    fn with_micro<W: WithMicro<Self>>(work: W) -> W::Result {
        match Isa::detect() {
            Isa::Portable => work.with(Isa::Portable, Portable::<bf16, false>::new()),
            isa => work.with(isa, Portable::<bf16, true>::new()),
        }
    }
}

/// A B into `output`, `[m, k] × [k, n] → [m, n]`, on all threads.
pub fn product<E: Operand, S: Element, O: Output>(a: Matrix<'_, E>, b: Matrix<'_, S>, output: &O) {
    E::with_micro(Everywhere { a, b, output });
}

/// As [`product`], on this thread alone.
#[inline(always)]
pub fn product_here<E: Operand, S: Element, O: Output>(a: Matrix<'_, E>, b: Matrix<'_, S>, output: &O) {
    E::with_micro(Here { a, b, output });
}

struct Everywhere<'a, E, S, O> {
    a: Matrix<'a, E>,
    b: Matrix<'a, S>,
    output: &'a O,
}

impl<E: Operand, S: Element, O: Output> WithMicro<E> for Everywhere<'_, E, S, O> {
    type Result = ();

    fn with<M: Micro<Element = E>>(self, isa: Isa, micro: M) {
        let (rows, columns) = (self.a.rows(), self.b.columns());
        let grid = Grid::new::<M, E>(&self.a, columns, rayon::current_num_threads());
        if grid.tasks() == 1 {
            return isa.run(|| block(micro, self.a, self.b, Block { rows: (0, rows), columns: (0, columns) }, self.output));
        }
        (0..grid.tasks()).into_par_iter().for_each(|task| {
            isa.run(|| block(micro, self.a, self.b, grid.block(task), self.output));
        });
    }
}

struct Here<'a, E, S, O> {
    a: Matrix<'a, E>,
    b: Matrix<'a, S>,
    output: &'a O,
}

impl<E: Operand, S: Element, O: Output> WithMicro<E> for Here<'_, E, S, O> {
    type Result = ();

    #[inline(always)]
    fn with<M: Micro<Element = E>>(self, isa: Isa, micro: M) {
        let whole = Block { rows: (0, self.a.rows()), columns: (0, self.b.columns()) };
        isa.run(|| block(micro, self.a, self.b, whole, self.output));
    }
}

/// The first row and column of a block of C, and the ones after its last.
#[derive(Clone, Copy, Debug)]
struct Block {
    rows: (usize, usize),
    columns: (usize, usize),
}

/// The blocks of C that the tasks compute.
#[derive(Clone, Copy, Debug)]
struct Grid {
    rows: usize,
    columns: usize,
    block_rows: usize,
    block_columns: usize,
}

impl Grid {
    /// Blocks that are large enough to be worth a task, small enough that every thread gets a few.
    fn new<M: Micro, E>(a: &Matrix<'_, E>, columns: usize, threads: usize) -> Self {
        let (rows, depth) = (a.rows(), a.columns());
        let most = if a.transposed() { COPIED_ROWS } else { TASK_ROWS };
        let block_rows = rows.div_ceil(rows.div_ceil(most).max(1)).next_multiple_of(M::ROWS).max(M::ROWS);
        let of_rows = rows.div_ceil(block_rows).max(1);
        let work = rows * columns * depth;
        let wanted = if threads == 1 { 1 } else { (4 * threads).min(work / TASK_WORK).max(1) };
        let of_columns = wanted.div_ceil(of_rows).min(columns.div_ceil(M::COLUMNS)).max(1);
        let block_columns = columns.div_ceil(of_columns).next_multiple_of(M::COLUMNS).max(M::COLUMNS);
        Self { rows, columns, block_rows, block_columns }
    }

    fn tasks(&self) -> usize {
        self.rows.div_ceil(self.block_rows) * self.columns.div_ceil(self.block_columns)
    }

    fn block(&self, task: usize) -> Block {
        let of_columns = self.columns.div_ceil(self.block_columns);
        let (row, column) = (task / of_columns * self.block_rows, task % of_columns * self.block_columns);
        Block {
            rows: (row, self.rows.min(row + self.block_rows)),
            columns: (column, self.columns.min(column + self.block_columns)),
        }
    }
}

/// One block of C.
#[inline(always)]
fn block<M: Micro, S: Element, O: Output>(
    micro: M,
    a: Matrix<'_, M::Element>,
    b: Matrix<'_, S>,
    Block { rows, columns }: Block,
    output: &O,
) {
    let depth = a.columns();
    debug_assert_eq!(depth, b.rows());
    let part = match (O::SUMS, a.transposed()) {
        (false, _) => depth.max(1),
        (true, false) => DEPTH,
        (true, true) => COPIED_DEPTH,
    };
    let mut memory = [0.0; TILE];
    micro.enter();
    for from in (0..depth.max(1)).step_by(part) {
        let deep = part.min(depth - from);
        let padded = deep.next_multiple_of(M::STEP);
        let panels = Panels { b, from, deep, columns };
        let mut tiles = |a: &[M::Element], stride: usize, column: usize, panel: &[M::Element]| {
            let wide = M::COLUMNS.min(columns.1 - column);
            for row in (rows.0..rows.1).step_by(M::ROWS) {
                let place = Place { row, column, rows: M::ROWS.min(rows.1 - row), columns: wide, first: from == 0 };
                output.expect(place);
                let a = &a[(row - rows.0) * stride..];
                // SAFETY: `with_micro` chose a micro-kernel that the processor has; A's rows and the panel are as
                // deep as said; blocks, and tiles within one, do not overlap.
                unsafe {
                    micro.multiply(padded, a, stride, place.rows, panel, wide, &mut memory);
                    output.take(place, &memory);
                }
            }
        };
        if a.transposed() || padded != deep {
            scratch((rows.1 - rows.0) * padded, |copy: &mut [M::Element]| {
                copy_rows(a, rows, from, deep, padded, copy);
                panels.each(micro, |column, panel| tiles(copy, padded, column, panel));
            });
        } else {
            let a = (a.from(rows.0, from), a.stride());
            panels.each(micro, |column, panel| tiles(a.0, a.1, column, panel));
        }
    }
    micro.leave();
}

/// One part of the depth of B, in panels.
struct Panels<'a, S> {
    b: Matrix<'a, S>,
    from: usize,
    deep: usize,
    columns: (usize, usize),
}

impl<S: Element> Panels<'_, S> {
    #[inline(always)]
    fn each<M: Micro>(&self, micro: M, mut work: impl FnMut(usize, &[M::Element])) {
        let padded = self.deep.next_multiple_of(M::STEP);
        scratch(M::panel_length(padded, M::COLUMNS), |memory: &mut [M::Element]| {
            for column in (self.columns.0..self.columns.1).step_by(M::COLUMNS) {
                let wide = M::COLUMNS.min(self.columns.1 - column);
                let panel = &mut memory[..M::panel_length(padded, wide)];
                micro.pack(self.b, self.from, self.deep, column, wide, panel);
                work(column, panel);
            }
        });
    }
}

/// Rows `rows.0 .. rows.1` of `a`, columns `from .. from + deep`, each filled up with zeros to `padded`.
#[inline(always)]
fn copy_rows<E: Element>(a: Matrix<'_, E>, rows: (usize, usize), from: usize, deep: usize, padded: usize, to: &mut [E]) {
    if a.transposed() {
        pack::transpose(a.from(rows.0, from), a.stride(), deep, rows.1 - rows.0, padded, to);
        return;
    }
    for (row, to) in (rows.0..rows.1).zip(to.chunks_exact_mut(padded)) {
        to[..deep].copy_from_slice(a.line(row, from, deep));
        to[deep..].fill(E::default());
    }
}

#[cfg(test)]
mod tests;
