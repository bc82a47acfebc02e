//! Memory in huge pages, where the system leaves the choice to the program.
//!
//! A matrix is read along rows that are kilobytes apart. In pages of 4 KiB each row is in another page, and finding it costs
//! more than multiplying it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

/// Allocations from this size on begin at a huge page of x86-64 and are made of such pages.
pub(super) const HUGE_PAGE: usize = 2 << 20;

/// The system's allocator, with large allocations in huge pages: weights, gradients, and whatever a tensor library
/// allocates by itself. What is asked for with zeros is left to the system, which gives its pages when they are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct HugePages;

// SAFETY: everything is the system's allocator's, which on Unix takes back what it gave with any alignment; one that is
// larger than asked for, and an advice about pages, change nothing of what it promises.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() < HUGE_PAGE || !cfg!(unix) {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc(layout) };
        }
        let aligned = layout.align_to(HUGE_PAGE).unwrap_or(layout);
        // SAFETY: of the same size, which is not 0.
        let start = unsafe { System.alloc(aligned) };
        advise(start, layout.size());
        start
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise; the system's allocator asks for the alignment only to know how it allocated, and it
        // frees both ways alike.
        unsafe { System.dealloc(start, layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise, and as for `dealloc`.
        let start = unsafe { System.realloc(start, layout, size) };
        if size >= HUGE_PAGE {
            advise(start, size);
        }
        start
    }
}

/// Prefers huge pages where whole ones fit into an allocation.
fn advise(start: *mut u8, size: usize) {
    let skipped = start.align_offset(HUGE_PAGE);
    if let Some(start) = NonNull::new(start)
        && skipped < size
    {
        // SAFETY: within the allocation.
        prefer_huge_pages(unsafe { start.add(skipped) }, size - skipped);
    }
}

/// One page fault for 2 MiB instead of 512 in the whole huge pages of `capacity` bytes from `start` on, where one begins.
#[cfg(all(target_os = "linux", not(miri)))]
pub(super) fn prefer_huge_pages(start: NonNull<u8>, capacity: usize) {
    /// `MADV_HUGEPAGE` of `madvise(2)`.
    const HUGE: std::ffi::c_int = 14;
    // SAFETY: the signature that POSIX and Linux give it.
    unsafe extern "C" {
        fn madvise(address: *mut std::ffi::c_void, length: usize, advice: std::ffi::c_int) -> std::ffi::c_int;
    }
    let whole_pages = capacity / HUGE_PAGE * HUGE_PAGE;
    if whole_pages > 0 {
        // SAFETY: the range is the caller's and begins at a page; the advice changes no content. Where it is refused,
        // nothing changes.
        unsafe { madvise(start.as_ptr().cast(), whole_pages, HUGE) };
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
pub(super) fn prefer_huge_pages(_start: NonNull<u8>, _capacity: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_is_aligned_grows_and_is_freed() {
        for size in [64, HUGE_PAGE - 1, HUGE_PAGE, 3 * HUGE_PAGE + 5] {
            let layout = Layout::from_size_align(size, 16).unwrap();
            // SAFETY: sizes are not 0; what is written was allocated; what is freed has the layout that it has then.
            unsafe {
                let start = HugePages.alloc(layout);
                let alignment = if size < HUGE_PAGE { 16 } else { HUGE_PAGE };
                assert!(!start.is_null() && start.align_offset(alignment) == 0);
                start.write_bytes(7, size);
                let grown = HugePages.realloc(start, layout, 2 * size);
                assert!(std::slice::from_raw_parts(grown, size).iter().all(|byte| *byte == 7));
                HugePages.dealloc(grown, Layout::from_size_align(2 * size, 16).unwrap());
                let zeroed = HugePages.alloc_zeroed(layout);
                assert!(std::slice::from_raw_parts(zeroed, size).iter().all(|byte| *byte == 0));
                HugePages.dealloc(zeroed, layout);
            }
        }
    }
}
