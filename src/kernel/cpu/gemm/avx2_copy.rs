//! Copies of f32 operands with AVX2, in the order in which its micro-kernel reads them.

use std::arch::x86_64::{
    __m256, _MM_HINT_T0, _MM_HINT_T1, _mm_prefetch, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_setzero_ps,
    _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::Matrix;
use crate::kernel::cpu::element::Element;

/// Numbers in a register.
pub(super) const LANES: usize = 8;
/// Columns that are multiplied at once: two registers.
pub(super) const PART: usize = 2 * LANES;
/// Rows between the one of a panel, or of a matrix that is copied, that is read and the one that is fetched.
pub(super) const AHEAD: usize = 16;
/// Columns of a transposed matrix that are read before its next rows: what tasks copy at a time, and four lines of the
/// cache beside each other.
const SPAN: usize = 64;
/// The same distance as [`AHEAD`] for a transposed matrix. Its rows are often multiples of 4 KiB apart, so that they meet
/// in few sets of the first cache, and are fetched to the second.
const FAR: usize = 24;

/// The width of a panel of `columns` columns: whole registers.
#[inline(always)]
pub(super) fn width(columns: usize) -> usize {
    columns.next_multiple_of(LANES)
}

/// Packs rows `row .. row + depth`, columns `column .. column + columns` of `b` as parts of 16 columns, one after the
/// other: `[depth][16]`, the last `[depth][8]` where that is enough; with zeros in the columns that are missing.
#[target_feature(enable = "avx2,fma")]
pub(super) fn pack<S: Element>(
    b: Matrix<'_, S>,
    (row, depth): (usize, usize),
    (column, columns): (usize, usize),
    panel: &mut [f32],
) {
    if b.transposed() {
        for at in (0..columns).step_by(PART) {
            let here = PART.min(columns - at);
            let lines = (b.from(row, column + at), b.stride(), here);
            transpose(lines, depth, width(here), width(here), &mut panel[depth * at..]);
        }
        return;
    }
    for k in 0..depth {
        let line = b.line(row + k, column, columns);
        fetch::<_MM_HINT_T0, S>(line.as_ptr().wrapping_add(AHEAD * b.stride()), columns);
        for at in (0..columns).step_by(PART) {
            let wide = width(PART.min(columns - at));
            let to = &mut panel[depth * at + k * wide..][..wide];
            for (to, from) in to.as_chunks_mut().0.iter_mut().zip((at..).step_by(LANES)) {
                *to = eight(&line[from..]);
            }
        }
    }
}

/// Brings `count` numbers from `line` on nearer, to be read soon: to the cache that `HINT` names. Only a hint.
#[inline(always)]
pub(super) fn fetch<const HINT: i32, S>(line: *const S, count: usize) {
    for byte in (0..count * size_of::<S>()).step_by(64) {
        // SAFETY: a prefetch faults on no address.
        unsafe { _mm_prefetch::<HINT>(line.cast::<i8>().wrapping_add(byte)) };
    }
}

/// The first numbers of `line`, with zeros after its end.
#[inline(always)]
fn eight<S: Element>(line: &[S]) -> [f32; LANES] {
    if let Some(line) = line.first_chunk::<LANES>() {
        return line.map(Element::to_f32);
    }
    let mut numbers = [0.0; LANES];
    numbers.iter_mut().zip(line).for_each(|(to, x)| *to = x.to_f32());
    numbers
}

/// `to[k × to_stride + j] = from[j × stride + k]` for `lines` values of j and `length` of k; zeros from `lines` to `width`.
/// The first argument is (from, stride, lines); rows of `to` begin `to_stride` apart.
///
/// So many values of k as [`SPAN`] says are read before the next j.
#[target_feature(enable = "avx2,fma")]
pub(super) fn transpose<S: Element>(
    (from, stride, lines): (&[S], usize, usize),
    length: usize,
    width: usize,
    to_stride: usize,
    to: &mut [f32],
) {
    for line in (0..length).step_by(SPAN) {
        for j in (0..width).step_by(LANES) {
            let wide = LANES.min(width - j);
            for j in j..j + LANES {
                let far = from.as_ptr().wrapping_add((j + FAR) * stride + line);
                fetch::<_MM_HINT_T1, S>(far, SPAN.min(length - line));
            }
            for k in (line..length.min(line + SPAN)).step_by(LANES) {
                let deep = LANES.min(length - k);
                let mut block = [[0.0; LANES]; LANES];
                for (row, j) in block.iter_mut().zip(j..lines.min(j + LANES)) {
                    *row = eight(&from[j * stride + k..][..deep]);
                }
                let block = transposed(&block);
                for (to, row) in to[k * to_stride..].chunks_mut(to_stride).zip(block).take(deep) {
                    let to = &mut to[j..j + wide];
                    match to.first_chunk_mut() {
                        Some(to) => *to = row,
                        None => to.copy_from_slice(&row[..wide]),
                    }
                }
            }
        }
    }
}

/// 8 × 8 numbers: pairs of rows, pairs of pairs within 128 bits, then the halves of the registers.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn transposed(block: &[[f32; LANES]; LANES]) -> [[f32; LANES]; LANES] {
    // SAFETY: eight numbers are read.
    let rows = block.each_ref().map(|row| unsafe { _mm256_loadu_ps(row.as_ptr()) });
    let mut columns = [_mm256_setzero_ps(); LANES];
    for half in 0..2 {
        let [a, b, c, d]: [__m256; 4] = std::array::from_fn(|row| rows[4 * half + row]);
        let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (low_below, high_below) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        // Four rows of columns i and i + 4.
        columns[4 * half] = _mm256_shuffle_ps::<0x44>(low, low_below);
        columns[4 * half + 1] = _mm256_shuffle_ps::<0xEE>(low, low_below);
        columns[4 * half + 2] = _mm256_shuffle_ps::<0x44>(high, high_below);
        columns[4 * half + 3] = _mm256_shuffle_ps::<0xEE>(high, high_below);
    }
    let mut to = [[0.0; LANES]; LANES];
    for i in 0..4 {
        let (above, below) = (columns[i], columns[4 + i]);
        // SAFETY: eight numbers are written.
        unsafe {
            _mm256_storeu_ps(to[i].as_mut_ptr(), _mm256_permute2f128_ps::<0x20>(above, below));
            _mm256_storeu_ps(to[4 + i].as_mut_ptr(), _mm256_permute2f128_ps::<0x31>(above, below));
        }
    }
    to
}
