//! Matrix products: burn's, or the kernel that was timed to be the fastest.

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Cube, DType};
use burn_cubecl::kernel::cast;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::tensor::CubeTensor;

use super::tensor::contiguous;
use super::tuning::{Varying, tuned};

/// a b, `[m, k] × [k, n]`, in f32, of operands of one type.
pub(super) fn product(a: &CubeTensor, b: &CubeTensor) -> CubeTensor {
    multiply(a.clone(), b.clone(), Varying::Rows)
}

/// aᵀ b, `[k, m] × [k, n]`; as [`product`].
pub(super) fn product_of_transposed(a: &CubeTensor, b: &CubeTensor) -> CubeTensor {
    multiply(Cube::float_transpose(a.clone()), b.clone(), Varying::Depth)
}

/// a bᵀ, `[m, k] × [n, k]`; as [`product`].
pub(super) fn product_with_transposed(a: &CubeTensor, b: &CubeTensor) -> CubeTensor {
    multiply(a.clone(), Cube::float_transpose(b.clone()), Varying::Rows)
}

/// a b in f32, of operands of one type.
fn multiply(a: CubeTensor, b: CubeTensor, varying: Varying) -> CubeTensor {
    if let Some(product) = tuned(&a, &b, varying) {
        return contiguous(product);
    }
    if a.dtype == DType::F32 {
        return contiguous(Cube::float_matmul(a, b));
    }
    // Sums of products of 16-bit numbers are made in f32, and stay so.
    match matmul(a.clone(), b.clone(), None, MatmulStrategy::default(), DType::F32) {
        Ok(product) => contiguous(product),
        // No kernel for this shape: the rounded numbers are multiplied in f32.
        Err(_) => contiguous(Cube::float_matmul(cast(a, DType::F32), cast(b, DType::F32))),
    }
}
