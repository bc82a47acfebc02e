//! Working memory of a thread, kept from call to call.

use std::cell::RefCell;

use super::pool::Plain;

/// The alignment of what [`scratch`] hands out: a cache line, which is also an AVX-512 register.
const LINE: usize = 64;

#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; LINE]);

thread_local! {
    /// Buffers not in use now, the last one used on top.
    static FREE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with `length` elements of arbitrary content, 64-byte aligned. May be nested.
#[inline(always)]
pub(super) fn scratch<T: Plain, R>(length: usize, work: impl FnOnce(&mut [T]) -> R) -> R {
    let lines = (length * size_of::<T>()).div_ceil(LINE);
    let mut buffer = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if buffer.len() < lines {
        buffer.resize(lines, Line([0; LINE]));
    }
    // SAFETY: the buffer holds at least `length` elements' bytes, aligned to 64, initialised, and any
    // bits are a `T` (`Plain`); it is borrowed here alone until the call returns.
    let cells = unsafe { std::slice::from_raw_parts_mut(buffer.as_mut_ptr().cast::<T>(), length) };
    let result = work(cells);
    FREE.with_borrow_mut(|free| free.push(buffer));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_buffers_are_distinct_aligned_and_used_again() {
        let first = scratch(100, |outer: &mut [f32]| {
            outer.fill(1.0);
            scratch(1000, |inner: &mut [u16]| {
                inner.fill(7);
                assert_eq!(inner.as_ptr() as usize % LINE, 0);
            });
            assert!(outer.iter().all(|&x| (x - 1.0).abs() < f32::EPSILON));
            outer.as_ptr() as usize
        });
        assert_eq!(scratch(50, |again: &mut [f32]| again.as_ptr() as usize), first);
    }
}
