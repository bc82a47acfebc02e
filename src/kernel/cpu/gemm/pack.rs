//! Copies of operands in the order in which micro-kernels read them.

use super::Matrix;
use crate::kernel::cpu::element::Element;

/// Side of the blocks in which a transposed matrix is copied.
const BLOCK: usize = 16;

/// Rows `row .. row + depth`, columns `column .. column + columns` of `b`, row by row, each row filled up with
/// zeros to `width`.
#[inline(always)]
pub(super) fn pack_rows<S: Element, E: Element>(
    b: Matrix<'_, S>,
    (row, depth): (usize, usize),
    (column, columns): (usize, usize),
    width: usize,
    panel: &mut [E],
) {
    if b.transposed() {
        return transpose((b.from(row, column), b.stride(), columns), depth, width, width, panel);
    }
    for (k, to) in panel.chunks_exact_mut(width).take(depth).enumerate() {
        let from = b.line(row + k, column, columns);
        to[..columns].iter_mut().zip(from).for_each(|(to, &x)| *to = E::from_f32(x.to_f32()));
        to[columns..].fill(E::default());
    }
}

/// `to[k × to_stride + j] = from[j × stride + k]` for `lines` values of j and `length` of k; zeros from `lines` to
/// `width`. The first argument is (from, stride, lines).
#[inline(always)]
pub(super) fn transpose<S: Element, E: Element>(
    (from, stride, lines): (&[S], usize, usize),
    length: usize,
    width: usize,
    to_stride: usize,
    to: &mut [E],
) {
    for k0 in (0..length).step_by(BLOCK) {
        let deep = BLOCK.min(length - k0);
        for j0 in (0..width).step_by(BLOCK) {
            let wide = BLOCK.min(width - j0);
            let mut block = [[E::default(); BLOCK]; BLOCK];
            for (j, line) in (j0..lines.min(j0 + BLOCK)).zip(&mut block) {
                let from = &from[j * stride + k0..][..deep];
                line[..deep].iter_mut().zip(from).for_each(|(to, &x)| *to = E::from_f32(x.to_f32()));
            }
            for k in 0..deep {
                let to = &mut to[(k0 + k) * to_stride + j0..][..wide];
                to.iter_mut().zip(&block).for_each(|(to, line)| *to = line[k]);
            }
        }
    }
}
