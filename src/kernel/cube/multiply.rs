//! A product by a certain one of cubek's kernels.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems, MatmulSetupError};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::strategy::Strategy;
use cubek::std::InputBinding;

use super::tensor::{element_type, empty, precision_of};
use crate::kernel::Precision;

/// What kernels name the types of the operands of a b.
pub(super) fn elements(a: &CubeTensor) -> MatmulElems {
    let (operand, out) = (element_type(precision_of(a)), element_type(Precision::F32));
    MatmulElems::from_globals(&MatmulGlobalElems { lhs: operand, rhs: operand, out })
}

/// a b in f32 by the kernel `by`.
///
/// # Errors
/// When it cannot multiply these there.
pub(super) fn multiply_by(by: &Strategy, a: &CubeTensor, b: &CubeTensor) -> Result<CubeTensor, Box<MatmulSetupError>> {
    let out = empty(a, [a.shape()[0], b.shape()[1]]);
    let mut elements = elements(a);
    let [left, right] = [(a, elements.lhs_global), (b, elements.rhs_global)]
        .map(|(tensor, numbers)| InputBinding::new(tensor.clone().binding(), numbers));
    launch_ref(by, &out.client, left, right, out.clone().binding(), &mut elements)?;
    Ok(out)
}
