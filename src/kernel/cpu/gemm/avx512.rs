//! The micro-kernel for f32 with AVX-512.

use std::arch::x86_64::{
    __m512, _MM_HINT_T1, _mm512_castsi512_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps,
};
use std::hint::black_box;

use super::Matrix;
use super::micro::{CHAINS, Factors, Micro, TILE, TILE_STRIDE, Tiles, sum_rows};
use super::pack::pack_rows;
use super::pairs::{LANES, Words, fetch, first16, transpose, width};
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::isa::with_avx512;

/// Steps of the depth in one turn of the innermost loop: 6 % faster than one.
const UNROLLED: usize = 4;
/// Columns of a transposed matrix that are read before its next rows: what tasks copy at a time.
const SPAN: usize = 64;

/// 6 × 64 tiles: 24 sums, 4 registers of B and one broadcast element of A in the 32 registers. Of the shapes
/// that fit, it reads least per multiplication; the panel (4 registers × the depth) is read from the second
/// cache, fast enough because each read serves 6 rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx512;

impl Micro for Avx512 {
    type Element = f32;
    const NAME: &'static str = "AVX-512, 6 × 64";
    const ROWS: usize = 6;
    const COLUMNS: usize = 4 * LANES;
    const STEP: usize = 1;

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
    fn pack<S: Element>(self, b: Matrix<'_, S>, rows: (usize, usize), columns: (usize, usize), panel: &mut [f32]) {
        if b.transposed() {
            let lines = (b.from(rows.0, columns.0), b.stride(), columns.1);
            // SAFETY: `with_micro` chose this micro-kernel because the processor has AVX-512 F, BW, DQ and VL.
            return unsafe { transpose_copy(lines, rows.1, width(columns.1), width(columns.1), panel) };
        }
        pack_rows(b, rows, columns, width(columns.1), panel);
    }

    #[inline(always)]
    fn copy_transposed(self, a: Matrix<'_, f32>, rows: (usize, usize), padded: usize, stride: usize, to: &mut [f32]) {
        let lines = (a.from(rows.0, 0), a.stride(), a.columns());
        // SAFETY: as above.
        unsafe { transpose_copy(lines, rows.1, padded, stride, to) }
    }

    #[inline(always)]
    unsafe fn multiply(self, of: Factors<'_, f32>, add: bool, tile: &mut [f32; TILE]) {
        // SAFETY: the caller's promise.
        unsafe { multiply::<Self>(of, add, tile) }
    }

    unsafe fn multiply_adds(self, turns: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe { chains(turns) }
        turns * CHAINS * LANES
    }
}

/// As [`Micro::multiply`], in tiles of four registers of 16 columns.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn multiply<T: Tiles>(of: Factors<'_, T::Element>, add: bool, tile: &mut [f32; TILE]) {
    let Factors { depth, a, stride, rows, panel, columns } = of;
    debug_assert!((rows - 1) * stride + depth <= a.len() && depth * width(columns) <= panel.len());
    let (a, b, tile) = (a.as_ptr(), panel.as_ptr(), tile.as_mut_ptr());
    // SAFETY: the caller promises the instructions and the operands' extents; a tile has room for
    // 6 rows of 64.
    unsafe {
        match columns.div_ceil(LANES) {
            1 => sum_rows::<T, 1>(rows, depth, a, stride, b, add, tile),
            2 => sum_rows::<T, 2>(rows, depth, a, stride, b, add, tile),
            3 => sum_rows::<T, 3>(rows, depth, a, stride, b, add, tile),
            _ => sum_rows::<T, 4>(rows, depth, a, stride, b, add, tile),
        }
    }
}

/// `turns` multiply-adds on each of some registers.
#[target_feature(enable = "avx512f")]
fn chains(turns: usize) {
    let [x, y] = black_box([0.5, 0.25]).map(|number| _mm512_set1_ps(number));
    let mut sums = [x; CHAINS];
    for _ in 0..turns {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, x, y);
        }
    }
    black_box(sums);
}

/// Adds the products of column `k` of A's rows and row `k` of the panel.
///
/// # Safety
/// AVX-512 F; both have such an element.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn step<const R: usize, const V: usize>(
    rows: &[*const f32; R],
    b: *const f32,
    k: usize,
    sums: &mut [[__m512; V]; R],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let b: [__m512; V] = std::array::from_fn(|v| _mm512_loadu_ps(b.add((k * V + v) * LANES)));
        for row in 0..R {
            let x = _mm512_set1_ps(*rows[row].add(k));
            for v in 0..V {
                sums[row][v] = _mm512_fmadd_ps(x, b[v], sums[row][v]);
            }
        }
    }
}

impl Tiles for Avx512 {
    type Element = f32;

    #[target_feature(enable = "avx512f")]
    unsafe fn sum<const R: usize, const V: usize>(
        depth: usize,
        a: *const f32,
        stride: usize,
        b: *const f32,
        add: bool,
        tile: *mut f32,
    ) {
        // SAFETY: every address is within the extents that the caller promises.
        unsafe {
            let rows: [*const f32; R] = std::array::from_fn(|row| a.add(row * stride));
            let mut sums = [[_mm512_setzero_ps(); V]; R];
            if add {
                sums = std::array::from_fn(|row| {
                    std::array::from_fn(|v| _mm512_loadu_ps(tile.add(row * TILE_STRIDE + v * LANES)))
                });
            }
            let whole = depth / UNROLLED * UNROLLED;
            for k in (0..whole).step_by(UNROLLED) {
                for k in k..k + UNROLLED {
                    step(&rows, b, k, &mut sums);
                }
            }
            for k in whole..depth {
                step(&rows, b, k, &mut sums);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    _mm512_storeu_ps(tile.add(row * TILE_STRIDE + v * LANES), sum);
                }
            }
        }
    }
}

/// `to[k × to_stride + j] = from[j × stride + k]` for `lines` values of j and `length` of k; zeros from `lines` to `width`.
/// The first argument is (from, stride, lines); rows of `to` begin `to_stride` apart.
///
/// So many values of k as [`SPAN`] says are read before the next j, while the rows after them are fetched to the second
/// cache: they are often multiples of 4 KiB apart, so that they meet in few sets of the first.
///
/// # Safety
/// The processor has AVX-512 F, BW and VL.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn transpose_copy<S: Words>(
    (from, stride, lines): (&[S], usize, usize),
    length: usize,
    width: usize,
    to_stride: usize,
    to: &mut [f32],
) {
    for first in (0..length).step_by(SPAN) {
        let last = length.min(first + SPAN);
        for j in (0..width).step_by(LANES) {
            let wide = LANES.min(width - j);
            for line in (j + LANES..lines.min(j + 2 * LANES)).map(|j| &from[j * stride..]) {
                fetch::<_MM_HINT_T1, S>(&line[first..last]);
            }
            for k in (first..last).step_by(LANES) {
                let deep = LANES.min(length - k);
                let mut words = [_mm512_setzero_si512(); LANES];
                for (words, j) in words.iter_mut().zip(j..lines.min(j + LANES)) {
                    // SAFETY: the caller's promise.
                    *words = unsafe { S::wide(&from[j * stride + k..][..deep]) };
                }
                transpose(&mut words);
                for (to, words) in to[k * to_stride..].chunks_mut(to_stride).zip(words).take(deep) {
                    let to = &mut to[j..j + wide];
                    // SAFETY: only lanes within `to` are written.
                    unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), first16(wide), _mm512_castsi512_ps(words)) }
                }
            }
        }
    }
}
