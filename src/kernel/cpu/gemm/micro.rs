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

    /// Packs rows `row .. row + depth` and columns `column .. column + columns` of `b` into `panel`, with
    /// zeros up to the next multiples of the step and of what the kernel reads.
    fn pack<S: Element>(
        self,
        b: Matrix<'_, S>,
        row: usize,
        depth: usize,
        column: usize,
        columns: usize,
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

    /// `tile[i × TILE_STRIDE + j] = Σ_k a[i × stride + k] × panel[k, j]` for `rows` ≤ [`Micro::ROWS`] rows and
    /// the panel's columns, plus what the tile holds if `add`; what is between `columns` and the tile's width is
    /// arbitrary.
    ///
    /// # Safety
    /// The processor has the kernel's instructions. `a` holds `rows` rows of `depth` readable elements, and
    /// `panel` was packed with the same `depth` (rounded up to the step) and `columns`.
    #[expect(clippy::too_many_arguments, reason = "two operands, their extents, and a tile")]
    unsafe fn multiply(
        self,
        depth: usize,
        a: &[Self::Element],
        stride: usize,
        rows: usize,
        panel: &[Self::Element],
        columns: usize,
        add: bool,
        tile: &mut [f32; TILE],
    );
    /// Carries out `turns` of independent multiply-adds on registers alone, as the kernel's instructions do them, for
    /// the clock's peak; returns how many.
    ///
    /// # Safety
    /// The processor has the kernel's instructions.
    unsafe fn multiply_adds(self, turns: usize) -> usize;
}
