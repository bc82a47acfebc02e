//! The rates against which steps are measured: of a matrix product alone, and of multiply-adds alone.

use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};
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
const LARGE: Measurement = Measurement { shape: [2048, 768, 3072], turns: 1 << 19, repetitions: 12 };
/// Nothing is repeated after so long.
const LONGEST: Duration = Duration::from_secs(2);

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
        Precision::F32 => peak::<f32>(&LARGE),
        Precision::Bf16 => peak::<bf16>(&LARGE),
    }
}

/// A product for devices that would take minutes for the large one.
const SMALL_PRODUCT: [usize; 3] = [256, 256, 256];
/// Such devices reach less than this, in GFLOP/s.
const SLOW: f64 = 20.0;

/// Measures burn's products of f32 on a device that is reached through `backend`.
#[must_use]
pub fn matrix_peak_of(backend: String, device: &Device) -> MatrixPeak {
    let small = best_rate(SMALL_PRODUCT, device);
    let product = if small < SLOW { small } else { best_rate(LARGE.shape, device) };
    MatrixPeak { kernel: backend, clock: None, product }
}

/// In GFLOP/s, of products of this shape.
fn best_rate([rows, depth, columns]: [usize; 3], device: &Device) -> f64 {
    let (a, b) = (Tensor::<2>::ones([rows, depth], device), Tensor::<2>::ones([depth, columns], device));
    let flop = 2.0 * (rows * depth * columns) as f64;
    // Reading one number waits for the product.
    let product = || a.clone().matmul(b.clone()).slice([0..1, 0..1]).into_data().iter::<f32>().sum::<f32>();
    // Compiles it.
    product();
    let (start, mut best) = (Instant::now(), 0.0);
    for _ in 0..LARGE.repetitions {
        let begin = Instant::now();
        product();
        best = f64::max(best, flop / begin.elapsed().as_secs_f64() / 1e9);
        if start.elapsed() > LONGEST {
            break;
        }
    }
    best
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
