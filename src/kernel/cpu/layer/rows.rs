//! Rows of a matrix that are copied.

use rayon::prelude::*;

use crate::kernel::cpu::pool::{Buffer, Plain};

/// The rows of `from`, `[…, width]`, with these numbers.
pub(super) fn gather<E: Plain>(from: &[E], rows: &[u32], width: usize) -> Buffer<E> {
    let mut to = Buffer::<E>::take(rows.len() * width);
    for (to, &row) in to.chunks_exact_mut(width).zip(rows) {
        to.copy_from_slice(&from[row as usize * width..][..width]);
    }
    to
}

/// The rows of `to` with these numbers become those of `from`, the others 0.
pub(super) fn scatter<E: Plain + Default>(from: &[E], rows: &[u32], to: &mut [E], width: usize) {
    to.fill(E::default());
    for (from, &row) in from.chunks_exact(width).zip(rows) {
        to[row as usize * width..][..width].copy_from_slice(from);
    }
}

/// `to = from`, on all threads.
pub(super) fn copy(from: &[f32], to: &mut [f32]) {
    const PART: usize = 1 << 16;
    to.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(to, from)| to.copy_from_slice(from));
}
