//! Gradients of tables of which a batch reads few rows.
//!
//! To burn such a gradient is a tensor like any other, with zeros in the rows that nobody read. Its memory
//! comes from buffers that are zero, and beside it stands which rows are not; whoever knows to ask
//! ([`touched_rows`]) reads only these. When burn drops it, these rows alone are cleared, and the buffer
//! is zero again. When burn writes to it (a second gradient is added, say), it is an ordinary dense tensor
//! from then on.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::backend::flex::FlexTensor;
use burn::tensor::Shape;
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty};

use super::memory::{as_uninit, as_uninit_mut, from_controller};
use crate::kernel::cpu::Buffer;

/// Zero buffers that are kept: two gradients live at a time when they are accumulated.
const KEPT: usize = 2;

/// What is known of a table's gradient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Numbers of a row.
    pub(super) width: usize,
    /// The rows that are not zero, ascending.
    pub(super) touched: Arc<[u32]>,
}

/// The gradients alive, by the address of their memory, which nothing else has meanwhile.
static TABLES: Mutex<BTreeMap<usize, Table>> = Mutex::new(BTreeMap::new());
/// Idle buffers, zero everywhere.
static IDLE: Mutex<Vec<Buffer<f32>>> = Mutex::new(Vec::new());

/// No statement under these locks leaves anything half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A buffer that is zero everywhere.
pub(super) struct Zeros(Buffer<f32>);

impl Zeros {
    pub(super) fn take(length: usize) -> Self {
        let mut idle = lock(&IDLE);
        let found = idle.iter().position(|buffer| buffer.len() == length);
        let recycled = found.map(|at| idle.swap_remove(at));
        drop(idle);
        Self(recycled.unwrap_or_else(|| Buffer::zeroed_on_demand(length)))
    }

    /// To write rows of.
    pub(super) fn numbers(&mut self) -> &mut [f32] {
        &mut self.0
    }

    /// The tensor of `shape`, `[rows, width]`, which is zero but for the rows `touched` (ascending).
    pub(super) fn into_tensor(self, touched: Vec<u32>, shape: Shape) -> FlexTensor {
        let rows = shape.iter().next().copied().unwrap_or(1).max(1);
        let (address, length) = (self.0.as_ptr() as usize, size_of_val(&*self.0));
        let width = self.0.len() / rows;
        let touched = touched.into();
        lock(&TABLES).insert(address, Table { width, touched });
        let controller = Rows { buffer: Some(self.0.into_bytes()), known: true };
        from_controller(Box::new(controller), length, shape)
    }
}

/// Which rows of `gradient` are not zero, when that is known.
pub(super) fn touched_rows(gradient: &FlexTensor) -> Option<Table> {
    let whole = gradient.layout().contiguous_offsets() == Some((0, gradient.bytes().len() / size_of::<f32>()));
    if whole { lock(&TABLES).get(&(gradient.bytes().as_ptr() as usize)).cloned() } else { None }
}

/// The memory of such a gradient.
struct Rows {
    /// `None` only while it is dropped.
    buffer: Option<Buffer<u8>>,
    /// Until burn writes to it.
    known: bool,
}

impl Rows {
    fn bytes(&self) -> &[u8] {
        self.buffer.as_deref().unwrap_or(&[])
    }

    fn forget_rows(&mut self) -> Option<Table> {
        let known = std::mem::replace(&mut self.known, false);
        if known { lock(&TABLES).remove(&(self.bytes().as_ptr() as usize)) } else { None }
    }
}

impl AllocationController for Rows {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        self.forget_rows();
        Ok(as_uninit_mut(self.buffer.as_deref_mut().unwrap_or(&mut [])))
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        Ok(as_uninit(self.bytes()))
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        let table = self.forget_rows();
        let (Some(Table { width, touched }), Some(buffer)) = (table, self.buffer.take()) else { return };
        let mut numbers: Buffer<f32> = buffer.into_numbers();
        for &row in &*touched {
            numbers[row as usize * width..][..width].fill(0.0);
        }
        let mut idle = lock(&IDLE);
        if idle.len() == KEPT {
            idle.remove(0);
        }
        idle.push(numbers);
    }
}

/// Frees the idle buffers. For the end of a run.
pub(super) fn release() {
    lock(&IDLE).clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(touched: &[u32]) -> FlexTensor {
        let mut zeros = Zeros::take(1003 * 5);
        assert!(zeros.numbers().iter().all(|&g| g == 0.0), "zero whatever was there before");
        for &row in touched {
            zeros.numbers()[row as usize * 5..][..5].fill(1.0);
        }
        zeros.into_tensor(touched.to_vec(), Shape::new([1003, 5]))
    }

    #[test]
    fn rows_are_known_until_burn_writes_and_the_memory_is_zero_again() {
        let first = gradient(&[3, 900]);
        let known = Some(Table { width: 5, touched: [3, 900].into() });
        assert_eq!(touched_rows(&first), known);
        let flat = first.reshape(Shape::new([5015]));
        assert_eq!(touched_rows(&flat), known);
        assert_eq!(touched_rows(&flat.clone().narrow(0, 10, 5)), None, "a part");
        drop((first, flat));
        let mut second = gradient(&[0, 7]);
        assert_eq!(touched_rows(&second), Some(Table { width: 5, touched: [0, 7].into() }));
        second.storage_mut::<f32>()[50] = 2.0;
        assert_eq!(touched_rows(&second), None, "written to");
        drop(second);
        drop(gradient(&[1002]));
    }
}
