//! What becomes of a computed tile.

use super::matrix::Cells;
use super::micro::TILE_STRIDE;
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::isa::Isa;

/// Where a tile belongs in the product.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its first row.
    pub row: usize,
    /// Its first column.
    pub column: usize,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
    /// Whether it holds the first part of the sum over the depth.
    pub first: bool,
}

/// Takes the tiles of a product while they are in the nearest cache.
///
/// Products are not generic over it (one call a tile costs nothing), so what it computes goes through
/// [`Isa::run`].
pub trait Output: Sync {
    /// Whether the sum over the depth may arrive in several parts.
    fn sums(&self) -> bool {
        false
    }

    /// Takes one tile, whose row `i` begins at `i ×` [`TILE_STRIDE`].
    ///
    /// # Safety
    /// Tiles that are taken at the same time do not overlap.
    unsafe fn take(&self, place: Place, tile: &[f32]);
}

/// Row `row` of a tile.
#[inline(always)]
pub fn tile_row(tile: &[f32], row: usize, columns: usize) -> &[f32] {
    &tile[row * TILE_STRIDE..][..columns]
}

/// Stores the product, plus `bias` on every row if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a, E> {
    /// `[rows, stride]`
    pub to: Cells<'a, E>,
    /// Elements between the starts of two rows.
    pub stride: usize,
    /// One for each column.
    pub bias: Option<&'a [f32]>,
}

impl<E: Element> Output for Store<'_, E> {
    unsafe fn take(&self, place: Place, tile: &[f32]) {
        Isa::detect().run(
            #[inline(always)]
            || {
                for row in 0..place.rows {
                    let from = tile_row(tile, row, place.columns);
                    // SAFETY: tiles do not overlap, so neither do their rows.
                    let to = unsafe { self.to.part((place.row + row) * self.stride + place.column, place.columns) };
                    match self.bias {
                        None => to.iter_mut().zip(from).for_each(|(to, &x)| *to = E::from_f32(x)),
                        Some(bias) => {
                            let bias = &bias[place.column..][..place.columns];
                            to.iter_mut().zip(from).zip(bias).for_each(|((to, &x), &b)| *to = E::from_f32(x + b));
                        }
                    }
                }
            },
        );
    }
}

/// Stores the product, or adds it to what is there already.
#[derive(Clone, Copy, Debug)]
pub struct Sum<'a> {
    /// `[rows, stride]`
    pub to: Cells<'a, f32>,
    /// Elements between the starts of two rows.
    pub stride: usize,
    /// Whether what is there counts.
    pub add: bool,
}

impl Output for Sum<'_> {
    fn sums(&self) -> bool {
        true
    }

    unsafe fn take(&self, place: Place, tile: &[f32]) {
        Isa::detect().run(
            #[inline(always)]
            || {
                for row in 0..place.rows {
                    let from = tile_row(tile, row, place.columns);
                    // SAFETY: tiles do not overlap, so neither do their rows.
                    let to = unsafe { self.to.part((place.row + row) * self.stride + place.column, place.columns) };
                    if place.first && !self.add {
                        to.copy_from_slice(from);
                    } else {
                        to.iter_mut().zip(from).for_each(|(to, &x)| *to += x);
                    }
                }
            },
        );
    }
}

/// Stores the transposed product, or adds it to what is there already. With it the smaller of two operands can be the
/// left one, which is copied.
#[derive(Clone, Copy, Debug)]
pub struct SumTransposed<'a> {
    /// `[columns, stride]`
    pub to: Cells<'a, f32>,
    /// Elements between the starts of two rows.
    pub stride: usize,
    /// Whether what is there counts.
    pub add: bool,
}

impl Output for SumTransposed<'_> {
    fn sums(&self) -> bool {
        true
    }

    unsafe fn take(&self, place: Place, tile: &[f32]) {
        Isa::detect().run(
            #[inline(always)]
            || {
                for column in 0..place.columns {
                    // SAFETY: tiles do not overlap, so neither do their columns.
                    let to = unsafe { self.to.part((place.column + column) * self.stride + place.row, place.rows) };
                    let from = tile[column..].iter().step_by(TILE_STRIDE);
                    if place.first && !self.add {
                        to.iter_mut().zip(from).for_each(|(to, &x)| *to = x);
                    } else {
                        to.iter_mut().zip(from).for_each(|(to, &x)| *to += x);
                    }
                }
            },
        );
    }
}
