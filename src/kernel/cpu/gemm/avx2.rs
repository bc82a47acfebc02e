//! The micro-kernel for f32 with AVX2 and FMA.

use std::arch::x86_64::{
    __m256, _MM_HINT_T0, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};
use std::hint::black_box;

use super::Matrix;
use super::avx2_copy::{self, AHEAD, LANES, PART, fetch, width};
use super::micro::{CHAINS, Factors, Micro, TILE, TILE_STRIDE, Tiles, sum_rows};
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::isa::with_avx2;

/// Steps of the depth in one turn of the innermost loop.
const UNROLLED: usize = 4;

/// Tiles of 6 rows. A panel is up to 64 columns wide, so that the output is called for as many numbers as with AVX-512,
/// and lies in parts of 16 columns, `[depth][16]` one after the other (the last may have 8). A part is multiplied
/// with 12 sums, 2 registers of B and one broadcast element of A in the 16 registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2;

impl Micro for Avx2 {
    type Element = f32;
    const NAME: &'static str = "AVX2, 6 × 16";
    const ROWS: usize = 6;
    const COLUMNS: usize = 4 * PART;
    /// Six rows of it are 18 KiB, of the 32 KiB of a first cache.
    const CHUNK: usize = 768;
    const STEP: usize = 1;
    /// As much as a second cache of 512 KiB holds. With half of it, the rows of A come from beyond that cache twice as
    /// often, which costs more than panels that do not quite fit.
    const PANELS: usize = 1 << 19;

    #[inline(always)]
    fn run<R>(work: impl FnOnce() -> R) -> R {
        // SAFETY: `with_micro` gives this kernel only where AVX2 and FMA are.
        unsafe { with_avx2(work) }
    }

    /// Narrower where a panel would be larger than what is to be in the second cache.
    #[inline(always)]
    fn columns(depth: usize) -> usize {
        let fit = Self::PANELS / (depth * size_of::<f32>()).max(1);
        (fit / PART * PART).clamp(PART, Self::COLUMNS)
    }

    /// The last two strips are of about one height: below four rows there are too few sums for the multipliers.
    #[inline(always)]
    fn strip(rows: usize) -> usize {
        if (Self::ROWS + 1..2 * Self::ROWS).contains(&rows) { rows.div_ceil(2) } else { rows.min(Self::ROWS) }
    }

    #[inline(always)]
    fn panel_length(depth: usize, columns: usize) -> usize {
        depth * width(columns)
    }

    #[inline(always)]
    fn pack<S: Element>(self, b: Matrix<'_, S>, rows: (usize, usize), columns: (usize, usize), panel: &mut [f32]) {
        // SAFETY: `with_micro` chose this micro-kernel because the processor has AVX2 and FMA.
        unsafe { avx2_copy::pack(b, rows, columns, panel) }
    }

    #[inline(always)]
    fn copy_transposed(self, a: Matrix<'_, f32>, rows: (usize, usize), padded: usize, stride: usize, to: &mut [f32]) {
        let lines = (a.from(rows.0, 0), a.stride(), a.columns());
        // SAFETY: as above.
        unsafe { avx2_copy::transpose(lines, rows.1, padded, stride, to) }
    }

    #[inline(always)]
    unsafe fn multiply(self, of: Factors<'_, f32>, add: bool, tile: &mut [f32; TILE]) {
        let Factors { depth, a, stride, rows, panel, columns } = of;
        debug_assert!((rows - 1) * stride + depth <= a.len() && depth * width(columns) <= panel.len());
        let (a, b, tile) = (a.as_ptr(), panel.as_ptr(), tile.as_mut_ptr());
        for at in (0..columns).step_by(PART) {
            // SAFETY: the caller promises the instructions and the operands' extents; the part begins at `depth × at` of the
            // panel; a tile has room for 6 rows of 64.
            unsafe {
                let (b, tile) = (b.add(depth * at), tile.add(at));
                if columns - at > LANES {
                    sum_rows::<Self, 2>(rows, depth, a, stride, b, add, tile);
                } else {
                    sum_rows::<Self, 1>(rows, depth, a, stride, b, add, tile);
                }
            }
        }
    }

    unsafe fn multiply_adds(self, turns: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe { chains(turns) }
        turns * CHAINS * LANES
    }
}

/// `turns` multiply-adds on each of some registers.
#[target_feature(enable = "avx2,fma")]
fn chains(turns: usize) {
    let [x, y] = black_box([0.5, 0.25]).map(|number| _mm256_set1_ps(number));
    let mut sums = [x; CHAINS];
    for _ in 0..turns {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, x, y);
        }
    }
    black_box(sums);
}

/// Adds the products of column `k` of A's rows and row `k` of the part.
///
/// # Safety
/// AVX2 and FMA; both have such an element.
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn step<const R: usize, const V: usize>(
    rows: &[*const f32; R],
    b: *const f32,
    k: usize,
    sums: &mut [[__m256; V]; R],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let b: [__m256; V] = std::array::from_fn(|v| _mm256_loadu_ps(b.add((k * V + v) * LANES)));
        for row in 0..R {
            let x = _mm256_set1_ps(*rows[row].add(k));
            for v in 0..V {
                sums[row][v] = _mm256_fmadd_ps(x, b[v], sums[row][v]);
            }
        }
    }
}

impl Tiles for Avx2 {
    type Element = f32;

    // In a function of its own the sums keep their registers: inlined into all that `Micro::run` compiles they were spilled.
    #[target_feature(enable = "avx2,fma")]
    #[inline(never)]
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
            let mut sums = [[_mm256_setzero_ps(); V]; R];
            if add {
                sums = std::array::from_fn(|row| {
                    std::array::from_fn(|v| _mm256_loadu_ps(tile.add(row * TILE_STRIDE + v * LANES)))
                });
            }
            let whole = depth / UNROLLED * UNROLLED;
            for k in (0..whole).step_by(UNROLLED) {
                for k in k..k + UNROLLED {
                    fetch::<_MM_HINT_T0, f32>(b.wrapping_add((k + AHEAD) * V * LANES), 1);
                    step(&rows, b, k, &mut sums);
                }
            }
            for k in whole..depth {
                step(&rows, b, k, &mut sums);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    _mm256_storeu_ps(tile.add(row * TILE_STRIDE + v * LANES), sum);
                }
            }
        }
    }
}
