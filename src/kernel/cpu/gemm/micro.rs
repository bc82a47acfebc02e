//! The innermost loop, one implementation for each instruction set.

use super::Matrix;
use super::pack;
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::pool::Plain;

/// Columns of every tile row in memory, whatever a micro-kernel's panels hold.
pub(super) const TILE_STRIDE: usize = 64;
/// Elements of the largest tile.
pub(super) const TILE: usize = 32 * TILE_STRIDE;

/// Independent sums of [`Micro::multiply_adds`]: two multipliers with a latency of 4 or 5, and some.
pub(super) const CHAINS: usize = 12;

/// What a tile is the product of.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a, E> {
    /// A multiple of [`Micro::STEP`].
    pub(super) depth: usize,
    /// `rows` rows of `depth` readable elements that begin `stride` apart.
    pub(super) a: &'a [E],
    pub(super) stride: usize,
    /// [`Micro::ROWS`] at most.
    pub(super) rows: usize,
    /// Packed with the same depth and as many columns.
    pub(super) panel: &'a [E],
    pub(super) columns: usize,
}

/// Computes small tiles of a product, from rows of A as they are in memory and a packed panel of B.
pub(super) trait Micro: Copy + Send + Sync + 'static {
    /// How the operands are stored.
    type Element: Element + Plain;
    /// The instructions, and the rows and columns that are multiplied at once.
    const NAME: &'static str;
    /// Rows of a tile, at most; at most 32.
    const ROWS: usize;
    /// Columns of a panel, at most; at most [`TILE_STRIDE`].
    const COLUMNS: usize;
    /// The deepest part of the depth that is multiplied at once, a multiple of the step: so deep that a tile's rows
    /// of A stay in the first cache from panel to panel, where the kernel is fast enough for it to matter.
    const CHUNK: usize = usize::MAX;
    /// The depth that `multiply` gets is a multiple of this; what is missing is filled up with zeros.
    const STEP: usize;
    /// Bytes of the packed panels that are in use together: about half of a second cache.
    const PANELS: usize = 1 << 20;

    /// Runs `work` compiled for the kernel's instruction set.
    fn run<R>(work: impl FnOnce() -> R) -> R;

    /// Called once by a task before its first tile and after its last one.
    #[inline(always)]
    fn enter(self) {}

    /// See [`Micro::enter`].
    #[inline(always)]
    fn leave(self) {}

    /// Columns of a panel of `depth` rows, [`Micro::COLUMNS`] at most.
    #[inline(always)]
    fn columns(_depth: usize) -> usize {
        Self::COLUMNS
    }

    /// The rows of the next tile where `rows` are left.
    #[inline(always)]
    fn strip(rows: usize) -> usize {
        rows.min(Self::ROWS)
    }

    /// Elements of a panel of `columns` columns with `depth` rows, a multiple of [`Micro::STEP`].
    fn panel_length(depth: usize, columns: usize) -> usize;

    /// Packs some rows and columns of `b`, each the first one and how many, into `panel`, with zeros up to the next
    /// multiples of the step and of what the kernel reads.
    fn pack<S: Element>(
        self,
        b: Matrix<'_, S>,
        rows: (usize, usize),
        columns: (usize, usize),
        panel: &mut [Self::Element],
    );

    /// Rows `row .. row + rows` of a transposed `a`, each filled up with zeros to `padded`, to rows `stride` apart.
    #[inline(always)]
    fn copy_transposed(
        self,
        a: Matrix<'_, Self::Element>,
        (row, rows): (usize, usize),
        padded: usize,
        stride: usize,
        to: &mut [Self::Element],
    ) {
        pack::transpose((a.from(row, 0), a.stride(), a.columns()), rows, padded, stride, to);
    }

    /// `tile[i × TILE_STRIDE + j] = Σ_k a[i × stride + k] × panel[k, j]` for the rows and columns `of` which there are
    /// factors, plus what the tile holds if `add`; what is between the columns and the tile's width is arbitrary.
    ///
    /// # Safety
    /// The processor has the kernel's instructions, and `of` what it says.
    unsafe fn multiply(self, of: Factors<'_, Self::Element>, add: bool, tile: &mut [f32; TILE]);

    /// Carries out `turns` of independent multiply-adds on registers alone, as the kernel's instructions do them, for
    /// the clock's peak; returns how many.
    ///
    /// # Safety
    /// The processor has the kernel's instructions.
    unsafe fn multiply_adds(self, turns: usize) -> usize;
}

/// Tiles whose sums stay in registers.
pub(super) trait Tiles {
    type Element: Copy;

    /// R rows by V registers.
    ///
    /// # Safety
    /// The processor has the instructions; `a` has R rows of `depth` elements `stride` apart, `b` `depth` rows of V
    /// registers, `tile` R rows.
    unsafe fn sum<const R: usize, const V: usize>(
        depth: usize,
        a: *const Self::Element,
        stride: usize,
        b: *const Self::Element,
        add: bool,
        tile: *mut f32,
    );
}

/// # Safety
/// As [`Tiles::sum`], for `rows` rows, 6 at most.
#[inline(always)]
pub(super) unsafe fn sum_rows<T: Tiles, const V: usize>(
    rows: usize,
    depth: usize,
    a: *const T::Element,
    stride: usize,
    b: *const T::Element,
    add: bool,
    tile: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match rows {
            1 => T::sum::<1, V>(depth, a, stride, b, add, tile),
            2 => T::sum::<2, V>(depth, a, stride, b, add, tile),
            3 => T::sum::<3, V>(depth, a, stride, b, add, tile),
            4 => T::sum::<4, V>(depth, a, stride, b, add, tile),
            5 => T::sum::<5, V>(depth, a, stride, b, add, tile),
            _ => T::sum::<6, V>(depth, a, stride, b, add, tile),
        }
    }
}
