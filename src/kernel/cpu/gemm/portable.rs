//! The micro-kernel in plain Rust, for every processor and every storage format.

use std::marker::PhantomData;

use super::Matrix;
use super::micro::{Micro, TILE, TILE_STRIDE};
use super::pack::pack_rows;
use crate::kernel::cpu::element::Element;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use crate::kernel::cpu::isa::with_avx2;
use crate::kernel::cpu::pool::Plain;

/// Rows of its tiles.
const ROWS: usize = 4;
/// Columns of its tiles: two registers of AVX2.
const COLUMNS: usize = 16;

/// 4 × 16 tiles; `FUSED` multiplies and adds in one operation, where the processor has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable<E, const FUSED: bool>(PhantomData<E>);

impl<E, const FUSED: bool> Portable<E, FUSED> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Element + Plain, const FUSED: bool> Micro for Portable<E, FUSED> {
    type Element = E;
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const STEP: usize = 1;

    #[inline(always)]
    fn run<R>(work: impl FnOnce() -> R) -> R {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        if FUSED {
            // SAFETY: `with_micro` gives the fused kernel only where AVX2 and FMA are.
            return unsafe { with_avx2(work) };
        }
        work()
    }

    #[inline(always)]
    fn panel_length(depth: usize, _columns: usize) -> usize {
        depth * COLUMNS
    }

    #[inline(always)]
    fn pack<S: Element>(
        self,
        b: Matrix<'_, S>,
        row: usize,
        depth: usize,
        column: usize,
        columns: usize,
        panel: &mut [E],
    ) {
        pack_rows(b, row, depth, column, columns, COLUMNS, panel);
    }

    #[inline(always)]
    unsafe fn multiply(
        self,
        depth: usize,
        a: &[E],
        stride: usize,
        rows: usize,
        panel: &[E],
        _columns: usize,
        add: bool,
        tile: &mut [f32; TILE],
    ) {
        match rows {
            1 => sum::<E, FUSED, 1>(depth, a, stride, panel, add, tile),
            2 => sum::<E, FUSED, 2>(depth, a, stride, panel, add, tile),
            3 => sum::<E, FUSED, 3>(depth, a, stride, panel, add, tile),
            _ => sum::<E, FUSED, 4>(depth, a, stride, panel, add, tile),
        }
    }
}

#[inline(always)]
fn sum<E: Element, const FUSED: bool, const R: usize>(
    depth: usize,
    a: &[E],
    stride: usize,
    panel: &[E],
    add: bool,
    tile: &mut [f32; TILE],
) {
    let rows: [&[E]; R] = std::array::from_fn(|row| &a[row * stride..][..depth]);
    let mut sums = [[0.0f32; COLUMNS]; R];
    if add {
        sums.iter_mut().enumerate().for_each(|(row, sums)| sums.copy_from_slice(&tile[row * TILE_STRIDE..][..COLUMNS]));
    }
    for (k, b) in panel.chunks_exact(COLUMNS).take(depth).enumerate() {
        for row in 0..R {
            let x = rows[row][k].to_f32();
            for column in 0..COLUMNS {
                let y = b[column].to_f32();
                let sum = &mut sums[row][column];
                *sum = if FUSED { x.mul_add(y, *sum) } else { x * y + *sum };
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        tile[row * TILE_STRIDE..][..COLUMNS].copy_from_slice(sums);
    }
}
