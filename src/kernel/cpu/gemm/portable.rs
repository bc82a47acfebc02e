//! The micro-kernel in plain Rust, for every processor and every storage format.

use std::hint::black_box;
use std::marker::PhantomData;

use super::Matrix;
use super::micro::{CHAINS, Factors, Micro, TILE, TILE_STRIDE};
use super::pack::pack_rows;
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::pool::Plain;

/// Whether every processor of the target multiplies and adds in one operation. Elsewhere a function would do it, number by
/// number, so the products of x86-64 without FMA are rounded twice, and their bits are others.
pub(super) const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// Numbers in a register of 128 bits: NEON's, SSE's.
const LANES: usize = 4;
/// Rows of its tiles, and the registers of a row: 24 sums of the 32 registers that NEON has, 8 of SSE's 16.
const ROWS: usize = if cfg!(target_arch = "aarch64") { 6 } else { 4 };
const REGISTERS: usize = if cfg!(target_arch = "aarch64") { 4 } else { 2 };
const COLUMNS: usize = REGISTERS * LANES;

/// Tiles of 128-bit registers; `FUSED` multiplies and adds in one operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable<E, const FUSED: bool>(PhantomData<E>);

impl<E, const FUSED: bool> Portable<E, FUSED> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Element + Plain, const FUSED: bool> Micro for Portable<E, FUSED> {
    type Element = E;
    const NAME: &'static str = if ROWS == 6 { "portable, 6 × 16" } else { "portable, 4 × 8" };
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const STEP: usize = 1;
    /// Half of a second cache of 512 KiB.
    const PANELS: usize = 1 << 18;

    #[inline(always)]
    fn run<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    #[inline(always)]
    fn panel_length(depth: usize, _columns: usize) -> usize {
        depth * COLUMNS
    }

    #[inline(always)]
    fn pack<S: Element>(self, b: Matrix<'_, S>, rows: (usize, usize), columns: (usize, usize), panel: &mut [E]) {
        pack_rows(b, rows, columns, COLUMNS, panel);
    }

    #[inline(always)]
    unsafe fn multiply(self, of: Factors<'_, E>, add: bool, tile: &mut [f32; TILE]) {
        let Factors { depth, a, stride, rows, panel, .. } = of;
        match rows {
            1 => sum::<E, FUSED, 1>(depth, a, stride, panel, add, tile),
            2 => sum::<E, FUSED, 2>(depth, a, stride, panel, add, tile),
            3 => sum::<E, FUSED, 3>(depth, a, stride, panel, add, tile),
            4 => sum::<E, FUSED, 4>(depth, a, stride, panel, add, tile),
            5 => sum::<E, FUSED, 5>(depth, a, stride, panel, add, tile),
            _ => sum::<E, FUSED, 6>(depth, a, stride, panel, add, tile),
        }
    }

    unsafe fn multiply_adds(self, turns: usize) -> usize {
        let [x, y] = black_box([0.5, 0.25]);
        let mut sums = [[x; LANES]; CHAINS];
        for _ in 0..turns {
            for sum in &mut sums {
                *sum = multiply_add::<FUSED>(*sum, [x; LANES], [y; LANES]);
            }
        }
        black_box(sums);
        turns * CHAINS * LANES
    }
}

/// x y + z
#[inline(always)]
fn multiply_add<const FUSED: bool>(x: [f32; LANES], y: [f32; LANES], z: [f32; LANES]) -> [f32; LANES] {
    std::array::from_fn(|lane| if FUSED { x[lane].mul_add(y[lane], z[lane]) } else { x[lane] * y[lane] + z[lane] })
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
    let mut sums = [[[0.0; LANES]; REGISTERS]; R];
    if add {
        for (row, sums) in sums.iter_mut().enumerate() {
            sums.as_flattened_mut().copy_from_slice(&tile[row * TILE_STRIDE..][..COLUMNS]);
        }
    }
    let (panel, _) = panel.as_chunks::<LANES>().0.as_chunks::<REGISTERS>();
    for (k, b) in panel.iter().take(depth).enumerate() {
        let b = b.map(|b| b.map(Element::to_f32));
        for row in 0..R {
            let x = [rows[row][k].to_f32(); LANES];
            for register in 0..REGISTERS {
                sums[row][register] = multiply_add::<FUSED>(x, b[register], sums[row][register]);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        tile[row * TILE_STRIDE..][..COLUMNS].copy_from_slice(sums.as_flattened());
    }
}
