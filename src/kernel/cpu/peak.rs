//! The rate of the matrix products alone, against which steps are measured.

use std::time::Instant;

use half::bf16;

use super::gemm::{Cells, Matrix, Operand, Sum, gemm};
use crate::kernel::Precision;

/// Rows, depth and columns of the measured product: those of BERT-base's widest, on a batch of 16 × 128 tokens.
const SHAPE: [usize; 3] = [2048, 768, 3072];
/// Products, the fastest of which counts.
const REPETITIONS: usize = 12;

/// The highest rate of a large matrix product on all threads, in GFLOP/s.
#[must_use]
pub fn matrix_peak(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => peak::<f32>(),
        Precision::Bf16 => peak::<bf16>(),
    }
}

fn peak<E: Operand>() -> f64 {
    let [rows, depth, columns] = SHAPE;
    let numbers = |count: usize| -> Vec<E> { (0..count).map(|at| E::from_f32((at % 17) as f32 * 0.01)).collect() };
    let (a, b) = (numbers(rows * depth), numbers(depth * columns));
    let mut c = vec![0.0; rows * columns];
    let once = |_| {
        let start = Instant::now();
        let to = Sum { to: Cells::new(&mut c), stride: columns, add: false };
        gemm(Matrix::new(&a, rows, depth), Matrix::new(&b, depth, columns), &to);
        start.elapsed().as_secs_f64()
    };
    let seconds = (0..REPETITIONS).map(once).fold(f64::INFINITY, f64::min);
    2.0 * (rows * depth * columns) as f64 / seconds / 1e9
}
