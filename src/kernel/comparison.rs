//! For tests that hold a fused operation against the composed one.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::{LayerWeights, Packing};
use crate::random::Stream;

/// A tensor of normal numbers, which asks for its gradient where it can have one.
pub(super) fn leaf<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    scaled_leaf(shape, seed, 1.0, device)
}

/// As [`leaf`], the numbers times `scale`.
pub(super) fn scaled_leaf<const D: usize>(shape: [usize; D], seed: u64, scale: f32, device: &Device) -> Tensor<D> {
    let mut draws = Stream::new(seed, "comparison").at(0);
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| draws.normal() as f32 * scale).collect();
    let tensor = Tensor::from_data(TensorData::new(numbers, shape), device);
    if device.is_autodiff() { tensor.require_grad() } else { tensor }
}

/// A tensor's numbers, row by row.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// Random rows of a table with `bound` of them.
pub(super) fn random_rows(count: usize, bound: usize) -> Arc<[u32]> {
    let mut draws = Stream::new(bound as u64, "comparison rows").at(0);
    (0..count).map(|_| draws.below(bound) as u32).collect()
}

/// Each tensor's difference is at most `relative` of its norm.
pub(super) fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>], relative: f64) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "tensor {index}");
        let square = |x: f64| x * x;
        let difference: f64 = found.iter().zip(expected).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
        let norm: f64 = expected.iter().map(|&b| square(f64::from(b))).sum();
        let error = (difference / norm).sqrt();
        assert!(norm > 0.0 && error <= relative, "tensor {index}: {error:e} of the norm {norm:e}");
    }
}

/// The weights of a layer, of a width and that between its products.
pub(super) fn layer_weights([hidden, wide]: [usize; 2], device: &Device) -> LayerWeights {
    let matrix = |rows, columns, seed| scaled_leaf([rows, columns], seed, 0.2, device);
    LayerWeights {
        qkv_weight: matrix(hidden, 3 * hidden, 1),
        qkv_bias: leaf([3 * hidden], 2, device),
        attention_weight: matrix(hidden, hidden, 3),
        attention_bias: leaf([hidden], 4, device),
        attention_gamma: leaf([hidden], 5, device),
        attention_beta: leaf([hidden], 6, device),
        intermediate_weight: matrix(hidden, wide, 7),
        intermediate_bias: leaf([wide], 8, device),
        output_weight: matrix(wide, hidden, 9),
        output_bias: leaf([hidden], 10, device),
        output_gamma: leaf([hidden], 11, device),
        output_beta: leaf([hidden], 12, device),
    }
}

/// The output of a layer, and the gradients of its thirteen inputs.
pub(super) fn run_layer(
    layer: impl Fn(Tensor<2>, LayerWeights, &Packing) -> Tensor<2>,
    [hidden, wide]: [usize; 2],
    offsets: &[u32],
    device: &Device,
) -> Vec<Vec<f32>> {
    let (device, tokens) = (device.clone().autodiff(), *offsets.last().unwrap() as usize);
    let w = layer_weights([hidden, wide], &device);
    // Transposed twice: its numbers are not one after the other in memory.
    let x: Tensor<2> = leaf([hidden, tokens], 13, &device);
    let y = layer(x.clone().transpose(), w.clone(), &Packing::new(offsets, &device));
    let mut gradients = (y.clone() * leaf(y.dims(), 14, &device)).sum().backward();
    let matrices = [x, w.qkv_weight, w.attention_weight, w.intermediate_weight, w.output_weight];
    let biases = [w.qkv_bias, w.attention_bias, w.intermediate_bias, w.output_bias];
    let norms = [w.attention_gamma, w.attention_beta, w.output_gamma, w.output_beta];
    let mut found = vec![numbers(y)];
    found.extend(matrices.map(|matrix| numbers(matrix.grad_remove(&mut gradients).unwrap())));
    found.extend(biases.into_iter().chain(norms).map(|vector| numbers(vector.grad_remove(&mut gradients).unwrap())));
    found
}
