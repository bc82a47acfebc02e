//! The rates against which steps are measured: of a matrix product alone, and of multiply-adds alone.

use std::time::{Duration, Instant};

use half::bf16;

use super::gemm::{Cells, Matrix, Operand, Sum, gemm, kernel_name, multiply_adds};
use crate::kernel::Precision;

/// What is measured.
struct Measurement {
    /// Rows, depth and columns of the product.
    shape: [usize; 3],
    /// Turns of multiply-adds on registers alone.
    turns: usize,
    /// How often, at most; the fastest counts.
    repetitions: usize,
}

/// The product is BERT-base's widest, on a batch of 16 × 128 tokens; the turns take a few milliseconds, with AMX 16
/// times as many.
const LARGE: Measurement = Measurement { shape: LARGE_PRODUCT, turns: 1 << 19, repetitions: REPETITIONS };
/// Rows, depth and columns of the product.
pub const LARGE_PRODUCT: [usize; 3] = [2048, 768, 3072];
/// How often a rate is measured, at most.
pub const REPETITIONS: usize = 12;
/// Nothing is repeated after so long.
pub const LONGEST: Duration = Duration::from_secs(2);

/// What the matrix products of this process reach, on all threads.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixPeak {
    /// The instructions of the micro-kernel, and the rows and columns that it multiplies at once.
    pub kernel: String,
    /// The rate of its multiply-adds on registers alone, in GFLOP/s: what the clock and the processor's units allow; not known
    /// of a GPU.
    pub clock: Option<f64>,
    /// The highest rate of a large product, in GFLOP/s.
    pub product: f64,
}

/// Measures it.
#[must_use]
pub fn matrix_peak(precision: Precision) -> MatrixPeak {
    match precision {
        Precision::F32 | Precision::F16 => peak::<f32>(&LARGE),
        Precision::Bf16 => peak::<bf16>(&LARGE),
    }
}

fn peak<E: Operand>(measurement: &Measurement) -> MatrixPeak {
    let &Measurement { shape, turns, repetitions } = measurement;
    let (mut product, mut clock, mut best) = (product::<E>(shape), 0.0, 0.0);
    let start = Instant::now();
    // In turns: what else the machine does, and how fast it clocks, changes meanwhile.
    for _ in 0..repetitions {
        clock = f64::max(clock, rate(|| rayon::broadcast(|_| multiply_adds::<E>(turns)).into_iter().sum()));
        best = f64::max(best, rate(&mut product));
        if start.elapsed() > LONGEST {
            break;
        }
    }
    MatrixPeak { kernel: kernel_name::<E>().to_owned(), clock: Some(clock), product: best }
}

/// A large product, and how many multiply-adds it is.
fn product<E: Operand>([rows, depth, columns]: [usize; 3]) -> impl FnMut() -> usize {
    let numbers = |count: usize| -> Vec<E> { (0..count).map(|at| E::from_f32((at % 17) as f32 * 0.01)).collect() };
    let (a, b) = (numbers(rows * depth), numbers(depth * columns));
    let mut c = vec![0.0; rows * columns];
    move || {
        let to = Sum { to: Cells::new(&mut c), stride: columns, add: false };
        gemm(Matrix::new(&a, rows, depth), Matrix::new(&b, depth, columns), &to);
        rows * depth * columns
    }
}

/// GFLOP/s of `work`, which says how many multiply-adds it did.
fn rate(work: impl FnOnce() -> usize) -> f64 {
    let start = Instant::now();
    let multiply_adds = work();
    2.0 * multiply_adds as f64 / start.elapsed().as_secs_f64() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::cpu::isa::Isa;
    use crate::kernel::cpu::isa::forced::with_every_isa;

    const SMALL: Measurement = Measurement { shape: [30, 20, 70], turns: 100, repetitions: 2 };

    /// How large they are depends on what else the machine does.
    #[test]
    fn every_instruction_set_has_a_kernel_with_a_name_and_rates() {
        with_every_isa(|isa| {
            let MatrixPeak { kernel, clock, product } = peak::<f32>(&SMALL);
            let name = match isa {
                Isa::Portable => "portable",
                Isa::Avx2 => "AVX2",
                Isa::Avx512 => "AVX-512",
            };
            let clock = clock.unwrap();
            assert!(kernel.starts_with(name), "{kernel}");
            assert!(clock > 0.0 && product > 0.0 && clock.is_finite(), "{kernel}: {clock} {product}");
        });
    }
}
