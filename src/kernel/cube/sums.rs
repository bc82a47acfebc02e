//! Sums in a fixed order: over the units of a cube, and over the rows of a matrix.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::tensor::{ELEMENTS, elementwise, empty, length};

/// Rows whose sums one cube makes.
pub(super) const BLOCK_ROWS: usize = 16;

/// Σ of every unit's `value`, to all units; `shared` has a place for each. A power of two units.
#[cube]
pub(super) fn cube_sum(value: f32, shared: &mut Shared<[f32]>) -> f32 {
    let unit = UNIT_POS as usize;
    // Nobody reads an earlier sum any more.
    sync_cube();
    shared[unit] = value;
    sync_cube();
    let mut half = CUBE_DIM as usize / 2;
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] += other;
        }
        sync_cube();
        half /= 2;
    }
    shared[0]
}

/// The greatest of every unit's `value`, to all units; as [`cube_sum`].
#[cube]
pub(super) fn cube_max(value: f32, shared: &mut Shared<[f32]>) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube();
    shared[unit] = value;
    sync_cube();
    let mut half = CUBE_DIM as usize / 2;
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] = max(shared[unit], other);
        }
        sync_cube();
        half /= 2;
    }
    shared[0]
}

/// Sums of blocks of rows, `[blocks, columns]`, of several vectors side by side.
pub(super) struct Partials {
    sums: CubeTensor,
    blocks: usize,
    widths: Vec<usize>,
}

impl Partials {
    /// For matrices of `rows` rows, and vectors of these widths.
    pub(super) fn new(like: &CubeTensor, rows: usize, widths: Vec<usize>) -> Self {
        let blocks = rows.div_ceil(BLOCK_ROWS);
        Self { sums: empty(like, [blocks, widths.iter().sum()]), blocks, widths }
    }

    /// Where blocks write.
    pub(super) fn arg(&self) -> BufferArg {
        self.sums.clone().into_buffer_arg()
    }

    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Numbers of all vectors.
    pub(super) fn columns(&self) -> usize {
        self.widths.iter().sum()
    }

    /// The column that vector number `vector` begins in.
    pub(super) fn first(&self, vector: usize) -> usize {
        self.widths[..vector].iter().sum()
    }

    /// The vectors, summed over the blocks in their order, in one launch.
    pub(super) fn totals(self) -> Vec<CubeTensor> {
        let totals: Vec<CubeTensor> = self.widths.iter().map(|&width| empty(&self.sums, [width])).collect();
        let mut segments = SequenceArg::new();
        for (vector, total) in totals.iter().enumerate() {
            let (first, width) = (self.first(vector), self.widths[vector]);
            segments.push(SegmentLaunch::new(total.clone().into_buffer_arg(), first, width));
        }
        let (count, dim) = elementwise(self.columns());
        let columns = self.columns();
        add_up::launch(&self.sums.client, count, dim, self.arg(), segments, self.blocks as u32, columns);
        totals
    }
}

/// One of the vectors.
#[derive(CubeLaunch, CubeType)]
struct Segment {
    total: Box<[f32]>,
    #[cube(comptime)]
    first: usize,
    #[cube(comptime)]
    width: usize,
}

#[cube(launch)]
fn add_up(sums: &[f32], segments: Sequence<Segment>, blocks: u32, #[comptime] columns: usize) {
    let column = ABSOLUTE_POS;
    if column < columns {
        let mut total = 0.0f32;
        for block in 0..blocks as usize {
            total += sums[block * columns + column];
        }
        for segment in segments {
            let mut into = segment.total;
            if column >= segment.first && column < segment.first + segment.width {
                into[column - segment.first] = total;
            }
        }
    }
}

/// The sums of blocks of rows of `x` `[rows, columns]`, as vector number `vector` of `partials`.
pub(super) fn sum_blocks(x: &CubeTensor, columns: usize, partials: &Partials, vector: usize) {
    let rows = length(x) / columns;
    let count = CubeCount::Static(columns.div_ceil(ELEMENTS) as u32, partials.blocks() as u32, 1);
    let (stride, first) = (partials.columns(), partials.first(vector));
    let (x_arg, dim) = (x.clone().into_buffer_arg(), CubeDim::new_1d(ELEMENTS as u32));
    block_sums::launch(&x.client, count, dim, x_arg, partials.arg(), rows as u32, columns, stride, first);
}

#[cube(launch)]
fn block_sums(
    x: &[f32],
    sums: &mut [f32],
    rows: u32,
    #[comptime] columns: usize,
    #[comptime] stride: usize,
    #[comptime] first: usize,
) {
    let column = CUBE_POS_X as usize * ELEMENTS + UNIT_POS as usize;
    let block = CUBE_POS_Y as usize;
    if column < columns {
        let mut total = 0.0f32;
        let begin = block * BLOCK_ROWS;
        let end = min(begin + BLOCK_ROWS, rows as usize);
        for row in begin..end {
            total += x[row * columns + column];
        }
        sums[block * stride + first + column] = total;
    }
}
