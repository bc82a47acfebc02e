//! Views of matrices, and shared cells that tasks write apart from each other.

use std::marker::PhantomData;

/// A matrix in memory, whose rows or whose columns are contiguous.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    stride: usize,
    transposed: bool,
}

impl<'a, T> Matrix<'a, T> {
    /// `[rows, columns]` with contiguous rows that begin `stride` elements apart.
    #[must_use]
    #[inline(always)]
    pub fn strided(data: &'a [T], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(
            columns <= stride && (rows == 0 || (rows - 1) * stride + columns <= data.len()),
            "a view leaves its data"
        );
        Self { data, rows, columns, stride, transposed: false }
    }

    /// `[rows, columns]` without gaps.
    #[must_use]
    #[inline(always)]
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// The transposed matrix; nothing is copied.
    #[must_use]
    #[inline(always)]
    pub fn transpose(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// Number of rows.
    #[inline(always)]
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[inline(always)]
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Whether columns, not rows, are contiguous.
    #[inline(always)]
    pub(super) fn transposed(&self) -> bool {
        self.transposed
    }

    /// Elements between the starts of two contiguous lines.
    #[inline(always)]
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// `length` contiguous elements from `at` of contiguous line `line`: a row, or a column when transposed.
    #[inline(always)]
    pub(super) fn line(&self, line: usize, at: usize, length: usize) -> &'a [T] {
        &self.data[line * self.stride + at..][..length]
    }

    /// The data from element (`row`, `column`) on.
    #[inline(always)]
    pub(super) fn from(&self, row: usize, column: usize) -> &'a [T] {
        let (line, at) = if self.transposed { (column, row) } else { (row, column) };
        &self.data[line * self.stride + at..]
    }
}

/// A slice whose parts are written by several tasks, no part by two.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a, T> {
    start: *mut T,
    length: usize,
    borrowed: PhantomData<&'a mut [T]>,
}

// SAFETY: it is a `&mut [T]` whose parts are handed out by `part`, whose callers promise to keep them apart.
unsafe impl<T: Send> Send for Cells<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Cells<'_, T> {}

impl<'a, T> Cells<'a, T> {
    /// All of `slice`.
    #[inline(always)]
    pub fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), length: slice.len(), borrowed: PhantomData }
    }

    /// All but the first `at` elements; they are still the same cells.
    #[inline(always)]
    pub fn skip(&self, at: usize) -> Self {
        assert!(at <= self.length, "a part leaves its slice");
        Self { start: self.start.wrapping_add(at), length: self.length - at, borrowed: PhantomData }
    }

    /// Elements `at .. at + length`.
    ///
    /// # Safety
    /// While the part is used, no other call may hand out any of its elements.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "apartness is the callers' promise")]
    pub unsafe fn part(&self, at: usize, length: usize) -> &mut [T] {
        assert!(at <= self.length && length <= self.length - at, "a part leaves its slice");
        // SAFETY: in bounds by the assertion, unaliased by the caller's promise, alive for `'a`.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), length) }
    }
}
