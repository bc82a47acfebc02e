//! GELU(z + b), and back, on whole matrices; what comes out is an operand of products.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::sums::{BLOCK_ROWS, Partials};
use super::tensor::{ELEMENTS, element_type, elementwise, empty_operand, length};
use crate::kernel::Precision;

/// GELU(z + b) in its exact form, x Φ(x), for products in `precision`. `[rows, columns]`, `[columns]` → `[rows, columns]`.
pub(super) fn gelu(z: &CubeTensor, bias: &CubeTensor, precision: Precision) -> CubeTensor {
    let y = empty_operand(z, z.meta.shape().clone(), precision);
    let (count, dim) = elementwise(length(z));
    let args = [z, bias, &y].map(|tensor| tensor.clone().into_buffer_arg());
    let [z_arg, bias_arg, y_arg] = args;
    gelu_elements::launch(
        &z.client,
        count,
        dim,
        z_arg,
        bias_arg,
        y_arg,
        length(z) as u32,
        length(bias),
        element_type(precision),
    );
    y
}

/// The gradient of z from that of GELU(z + b), and GELU(z + b) once more, for products in `precision`; the gradient of b
/// into vector number `vector` of `partials`.
pub(super) fn gelu_backward(
    arriving: &CubeTensor,
    z: &CubeTensor,
    bias: &CubeTensor,
    partials: &Partials,
    vector: usize,
    precision: Precision,
) -> [CubeTensor; 2] {
    let columns = length(bias);
    let rows = length(z) / columns;
    let results = [(); 2].map(|()| empty_operand(z, z.meta.shape().clone(), precision));
    let count = CubeCount::Static(columns.div_ceil(ELEMENTS) as u32, partials.blocks() as u32, 1);
    let (stride, first) = (partials.columns(), partials.first(vector));
    let [d_arg, z_arg, bias_arg] = [arriving, z, bias].map(|tensor| tensor.clone().into_buffer_arg());
    let [dz_arg, y_arg] = results.each_ref().map(|tensor| tensor.clone().into_buffer_arg());
    gelu_back::launch(
        &z.client,
        count,
        CubeDim::new_1d(ELEMENTS as u32),
        d_arg,
        z_arg,
        bias_arg,
        dz_arg,
        y_arg,
        partials.arg(),
        rows as u32,
        columns,
        stride,
        first,
        element_type(precision),
    );
    results
}

/// Φ(x), the normal distribution's.
#[cube]
fn normal_distribution(x: f32) -> f32 {
    0.5f32 * (1.0f32 + Erf::erf(x * comptime!(std::f32::consts::FRAC_1_SQRT_2)))
}

#[cube(launch)]
fn gelu_elements<E: Float>(
    z: &[f32],
    bias: &[f32],
    y: &mut [E],
    count: u32,
    #[comptime] columns: usize,
    #[define(E)] _elements: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let x = z[at] + bias[at % columns];
        y[at] = E::cast_from(x * normal_distribution(x));
    }
}

#[cube(launch)]
fn gelu_back<E: Float>(
    arriving: &[f32],
    z: &[f32],
    bias: &[f32],
    of_z: &mut [E],
    y: &mut [E],
    sums: &mut [f32],
    rows: u32,
    #[comptime] columns: usize,
    #[comptime] stride: usize,
    #[comptime] first: usize,
    #[define(E)] _elements: ElemType,
) {
    let column = CUBE_POS_X as usize * ELEMENTS + UNIT_POS as usize;
    let block = CUBE_POS_Y as usize;
    if column < columns {
        let bias = bias[column];
        let mut total = 0.0f32;
        let begin = block * BLOCK_ROWS;
        let end = min(begin + BLOCK_ROWS, rows as usize);
        for row in begin..end {
            let at = row * columns + column;
            let x = z[at] + bias;
            let below = normal_distribution(x);
            // 1/√(2π)
            let density = (x * x * -0.5f32).exp() * 0.398_942_3f32;
            let gradient = arriving[at] * (below + x * density);
            y[at] = E::cast_from(x * below);
            of_z[at] = E::cast_from(gradient);
            total += gradient;
        }
        sums[block * stride + first + column] = total;
    }
}
