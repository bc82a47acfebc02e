//! How rows of a matrix are spread over the units of a cube.

use super::mask::PER_BLOCK;

/// How a row is spread: a unit has whole Philox blocks of elements, `units` blocks apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) width: usize,
    pub(super) units: usize,
}

impl Row {
    pub(super) fn new(width: usize) -> Self {
        Self { width, units: width.div_ceil(PER_BLOCK).next_power_of_two().clamp(8, 256) }
    }

    /// Blocks that a unit has, the last perhaps past the row's end.
    pub(super) fn rounds(self) -> usize {
        self.width.div_ceil(PER_BLOCK * self.units)
    }

    /// Numbers that a unit has.
    pub(super) fn held(self) -> usize {
        self.rounds() * PER_BLOCK
    }
}

/// Where a norm's mask acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Drops {
    Nothing,
    /// On what is added to the residual.
    Input,
    /// On what comes out.
    Output,
}
