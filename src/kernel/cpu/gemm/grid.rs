//! How a product is divided among tasks.

use super::Matrix;
use super::micro::Micro;

/// Rows of a task at most: as many as make the packing of B cheap.
const TASK_ROWS: usize = 2048;
/// Multiplications that are worth a task.
const TASK_WORK: usize = 1 << 21;

/// The first row and column of a block of C, and the ones after its last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) rows: (usize, usize),
    pub(super) columns: (usize, usize),
}

/// The blocks of C that the tasks compute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    rows: usize,
    columns: usize,
    block_rows: usize,
    block_columns: usize,
}

impl Grid {
    /// Blocks that are large enough to be worth a task, and no wider than `group` columns, the panels that are in use
    /// together: a wider block would read the rows of A for each group all the same, and small blocks let the threads
    /// end at about the same time.
    pub(super) fn new<M: Micro, E>(a: &Matrix<'_, E>, columns: usize, group: usize) -> Self {
        let threads = rayon::current_num_threads();
        let (rows, depth) = (a.rows(), a.columns());
        let block_rows = rows.div_ceil(rows.div_ceil(TASK_ROWS).max(1)).next_multiple_of(M::ROWS).max(M::ROWS);
        let of_rows = rows.div_ceil(block_rows).max(1);
        let work = rows * columns * depth;
        let wanted = if threads == 1 { 1 } else { (4 * threads).min(work / TASK_WORK).max(1) };
        let of_columns = wanted.div_ceil(of_rows).min(columns.div_ceil(M::COLUMNS)).max(1);
        let block_columns = columns.div_ceil(of_columns).next_multiple_of(M::COLUMNS).max(M::COLUMNS);
        let block_columns = if of_columns == 1 { block_columns } else { block_columns.min(group) };
        Self { rows, columns, block_rows, block_columns }
    }

    pub(super) fn tasks(&self) -> usize {
        self.rows.div_ceil(self.block_rows) * self.columns.div_ceil(self.block_columns)
    }

    pub(super) fn block(&self, task: usize) -> Block {
        let of_columns = self.columns.div_ceil(self.block_columns);
        let (row, column) = (task / of_columns * self.block_rows, task % of_columns * self.block_columns);
        Block {
            rows: (row, self.rows.min(row + self.block_rows)),
            columns: (column, self.columns.min(column + self.block_columns)),
        }
    }
}
