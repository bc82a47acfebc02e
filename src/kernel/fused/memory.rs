//! burn tensors in recycled memory, and slices of burn tensors.

use std::mem::MaybeUninit;

use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{DType, Flex};
use burn::tensor::{Shape, Tensor};
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};

use crate::kernel::cpu::Buffer;

/// Memory of a tensor that returns to the pool when burn drops the last handle.
struct Recycled(Buffer<u8>);

impl AllocationController for Recycled {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        Ok(as_uninit_mut(&mut self.0))
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        Ok(as_uninit(&self.0))
    }
}

/// Bytes as burn's allocations show them.
pub(super) fn as_uninit(bytes: &[u8]) -> &[MaybeUninit<u8>] {
    // SAFETY: the same layout, and initialised bytes are possibly uninitialised ones.
    unsafe { &*(std::ptr::from_ref(bytes) as *const [MaybeUninit<u8>]) }
}

/// The same, to be written. Only initialised bytes may be: the contract of `memory_mut`.
pub(super) fn as_uninit_mut(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the same layout; who gets it from `memory_mut` writes initialised bytes only.
    unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) }
}

/// A tensor of `shape` in `buffer`, which holds as many numbers.
pub(super) fn tensor(buffer: Buffer<f32>, shape: impl Into<Shape>) -> FlexTensor {
    let bytes = buffer.into_bytes();
    let length = bytes.len();
    from_controller(Box::new(Recycled(bytes)), length, shape.into())
}

/// Tensors of the shapes of `others` in `buffers`.
pub(super) fn tensors_like<const N: usize>(buffers: [Buffer<f32>; N], others: &[FlexTensor; N]) -> [FlexTensor; N] {
    let mut shapes = others.iter().map(|other| other.layout().shape().clone());
    buffers.map(|buffer| {
        let length = buffer.len();
        tensor(buffer, shapes.next().unwrap_or_else(|| Shape::new([length])))
    })
}

/// A tensor of f32 in the first `length` bytes of an allocation, all of them initialised.
pub(super) fn from_controller(controller: Box<dyn AllocationController>, length: usize, shape: Shape) -> FlexTensor {
    // SAFETY: both controllers of this folder have `length` bytes, initialised: they hold a `Buffer`.
    let bytes = unsafe { Bytes::from_controller(controller, length) };
    FlexTensor::new(bytes, Layout::contiguous(shape), DType::F32)
}

/// The same tensor with its numbers one after the other; copied only when they are not.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.layout().contiguous_offsets().is_some() { tensor } else { tensor.to_contiguous() }
}

/// The tensor behind a burn tensor without autodiff on `flex`, its numbers one after the other.
pub(super) fn primitive<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    match tensor.try_into_primitive::<Flex>() {
        Ok(tensor) => contiguous(tensor),
        Err(error) => unreachable!("the callers ask `runs_on` first: {error:?}"),
    }
}

/// The numbers of a [`contiguous`] tensor of f32.
pub(super) fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.layout().contiguous_offsets().map_or(&[], |(start, end)| &tensor.storage::<f32>()[start..end])
}
