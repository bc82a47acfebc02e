//! Buffers that are recycled from step to step.
//!
//! A training step takes and drops the same few hundred buffers again and again. Memory fresh from the
//! operating system costs a page fault and a cleared page for every 4 KiB that is touched; a dropped
//! buffer's memory is kept instead and given to the next that asks for about as much.
//!
//! Capacities are rounded up to one of eight steps between powers of two, so that batches of changing
//! length find each other's buffers. What is kept is bounded: idle and used memory together stay below
//! the most that was ever in use at one time and a quarter more; the buffers that lay idle the longest
//! are freed first.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use half::bf16;

use super::huge_pages::{HUGE_PAGE, prefer_huge_pages};

/// Alignment of every buffer in bytes: a cache line, and a vector of 512 bits.
const ALIGNMENT: usize = 64;
/// A free buffer is taken for a request that fills at least this part of it.
const LEAST_FILLED: f64 = 0.5;
/// What may be kept beyond five quarters of the most that was in use, in bytes.
const SLACK: usize = 16 << 20;

/// Numbers that a buffer can hold.
///
/// # Safety
/// Every bit pattern must be a value, there must be no padding, and the alignment at most 64 bytes.
pub unsafe trait Plain: Copy + Send + Sync + fmt::Debug + 'static {}

// SAFETY: an integer.
unsafe impl Plain for u8 {}
// SAFETY: an integer.
unsafe impl Plain for u16 {}
// SAFETY: an integer.
unsafe impl Plain for u32 {}
// SAFETY: every bit pattern is a float.
unsafe impl Plain for f32 {}
// SAFETY: a transparent wrapper of `u16`, every bit pattern of which is a float.
unsafe impl Plain for bf16 {}

/// A slice of recycled memory; it goes back when dropped. Aligned to 64 bytes.
pub struct Buffer<T: Plain> {
    /// `None` only while it is dropped.
    block: Option<Block>,
    length: usize,
    pool: &'static Pool,
    holds: PhantomData<T>,
}

impl<T: Plain> Buffer<T> {
    /// `length` numbers of any value: what was there before, or 0.
    #[must_use]
    pub fn take(length: usize) -> Self {
        SHARED.take(length)
    }

    /// `length` numbers whose bits are all 0.
    #[must_use]
    pub fn zeroed(length: usize) -> Self {
        let mut buffer = Buffer::<u8>::take(length * size_of::<T>());
        buffer.fill(0);
        buffer.of_type(length)
    }

    /// `length` numbers whose bits are all 0, in memory of its own: a page of it takes room only when it is
    /// written. For tables of which few rows are used.
    #[must_use]
    pub fn zeroed_on_demand(length: usize) -> Self {
        Buffer {
            block: Some(SHARED.fresh(bytes_of::<T>(length), Pages::Small)),
            length,
            pool: &SHARED,
            holds: PhantomData,
        }
    }

    /// The same memory as bytes.
    #[must_use]
    pub fn into_bytes(self) -> Buffer<u8> {
        let length = self.length * size_of::<T>();
        self.of_type(length)
    }

    /// The same memory as other numbers, as many as fit.
    #[must_use]
    pub fn into_numbers<U: Plain>(self) -> Buffer<U> {
        let length = self.length * size_of::<T>() / size_of::<U>();
        self.of_type(length)
    }

    /// The same memory as `length` numbers of another type; never more than it has.
    fn of_type<U: Plain>(mut self, length: usize) -> Buffer<U> {
        let block = self.block.take();
        let capacity = block.as_ref().map_or(0, |block| block.capacity);
        Buffer { block, length: length.min(capacity / size_of::<U>()), pool: self.pool, holds: PhantomData }
    }

    fn start(&self) -> NonNull<T> {
        self.block.as_ref().map_or(NonNull::dangling(), |block| block.start.cast())
    }
}

impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the block has room for `length` numbers (`Pool::take`, `of_type`), is aligned to more
        // than they need, belongs to this buffer alone, and is initialised everywhere: it was cleared when
        // it was allocated, and since then only whole numbers were written into it. Without a block the
        // length is 0.
        unsafe { std::slice::from_raw_parts(self.start().as_ptr(), self.length) }
    }
}

impl<T: Plain> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start().as_ptr(), self.length) }
    }
}

impl<T: Plain> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer<{}>[{}]", std::any::type_name::<T>(), self.length)
    }
}

impl<T: Plain> Drop for Buffer<T> {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            self.pool.give_back(block);
        }
    }
}

/// Frees everything that lies idle. For the end of a run.
pub fn release() {
    let free = SHARED.lock().forget();
    drop(free);
}

/// The pool that [`Buffer::take`] draws from.
static SHARED: Pool = Pool::new();

struct Pool {
    state: Mutex<State>,
}

/// Free blocks and the count of all memory, in bytes of capacity.
struct State {
    /// By capacity, in each list the longest idle first, with the time when it became idle.
    free: BTreeMap<usize, Vec<(u64, Block)>>,
    free_bytes: usize,
    used_bytes: usize,
    most_used: usize,
    /// Counts returned blocks.
    time: u64,
}

impl Pool {
    const fn new() -> Self {
        let state = State { free: BTreeMap::new(), free_bytes: 0, used_bytes: 0, most_used: 0, time: 0 };
        Self { state: Mutex::new(state) }
    }

    /// The state is whole after every statement that can panic, so a poisoned lock is as good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take<T: Plain>(&'static self, length: usize) -> Buffer<T> {
        let capacity = bytes_of::<T>(length);
        let recycled = self.lock().reuse(capacity);
        let block = recycled.unwrap_or_else(|| self.fresh(capacity, Pages::Huge));
        Buffer { block: Some(block), length, pool: self, holds: PhantomData }
    }

    /// Memory from the operating system.
    fn fresh(&self, capacity: usize, pages: Pages) -> Block {
        let surplus = self.lock().make_room(capacity);
        // Freed without the lock, before more is asked for.
        drop(surplus);
        Block::new(capacity, pages)
    }

    fn give_back(&self, block: Block) {
        let mut state = self.lock();
        state.used_bytes -= block.capacity;
        state.free_bytes += block.capacity;
        state.time += 1;
        let time = state.time;
        state.free.entry(block.capacity).or_default().push((time, block));
    }
}

impl State {
    /// The smallest free block that fits and is not too large; of equals the last used, for the caches.
    fn reuse(&mut self, capacity: usize) -> Option<Block> {
        let most = (capacity as f64 / LEAST_FILLED) as usize;
        let (&found, list) = self.free.range_mut(capacity..=most).next()?;
        let (_, block) = list.pop()?;
        if list.is_empty() {
            self.free.remove(&found);
        }
        self.free_bytes -= found;
        self.count_used(found);
        Some(block)
    }

    fn count_used(&mut self, capacity: usize) {
        self.used_bytes += capacity;
        self.most_used = self.most_used.max(self.used_bytes);
    }

    /// Counts a new block, and takes out the free ones that are too much beside it.
    fn make_room(&mut self, capacity: usize) -> Vec<Block> {
        self.count_used(capacity);
        let limit = self.most_used + self.most_used / 4 + SLACK;
        let mut surplus = Vec::new();
        while self.used_bytes + self.free_bytes > limit {
            let oldest = self.free.iter().filter_map(|(&size, list)| Some((list.first()?.0, size))).min();
            let Some((_, size)) = oldest else { break };
            let Some(list) = self.free.get_mut(&size) else { break };
            surplus.push(list.remove(0).1);
            self.free_bytes -= size;
            if list.is_empty() {
                self.free.remove(&size);
            }
        }
        surplus
    }

    /// All free blocks, and the most that was in use begins anew.
    fn forget(&mut self) -> BTreeMap<usize, Vec<(u64, Block)>> {
        self.free_bytes = 0;
        self.most_used = self.used_bytes;
        std::mem::take(&mut self.free)
    }
}

/// The capacity for `length` numbers. More than there can be ends as any allocation that is too large.
fn bytes_of<T>(length: usize) -> usize {
    rounded(length.saturating_mul(size_of::<T>()))
}

/// `bytes` rounded up to one of eight steps between two powers of two, whole cache lines: at most an
/// eighth more.
fn rounded(bytes: usize) -> usize {
    let bytes = bytes.max(ALIGNMENT);
    let step = (1 << bytes.ilog2()) / 8;
    bytes.checked_next_multiple_of(step.max(ALIGNMENT)).unwrap_or(bytes)
}

/// What a large block is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pages {
    /// 2 MiB each, where the system has them: few page faults.
    Huge,
    /// 4 KiB each: only what is used takes room.
    Small,
}

/// Memory of one allocation, initialised everywhere.
struct Block {
    start: NonNull<u8>,
    capacity: usize,
    allocation: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a block owns its memory alone; nothing about it depends on a thread.
unsafe impl Send for Block {}
// SAFETY: a shared block is only read.
unsafe impl Sync for Block {}

impl Block {
    /// `capacity` zero bytes. Ends the process, as every container does, when there is no memory.
    fn new(capacity: usize, pages: Pages) -> Self {
        let alignment = if capacity >= HUGE_PAGE { HUGE_PAGE } else { ALIGNMENT };
        // Room to align it here: an allocator that is asked for aligned zeros writes them, while plain
        // zeros of this size come from the operating system, which clears a page when it is touched.
        let layout = Layout::array::<u64>(capacity.saturating_add(alignment) / size_of::<u64>());
        let layout = layout.unwrap_or_else(|_| handle_alloc_error(Layout::new::<u64>()));
        // SAFETY: the layout's size is not 0: `capacity` is at least `ALIGNMENT`.
        let allocation = unsafe { alloc_zeroed(layout) };
        let Some(allocation) = NonNull::new(allocation) else { handle_alloc_error(layout) };
        let skipped = allocation.as_ptr().align_offset(alignment).min(alignment);
        // SAFETY: less than or equal to `alignment`, and so many bytes were asked for beyond `capacity`.
        let start = unsafe { allocation.add(skipped) };
        if pages == Pages::Huge {
            prefer_huge_pages(start, capacity);
        }
        Self { start, capacity, allocation, layout }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, freed once, and no buffer has it any more.
        unsafe { dealloc(self.allocation.as_ptr(), self.layout) }
    }
}

#[cfg(test)]
mod tests;
