//! Copies of operands for the bf16 kernels.
//!
//! The bf16 instructions multiply *pairs*: two elements that are neighbours along the depth, side by side in 32
//! bits. A panel of B is `[depth / 2][width][2]`, so that a register holds the pairs of 16 columns. A pair is
//! made either *across* two rows or *along* one line:
//!
//! | operand | in memory | words | then |
//! |---|---|---|---|
//! | B | rows | 16 pairs across rows k, k + 1 | stored |
//! | B, transposed | columns | 16 pairs along a column | 16 × 16 words transposed |
//! | A, transposed | columns | 16 pairs across columns k, k + 1 | 16 × 16 words transposed |
//!
//! Whatever is missing at an edge is read as 0 by masked loads.

use std::arch::x86_64::{
    __m512, __m512i, _MM_HINT_T0, _mm_prefetch, _mm256_maskz_loadu_epi16, _mm512_castps_si512, _mm512_cvtepu16_epi32,
    _mm512_cvtne2ps_pbh, _mm512_mask_storeu_epi16, _mm512_maskz_loadu_epi16, _mm512_maskz_loadu_ps, _mm512_or_si512,
    _mm512_permutexvar_epi16, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use half::bf16;

use super::Matrix;

/// Rows that are fetched ahead of those being copied: a few numbers each of many rows far apart is not what a
/// processor expects by itself.
const AHEAD: usize = 32;

/// 32-bit words in a register.
pub(super) const LANES: usize = 16;

/// The width of a panel of `columns` columns: whole registers.
#[inline(always)]
pub(super) fn width(columns: usize) -> usize {
    columns.next_multiple_of(LANES)
}

/// Elements that registers of words can be made of.
///
/// # Safety
/// (of calling the methods) The processor has AVX-512 F, BW, VL and BF16.
pub trait Words: Copy {
    /// The words of (`first[j]`, `second[j]`), j < 16.
    #[doc(hidden)]
    unsafe fn across(first: &[Self], second: &[Self]) -> __m512i;
    /// The words of (`line[2 j]`, `line[2 j + 1]`), j < 16.
    #[doc(hidden)]
    unsafe fn along(line: &[Self]) -> __m512i;
    /// `line[j]` as f32, j < 16.
    #[doc(hidden)]
    unsafe fn wide(line: &[Self]) -> __m512i;
}

/// A mask of the first `count` of 16 lanes.
#[inline(always)]
pub(super) fn first16(count: usize) -> u16 {
    ((1u32 << count.min(16)) - 1) as u16
}

/// A mask of the first `count` of 32 lanes.
#[inline(always)]
fn first32(count: usize) -> u32 {
    ((1u64 << count.min(32)) - 1) as u32
}

/// Up to 16 numbers from `at` of `line` on, zeros after its end.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
#[inline]
fn load_f32(line: &[f32], at: usize) -> __m512 {
    let line = line.get(at..).unwrap_or_default();
    // SAFETY: only lanes within `line` are read.
    unsafe { _mm512_maskz_loadu_ps(first16(line.len()), line.as_ptr()) }
}

/// Up to 16 numbers of `line`, in the low halves of words.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
#[inline]
fn load_bf16(line: &[bf16]) -> __m512i {
    // SAFETY: only lanes within `line` are read; a bf16 is the 16 bits it wraps (`repr(transparent)`).
    _mm512_cvtepu16_epi32(unsafe { _mm256_maskz_loadu_epi16(first16(line.len()), line.as_ptr().cast()) })
}

/// The words of two registers' elements, rounded.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
#[inline]
fn round(low: __m512, high: __m512) -> __m512i {
    // SAFETY: both are 512 bits of which every pattern is a value.
    unsafe { std::mem::transmute(_mm512_cvtne2ps_pbh(high, low)) }
}

/// The places that interleave the halves of a register of 16-bit numbers: 0, 16, 1, 17, …
const INTERLEAVE: [u16; 32] = {
    let mut places = [0; 32];
    let mut at = 0;
    while at < 32 {
        places[at] = (at / 2 + at % 2 * 16) as u16;
        at += 1;
    }
    places
};

impl Words for f32 {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    #[inline]
    unsafe fn across(first: &[Self], second: &[Self]) -> __m512i {
        // SAFETY: as in `round`.
        let places = unsafe { std::mem::transmute::<[u16; 32], __m512i>(INTERLEAVE) };
        _mm512_permutexvar_epi16(places, round(load_f32(first, 0), load_f32(second, 0)))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    #[inline]
    unsafe fn along(line: &[Self]) -> __m512i {
        round(load_f32(line, 0), load_f32(line, LANES))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[inline]
    unsafe fn wide(line: &[Self]) -> __m512i {
        _mm512_castps_si512(load_f32(line, 0))
    }
}

impl Words for bf16 {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[inline]
    unsafe fn across(first: &[Self], second: &[Self]) -> __m512i {
        _mm512_or_si512(load_bf16(first), _mm512_slli_epi32::<16>(load_bf16(second)))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[inline]
    unsafe fn along(line: &[Self]) -> __m512i {
        // SAFETY: only lanes within `line` are read.
        unsafe { _mm512_maskz_loadu_epi16(first32(line.len()), line.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    #[inline]
    unsafe fn wide(line: &[Self]) -> __m512i {
        _mm512_slli_epi32::<16>(load_bf16(line))
    }
}

/// Transposes 16 × 16 words, a row a register: 2 × 2 blocks of words within 128 bits, then of pairs of words,
/// then the 128-bit quarters.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn transpose(rows: &mut [__m512i; LANES]) {
    let mut pairs = *rows;
    for at in (0..LANES).step_by(2) {
        pairs[at] = _mm512_unpacklo_epi32(rows[at], rows[at + 1]);
        pairs[at + 1] = _mm512_unpackhi_epi32(rows[at], rows[at + 1]);
    }
    // `fours[4 g + c]`: in quarter q, rows 4 g .. 4 g + 4 of column 4 q + c.
    let mut fours = pairs;
    for at in (0..LANES).step_by(4) {
        fours[at] = _mm512_unpacklo_epi64(pairs[at], pairs[at + 2]);
        fours[at + 1] = _mm512_unpackhi_epi64(pairs[at], pairs[at + 2]);
        fours[at + 2] = _mm512_unpacklo_epi64(pairs[at + 1], pairs[at + 3]);
        fours[at + 3] = _mm512_unpackhi_epi64(pairs[at + 1], pairs[at + 3]);
    }
    for c in 0..4 {
        let [first, second, third, fourth] = [fours[c], fours[4 + c], fours[8 + c], fours[12 + c]];
        let (even_low, even_high) =
            (_mm512_shuffle_i32x4::<0x88>(first, second), _mm512_shuffle_i32x4::<0x88>(third, fourth));
        let (odd_low, odd_high) =
            (_mm512_shuffle_i32x4::<0xDD>(first, second), _mm512_shuffle_i32x4::<0xDD>(third, fourth));
        rows[c] = _mm512_shuffle_i32x4::<0x88>(even_low, even_high);
        rows[4 + c] = _mm512_shuffle_i32x4::<0x88>(odd_low, odd_high);
        rows[8 + c] = _mm512_shuffle_i32x4::<0xDD>(even_low, even_high);
        rows[12 + c] = _mm512_shuffle_i32x4::<0xDD>(odd_low, odd_high);
    }
}

/// Stores the first words of a register, as many as `to` has room for.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn store(to: &mut [bf16], words: __m512i) {
    // SAFETY: only lanes within `to` are written.
    unsafe { _mm512_mask_storeu_epi16(to.as_mut_ptr().cast(), first32(to.len()), words) }
}

/// Brings `line` nearer, to be read soon: to the cache that `HINT` names. Only a hint.
#[inline(always)]
pub(super) fn fetch<const HINT: i32, S>(line: &[S]) {
    for byte in (0..size_of_val(line)).step_by(64) {
        // SAFETY: a prefetch faults on no address.
        unsafe { _mm_prefetch::<HINT>(line.as_ptr().cast::<i8>().wrapping_add(byte)) };
    }
}

/// Packs rows `row .. row + depth`, columns `column .. column + columns` of `b` as pairs,
/// `[panel.len() / 2 width][width][2]`; `width` is a multiple of 16.
///
/// # Safety
/// The processor has AVX-512 F, BW, VL and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) unsafe fn pack<S: Words>(
    b: Matrix<'_, S>,
    (row, depth): (usize, usize),
    (column, columns): (usize, usize),
    width: usize,
    panel: &mut [bf16],
) {
    if b.transposed() {
        for at in (0..width).step_by(LANES) {
            let columns = (column + at, columns.saturating_sub(at).min(LANES));
            // SAFETY: the caller's promise.
            unsafe { pack_columns(b, (row, depth), columns, width, &mut panel[2 * at..]) }
        }
        return;
    }
    for (to, k) in panel.chunks_exact_mut(2 * width).zip((0..).step_by(2)) {
        let line = |k| if k < depth { b.line(row + k, column, columns) } else { &[] };
        let (first, second) = (line(k), line(k + 1));
        for k in [k + AHEAD, k + AHEAD + 1] {
            fetch::<_MM_HINT_T0, S>(if row + k < b.rows() { b.line(row + k, column, columns) } else { &[] });
        }
        for (to, j) in to.chunks_exact_mut(2 * LANES).zip((0..).step_by(LANES)) {
            let (first, second) = (first.get(j..).unwrap_or_default(), second.get(j..).unwrap_or_default());
            // SAFETY: the caller's promise.
            store(to, unsafe { S::across(first, second) });
        }
    }
}

/// Up to 16 columns, contiguous in memory.
///
/// # Safety
/// As [`pack`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
unsafe fn pack_columns<S: Words>(
    b: Matrix<'_, S>,
    (row, depth): (usize, usize),
    (column, columns): (usize, usize),
    width: usize,
    panel: &mut [bf16],
) {
    for (to, k) in panel.chunks_mut(LANES * 2 * width).zip((0..).step_by(2 * LANES)) {
        let deep = depth.saturating_sub(k).min(2 * LANES);
        let mut words = [_mm512_setzero_si512(); LANES];
        if deep > 0 {
            for (words, j) in words.iter_mut().zip(column..column + columns) {
                // SAFETY: the caller's promise.
                *words = unsafe { S::along(b.line(j, row + k, deep)) };
            }
            transpose(&mut words);
        }
        for (to, words) in to.chunks_mut(2 * width).zip(words) {
            store(&mut to[..2 * LANES], words);
        }
    }
}

/// Rows `row .. row + rows` of a transposed `a`, each filled up with zeros to `padded`, to rows `stride` apart.
///
/// # Safety
/// The processor has AVX-512 F, BW, VL and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
pub(super) unsafe fn copy_transposed(
    a: Matrix<'_, bf16>,
    (row, rows): (usize, usize),
    padded: usize,
    stride: usize,
    to: &mut [bf16],
) {
    let deep = a.columns();
    for k in (0..padded).step_by(2 * LANES) {
        for i in (0..rows).step_by(LANES) {
            let high = LANES.min(rows - i);
            let line = |k| if k < deep { a.line(k, row + i, high) } else { &[] };
            (k..k + 2 * LANES).for_each(|k| fetch::<_MM_HINT_T0, bf16>(line(k + AHEAD)));
            let mut words = [_mm512_setzero_si512(); LANES];
            for (pair, words) in words.iter_mut().enumerate() {
                let k = k + 2 * pair;
                // SAFETY: the caller's promise.
                *words = unsafe { bf16::across(line(k), line(k + 1)) };
            }
            transpose(&mut words);
            for (to, words) in to[i * stride..].chunks_mut(stride).zip(words).take(high) {
                let end = padded.min(k + 2 * LANES);
                store(&mut to[k..end], words);
            }
        }
    }
}
