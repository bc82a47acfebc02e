//! The micro-kernel for bf16 with AMX.
//!
//! AMX has 8 tile registers of 16 rows × 64 bytes. One instruction adds to a tile of C (16 × 16 f32) the product
//! of a tile of A (16 × 32 bf16, rows as they are in memory) and one of B (16 pairs of rows × 16 columns).
//! 2 × 2 tiles of C share 2 of A and 2 of B, so that each tile that is loaded serves two products.

use std::arch::asm;
use std::cell::Cell;

use half::bf16;

use super::Matrix;
use super::micro::{Factors, Micro, TILE, TILE_STRIDE};
use super::pairs;
use crate::kernel::cpu::element::Element;
use crate::kernel::cpu::isa::with_avx512;

/// Rows and columns of a tile of C.
const SIDE: usize = 16;
/// Depth of a tile of A or B.
const DEEP: usize = 32;

/// 32 × 32 tiles of C.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amx;

/// What `ldtilecfg` reads: the tiles' shapes.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_of_row: [u16; 16],
    rows: [u8; 16],
}

/// Tiles 0 to 3 are C, 4 and 5 A, 6 and 7 B; A's and C's have `rows` rows.
const fn shapes(rows: usize) -> Shapes {
    let (rows, all) = (rows as u8, SIDE as u8);
    Shapes {
        palette: 1,
        start_row: 0,
        reserved: [0; 14],
        bytes_of_row: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
        rows: [rows, rows, rows, rows, rows, rows, all, all, 0, 0, 0, 0, 0, 0, 0, 0],
    }
}

/// The shapes of all tiles but those at the lower edge of a narrow block.
static FULL: Shapes = shapes(SIDE);

thread_local! {
    /// Tasks of this thread that use the tiles: one, or more if a task computes another product midway.
    static USERS: Cell<usize> = const { Cell::new(0) };
}

/// Sets the tiles' shapes; what they held is lost.
///
/// # Safety
/// The process may use AMX.
#[inline(always)]
unsafe fn configure(shapes: &Shapes) {
    // SAFETY: the instruction reads the 64 bytes of `shapes`, which describe tiles within palette 1's bounds.
    unsafe { asm!("ldtilecfg [{}]", in(reg) shapes, options(nostack, preserves_flags, readonly)) }
}

#[inline(always)]
fn width(columns: usize) -> usize {
    columns.next_multiple_of(SIDE)
}

impl Micro for Amx {
    type Element = bf16;
    const NAME: &'static str = "AMX, 32 × 32";
    const ROWS: usize = 2 * SIDE;
    const COLUMNS: usize = 2 * SIDE;
    const STEP: usize = DEEP;
    const CHUNK: usize = 512;

    #[inline(always)]
    fn run<R>(work: impl FnOnce() -> R) -> R {
        // SAFETY: `with_micro` gives this kernel only where AVX-512 is.
        unsafe { with_avx512(work) }
    }

    /// No tile holds anything between two calls of `multiply`, so it does no harm that a nested user sets the
    /// shapes again; only the last one to leave gives the tiles back.
    #[inline(always)]
    fn enter(self) {
        USERS.set(USERS.get() + 1);
        // SAFETY: `with_micro` chose this micro-kernel because the process may use AMX.
        unsafe { configure(&FULL) }
    }

    #[inline(always)]
    fn leave(self) {
        USERS.set(USERS.get() - 1);
        if USERS.get() == 0 {
            // SAFETY: as in `enter`; nobody on this thread uses the tiles.
            unsafe { asm!("tilerelease", options(nostack, preserves_flags, nomem)) }
        }
    }

    #[inline(always)]
    fn panel_length(depth: usize, columns: usize) -> usize {
        depth * width(columns)
    }

    #[inline(always)]
    fn pack<S: Element>(self, b: Matrix<'_, S>, rows: (usize, usize), columns: (usize, usize), panel: &mut [bf16]) {
        // SAFETY: `with_micro` chose this micro-kernel because the processor has AVX512-BF16 and AMX.
        unsafe { pairs::pack(b, rows, columns, width(columns.1), panel) }
    }

    #[inline(always)]
    fn copy_transposed(self, a: Matrix<'_, bf16>, rows: (usize, usize), padded: usize, stride: usize, to: &mut [bf16]) {
        // SAFETY: as above.
        unsafe { pairs::copy_transposed(a, rows, padded, stride, to) }
    }

    /// The lower tiles of a block of 16 to 31 rows begin where they end with its last row, so they overlap the
    /// upper ones; below 16 rows the tiles are made lower, and the lower ones are the upper ones once more.
    /// The right tiles of a panel of 16 columns are the left ones once more.
    #[inline(always)]
    unsafe fn multiply(self, of: Factors<'_, bf16>, add: bool, tile: &mut [f32; TILE]) {
        let Factors { depth, a, stride, rows, panel, columns } = of;
        debug_assert!((rows - 1) * stride + depth <= a.len() && depth * width(columns) <= panel.len());
        let lower = rows.saturating_sub(SIDE);
        let right = width(columns) - SIDE;
        // SAFETY: the caller promises AMX (configured by `enter`) and the operands' extents: the rows `lower` to
        // `lower + min(rows, 16)` of A exist, as do the columns `right` to `right + 16` of the panel, and the
        // depth is a multiple of 32; a tile has room for 32 rows and columns.
        unsafe {
            if rows < SIDE {
                configure(&shapes(rows));
            }
            let (a, b, tile) = (a.as_ptr(), panel.as_ptr(), tile.as_mut_ptr());
            sum(
                depth / DEEP,
                [a, a.add(lower * stride)],
                stride,
                [b, b.add(2 * right)],
                width(columns),
                add,
                [tile, tile.add(SIDE), tile.add(lower * TILE_STRIDE), tile.add(lower * TILE_STRIDE + SIDE)],
            );
            if rows < SIDE {
                configure(&FULL);
            }
        }
    }

    unsafe fn multiply_adds(self, turns: usize) -> usize {
        self.enter();
        // SAFETY: the caller promises AMX, and `enter` has configured it.
        unsafe { products(turns) }
        self.leave();
        turns * 4 * SIDE * SIDE * DEEP
    }
}

/// `turns` products of two tiles added to each of four.
///
/// # Safety
/// AMX is configured.
unsafe fn products(mut turns: usize) {
    // SAFETY: the tiles are all that is read and written.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "tilezero tmm4",
            "tilezero tmm6",
            "test {turns}, {turns}",
            "jz 3f",
            "2:",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm6",
            "tdpbf16ps tmm2, tmm4, tmm6",
            "tdpbf16ps tmm3, tmm4, tmm6",
            "dec {turns}",
            "jnz 2b",
            "3:",
            turns = inout(reg) turns,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm6") _,
            options(nostack, nomem),
        );
    }
    debug_assert_eq!(turns, 0);
}

/// 2 × 2 tiles of C from `steps` × 2 tiles of A and `steps` × 2 of B.
///
/// # Safety
/// AMX is configured, with up to 16 rows in the tiles of A and C; `a` are rows of 32 `steps` elements `stride` apart, `b`
/// 16 `steps` rows of pairs `width` apart, `c` rows of 16 numbers [`TILE_STRIDE`] apart.
#[inline(always)]
unsafe fn sum(
    mut steps: usize,
    a: [*const bf16; 2],
    stride: usize,
    b: [*const bf16; 2],
    width: usize,
    add: bool,
    c: [*mut f32; 4],
) {
    // SAFETY: the loads and stores are within the extents that the caller promises.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "test {add}, {add}",
            "jz 2f",
            "tileloadd tmm0, [{c0} + {of_c}]",
            "tileloadd tmm1, [{c1} + {of_c}]",
            "tileloadd tmm2, [{c2} + {of_c}]",
            "tileloadd tmm3, [{c3} + {of_c}]",
            "2:",
            "test {steps}, {steps}",
            "jz 4f",
            "3:",
            "tileloadd tmm4, [{a0} + {of_a}]",
            "tileloaddt1 tmm6, [{b0} + {of_b}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloaddt1 tmm7, [{b1} + {of_b}]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a1} + {of_a}]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a0}, 64",
            "add {a1}, 64",
            "add {b0}, {step}",
            "add {b1}, {step}",
            "dec {steps}",
            "jnz 3b",
            "4:",
            "tilestored [{c0} + {of_c}], tmm0",
            "tilestored [{c1} + {of_c}], tmm1",
            "tilestored [{c2} + {of_c}], tmm2",
            "tilestored [{c3} + {of_c}], tmm3",
            steps = inout(reg) steps,
            a0 = inout(reg) a[0] => _,
            a1 = inout(reg) a[1] => _,
            b0 = inout(reg) b[0] => _,
            b1 = inout(reg) b[1] => _,
            add = in(reg) usize::from(add),
            of_a = in(reg) stride * size_of::<bf16>(),
            of_b = in(reg) width * 2 * size_of::<bf16>(),
            step = in(reg) SIDE * width * 2 * size_of::<bf16>(),
            c0 = in(reg) c[0],
            c1 = in(reg) c[1],
            c2 = in(reg) c[2],
            c3 = in(reg) c[3],
            of_c = in(reg) TILE_STRIDE * size_of::<f32>(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
    debug_assert_eq!(steps, 0);
}
