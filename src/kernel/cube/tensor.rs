//! Tensors of a GPU: memory for results, operands, and how kernels are spread.

use burn::backend::{Cube, DType, TensorMetadata};
use burn::tensor::{Shape, Tensor};
use burn_cubecl::CubeDevice;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::ir::{ElemType, FloatKind};
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::kernel::{cast, into_contiguous};
use burn_cubecl::ops::numeric::{empty_device_contiguous_dtype, zeros_client};
use burn_cubecl::tensor::CubeTensor;

use crate::kernel::Precision;
use crate::kernel::indices::count_sent;

/// The most cubes along one axis that every device takes.
const MOST_CUBES: usize = 65_535;

/// A tensor of f32 with any numbers in it, on the device of `like`.
pub(super) fn empty(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape.into(), DType::F32)
}

/// As [`empty`], on `device`.
pub(super) fn on_device(device: &CubeDevice, shape: impl Into<Shape>) -> CubeTensor {
    empty_device_contiguous_dtype(device.client(), device.clone(), shape.into(), DType::F32)
}

/// A tensor of zeros on the device of `like`.
pub(super) fn zeros(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    zeros_client(like.client.clone(), like.device.clone(), shape.into(), DType::F32)
}

/// The same numbers one after the other; copied only when they are not.
pub(super) fn contiguous(tensor: CubeTensor) -> CubeTensor {
    into_contiguous(tensor)
}

/// Numbers in `tensor`.
pub(super) fn length(tensor: &CubeTensor) -> usize {
    tensor.shape().num_elements()
}

/// `tensor` as an operand of products in `precision`: the tensor itself in f32.
pub(super) fn operand(tensor: &CubeTensor, precision: Precision) -> CubeTensor {
    if precision == Precision::F32 { tensor.clone() } else { cast(tensor.clone(), operand_type(precision)) }
}

fn operand_type(precision: Precision) -> DType {
    match precision {
        Precision::F32 => DType::F32,
        Precision::Bf16 => DType::BF16,
        Precision::F16 => DType::F16,
    }
}

/// The precision of products that `tensor` is an operand of.
pub(super) fn precision_of(tensor: &CubeTensor) -> Precision {
    if tensor.dtype == DType::F16 {
        Precision::F16
    } else if tensor.dtype == DType::BF16 {
        Precision::Bf16
    } else {
        Precision::F32
    }
}

/// As [`empty`], of operands of products in `precision`.
pub(super) fn empty_operand(like: &CubeTensor, shape: impl Into<Shape>, precision: Precision) -> CubeTensor {
    let numbers = operand_type(precision);
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape.into(), numbers)
}

/// What kernels name the type of such operands.
pub(super) fn element_type(precision: Precision) -> ElemType {
    ElemType::Float(match precision {
        Precision::F32 => FloatKind::F32,
        Precision::Bf16 => FloatKind::BF16,
        Precision::F16 => FloatKind::F16,
    })
}

/// The tensor behind a burn tensor without autodiff on a GPU, its numbers one after the other.
pub(super) fn primitive<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    match tensor.try_into_primitive::<Cube>() {
        Ok(tensor) => contiguous(tensor),
        Err(error) => unreachable!("the callers ask `runs_on` first: {error:?}"),
    }
}

/// As [`primitive`], to be overwritten; copied only when someone else holds it.
pub(super) fn writable(tensor: Tensor<1>) -> CubeTensor {
    let tensor = primitive(tensor);
    if tensor.can_mut() { tensor } else { tensor.copy() }
}

/// At least `count` cubes. A kernel takes its place from `CUBE_POS` and leaves where that is not below the count.
pub(super) fn cubes(count: usize) -> CubeCount {
    let across = count.clamp(1, MOST_CUBES);
    CubeCount::Static(across as u32, count.div_ceil(across).max(1) as u32, 1)
}

/// Units of a cube along one axis.
pub(super) fn units(count: usize) -> CubeDim {
    CubeDim::new_1d(count as u32)
}

/// Units of a cube whose units have an element each.
pub(super) const ELEMENTS: usize = 256;

/// Cubes and units for `count` elements, one a unit.
pub(super) fn elementwise(count: usize) -> (CubeCount, CubeDim) {
    (cubes(count.div_ceil(ELEMENTS)), units(ELEMENTS))
}

/// Uploads `numbers`.
pub(super) fn upload(like: &CubeTensor, numbers: &[u32]) -> CubeTensor {
    use cubecl::prelude::CubeElement;
    count_sent(size_of_val(numbers));
    let handle = like.client.create_from_slice(u32::as_bytes(numbers));
    let shape = Shape::new([numbers.len()]);
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), shape, handle, DType::U32)
}
