//! For tests that hold a fused operation against the composed one.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

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
