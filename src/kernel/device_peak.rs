//! The rate of a matrix product alone on any device of burn's.

use std::time::Instant;

use burn::tensor::{Device, FloatDType, Tensor};

use super::cpu::{LARGE_PRODUCT, LONGEST, MatrixPeak, REPETITIONS, matrix_peak};
use super::{Precision, describe_gpu};

/// A product for devices that would take minutes for the large one.
const SMALL_PRODUCT: [usize; 3] = [256, 256, 256];
/// Such devices reach less than this, in GFLOP/s.
const SLOW: f64 = 20.0;

/// The rate of a large product on `device`, in GFLOP/s, and what multiplies there.
#[must_use]
pub fn matrix_peak_of(device: &Device, precision: Precision) -> MatrixPeak {
    let Some(gpu) = describe_gpu(device) else { return matrix_peak(precision) };
    let small = best_rate(SMALL_PRODUCT, device, precision);
    let product = if small < SLOW { small } else { best_rate(LARGE_PRODUCT, device, precision) };
    MatrixPeak { kernel: gpu.backend, clock: None, product }
}

/// In GFLOP/s, of products of this shape.
fn best_rate([rows, depth, columns]: [usize; 3], device: &Device, precision: Precision) -> f64 {
    let of = |shape: [usize; 2]| {
        let ones = Tensor::<2>::ones(shape, device);
        match precision {
            Precision::F32 => ones,
            Precision::Bf16 => ones.cast(FloatDType::BF16),
            Precision::F16 => ones.cast(FloatDType::F16),
        }
    };
    let (a, b) = (of([rows, depth]), of([depth, columns]));
    let flop = 2.0 * (rows * depth * columns) as f64;
    // Reading one number waits for the product.
    let product = || a.clone().matmul(b.clone()).slice([0..1, 0..1]).into_data().iter::<f32>().sum::<f32>();
    // Compiles it.
    product();
    let (start, mut best) = (Instant::now(), 0.0);
    for _ in 0..REPETITIONS {
        let begin = Instant::now();
        product();
        best = f64::max(best, flop / begin.elapsed().as_secs_f64() / 1e9);
        if start.elapsed() > LONGEST {
            break;
        }
    }
    best
}
