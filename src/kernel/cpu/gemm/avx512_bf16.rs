//! The micro-kernel for bf16 with AVX512-BF16.

use std::arch::x86_64::{
    __m512bh, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_ps,
    _mm512_storeu_ps,
};
use std::hint::black_box;

use half::bf16;

use super::micro::{CHAINS, Factors, Micro, TILE, TILE_STRIDE, Tiles};
use super::pairs::{self, LANES, width};
use super::{Matrix, avx512};
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::isa::with_avx512;

/// 6 × 64 tiles as the f32 kernel's, a pair of the depth at a time: lane j of a sum gets
/// `a[2 k] b[2 k, j] + a[2 k + 1] b[2 k + 1, j]` from one instruction. Denormal operands count as zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512Bf16;

impl Micro for Avx512Bf16 {
    type Element = bf16;
    const NAME: &'static str = "AVX512-BF16, 6 × 64";
    const ROWS: usize = 6;
    const COLUMNS: usize = 4 * LANES;
    const STEP: usize = 2;

    #[inline(always)]
    fn run<R>(work: impl FnOnce() -> R) -> R {
        // SAFETY: `with_micro` gives this kernel only where AVX-512 is.
        unsafe { with_avx512(work) }
    }

    #[inline(always)]
    fn panel_length(depth: usize, columns: usize) -> usize {
        depth * width(columns)
    }

    #[inline(always)]
    fn pack<S: Element>(self, b: Matrix<'_, S>, rows: (usize, usize), columns: (usize, usize), panel: &mut [bf16]) {
        // SAFETY: `with_micro` chose this micro-kernel because the processor has AVX512-BF16 and what it rests on.
        unsafe { pairs::pack(b, rows, columns, width(columns.1), panel) }
    }

    #[inline(always)]
    fn copy_transposed(self, a: Matrix<'_, bf16>, rows: (usize, usize), padded: usize, stride: usize, to: &mut [bf16]) {
        // SAFETY: as above.
        unsafe { pairs::copy_transposed(a, rows, padded, stride, to) }
    }

    #[inline(always)]
    unsafe fn multiply(self, of: Factors<'_, bf16>, add: bool, tile: &mut [f32; TILE]) {
        // SAFETY: the caller's promise.
        unsafe { avx512::multiply::<Self>(of, add, tile) }
    }

    unsafe fn multiply_adds(self, turns: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe { chains(turns) }
        turns * CHAINS * 2 * LANES
    }
}

/// `turns` products of pairs added to each of some registers.
#[target_feature(enable = "avx512f,avx512bf16")]
fn chains(turns: usize) {
    // SAFETY: both are 512 bits of which every pattern is a value.
    let pairs: __m512bh = unsafe { std::mem::transmute(_mm512_set1_epi32(black_box(0))) };
    let mut sums = [_mm512_setzero_ps(); CHAINS];
    for _ in 0..turns {
        for sum in &mut sums {
            *sum = _mm512_dpbf16_ps(*sum, pairs, pairs);
        }
    }
    black_box(sums);
}

impl Tiles for Avx512Bf16 {
    type Element = bf16;

    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn sum<const R: usize, const V: usize>(
        depth: usize,
        a: *const bf16,
        stride: usize,
        b: *const bf16,
        add: bool,
        tile: *mut f32,
    ) {
        // SAFETY: every address is within the extents that the caller promises.
        unsafe {
            let rows: [*const i32; R] = std::array::from_fn(|row| a.add(row * stride).cast());
            let mut sums = [[_mm512_setzero_ps(); V]; R];
            if add {
                sums = std::array::from_fn(|row| {
                    std::array::from_fn(|v| _mm512_loadu_ps(tile.add(row * TILE_STRIDE + v * LANES)))
                });
            }
            for pair in 0..depth / 2 {
                let b: [__m512bh; V] = std::array::from_fn(|v| {
                    std::mem::transmute(_mm512_loadu_si512(b.add((pair * V + v) * 2 * LANES).cast()))
                });
                for row in 0..R {
                    let x: __m512bh = std::mem::transmute(_mm512_set1_epi32(rows[row].add(pair).read_unaligned()));
                    for v in 0..V {
                        sums[row][v] = _mm512_dpbf16_ps(sums[row][v], x, b[v]);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    _mm512_storeu_ps(tile.add(row * TILE_STRIDE + v * LANES), sum);
                }
            }
        }
    }
}
