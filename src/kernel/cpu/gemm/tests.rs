//! Products against sums in f64.

use half::bf16;

use super::portable::Portable;
use super::*;
use crate::kernel::cpu::bf16_support::Bf16Support;
use crate::kernel::cpu::isa::Isa;
use crate::kernel::cpu::isa::forced::{pool, with_every_isa};

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut draws = crate::random::Stream::new(seed, "product").at(0);
    (0..count).map(|_| draws.normal() as f32).collect()
}

/// C in f64, from elements that `at` reads.
fn expected(
    m: usize,
    n: usize,
    k: usize,
    a: impl Fn(usize, usize) -> f32,
    b: impl Fn(usize, usize) -> f32,
) -> Vec<f64> {
    let cell = |i, j| (0..k).map(|p| f64::from(a(i, p)) * f64::from(b(p, j))).sum();
    (0..m * n).map(|at| cell(at / n, at % n)).collect()
}

fn close(got: &[f32], expected: &[f64], tolerance: f64) {
    let norm = |xs: &mut dyn Iterator<Item = f64>| xs.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut got.iter().zip(expected).map(|(&x, &y)| f64::from(x) - y));
    let size = norm(&mut expected.iter().copied());
    assert!(difference <= tolerance * size, "{difference} of {size}");
}

/// m, n, k: smaller and larger than tiles, panels and steps; parts of a tile of every height; the depth in several
/// chunks, and cut in two.
const SHAPES: [(usize, usize, usize); 19] = [
    (1, 1, 1),
    (5, 16, 3),
    (6, 64, 32),
    (7, 65, 33),
    (13, 31, 24),
    (15, 17, 96),
    (16, 33, 31),
    (17, 48, 64),
    (28, 28, 32),
    (31, 15, 65),
    (32, 32, 128),
    (33, 100, 70),
    (40, 130, 64),
    (100, 48, 257),
    (130, 97, 1030),
    (97, 160, 511),
    (4, 300, 2048),
    (3, 5, 5000),
    (3, 5, 0),
];

/// Makes one product with a certain micro-kernel.
type Run<E> = dyn Fn(Case<'_, E>) + Sync;

/// Runs `work` with every micro-kernel for f32 that this processor has.
fn with_every_f32(work: &impl Fn(&str, &Run<f32>)) {
    work("portable", &|case| case.run(Portable::<f32, false>::new()));
    with_every_fused_f32(work);
}

/// Those that round once where they multiply and add.
fn with_every_fused_f32(work: &impl Fn(&str, &Run<f32>)) {
    work("portable, fused", &|case| case.run(Portable::<f32, true>::new()));
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        if Isa::detect() >= Isa::Avx2 {
            work("avx2", &|case| case.run(avx2::Avx2));
        }
        if Isa::detect() >= Isa::Avx512 {
            work("avx512", &|case| case.run(avx512::Avx512));
        }
    }
}

/// Runs `work` with every micro-kernel for bf16 that this processor has.
fn with_every_bf16(work: &impl Fn(&str, &Run<bf16>)) {
    work("portable", &|case| case.run(Portable::<bf16, false>::new()));
    work("portable, fused", &|case| case.run(Portable::<bf16, true>::new()));
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        if Bf16Support::detect() >= Bf16Support::Avx512 {
            work("avx512-bf16", &|case| case.run(avx512_bf16::Avx512Bf16));
        }
        if Bf16Support::detect() >= Bf16Support::Amx {
            work("amx", &|case| case.run(amx::Amx));
        }
    }
}

/// One product, with all threads or on this one.
struct Case<'a, E> {
    a: Matrix<'a, E>,
    b: Matrix<'a, E>,
    to: Sum<'a>,
    here: bool,
}

impl<E: Operand> Case<'_, E> {
    fn run<M: Micro<Element = E>>(self, micro: M) {
        let Self { a, b, to, here } = self;
        if here {
            Here { a, b, output: &to }.with(micro);
        } else {
            Everywhere { a, b, output: &to }.with(micro);
        }
    }
}

/// Every shape and orientation with the micro-kernel that `run` uses. The operands end with their slices, which end
/// with their allocations.
fn every_orientation<E: Operand>(name: &str, tolerance: f64, run: &Run<E>) {
    for (m, n, k) in SHAPES {
        let round = |xs: Vec<f32>| -> Vec<E> { xs.into_iter().map(E::from_f32).collect() };
        let (a, b) = (round(numbers(m * k, 1)), round(numbers(k * n, 2)));
        for (a_transposed, b_transposed) in [(false, false), (true, false), (false, true), (true, true)] {
            let left = if a_transposed { Matrix::new(&a, k, m).transpose() } else { Matrix::new(&a, m, k) };
            let right = if b_transposed { Matrix::new(&b, n, k).transpose() } else { Matrix::new(&b, k, n) };
            let at = |i: usize, p: usize| a[if a_transposed { p * m + i } else { i * k + p }].to_f32();
            let bt = |p: usize, j: usize| b[if b_transposed { j * k + p } else { p * n + j }].to_f32();
            let expected = expected(m, n, k, at, bt);
            let mut c = vec![f32::NAN; m * n];
            run(Case { a: left, b: right, to: Sum { to: Cells::new(&mut c), stride: n, add: false }, here: false });
            close(&c, &expected, tolerance);
            let once = c.clone();
            run(Case { a: left, b: right, to: Sum { to: Cells::new(&mut c), stride: n, add: true }, here: true });
            let twice = |(twice, once): (&f32, &f32)| twice.to_bits() == (once + once).to_bits() || k > DEPTH;
            assert!(c.iter().zip(&once).all(twice), "{name}: {m} × {n} × {k}");
        }
    }
}

#[test]
fn f32_products_equal_those_in_f64() {
    with_every_f32(&|name, run| every_orientation(name, 3e-6, run));
}

#[test]
fn bf16_products_of_rounded_operands_equal_those_in_f64() {
    with_every_bf16(&|name, run| every_orientation(name, 3e-6, run));
}

/// AVX512-BF16 and AMX take operands below 2⁻¹²⁶ for 0; nothing else is lost, and NaN and infinity go through.
#[test]
fn special_values_go_through_bf16_products() {
    let (m, n, k) = (3, 4, 7);
    with_every_bf16(&|name, run| {
        let mut a = vec![bf16::from_f32(1.0); m * k];
        (a[0], a[k], a[2 * k]) = (bf16::INFINITY, bf16::NAN, bf16::from_bits(1));
        let b = vec![bf16::from_f32(1.0); k * n];
        let mut c = vec![0.0; m * n];
        let to = Sum { to: Cells::new(&mut c), stride: n, add: false };
        run(Case { a: Matrix::new(&a, m, k), b: Matrix::new(&b, k, n), to, here: true });
        assert!(c[..n].iter().all(|x| *x == f32::INFINITY), "{name}: {c:?}");
        assert!(c[n..2 * n].iter().all(|x| x.is_nan()), "{name}: {c:?}");
        assert!(c[2 * n..].iter().all(|x| (x - 6.0).abs() < 1e-6), "{name}: {c:?}");
    });
}

/// Products of A as it is and transposed.
fn same_on_any_threads<E: Operand>(name: &str, run: &Run<E>) {
    let (m, n, k) = (301, 200, 700);
    let rounded = |count, seed| numbers(count, seed).into_iter().map(E::from_f32).collect::<Vec<E>>();
    let (a, b) = (rounded(m * k, 6), rounded(n * k, 7));
    for left in [Matrix::new(&a, m, k), Matrix::new(&a, k, m).transpose()] {
        let with = |threads| {
            let mut c = vec![0.0; m * n];
            let to = Sum { to: Cells::new(&mut c), stride: n, add: false };
            pool(threads).install(|| run(Case { a: left, b: Matrix::new(&b, k, n), to, here: false }));
            c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let one = with(1);
        assert!([2, 3, 5].into_iter().all(|threads| with(threads) == one), "{name}");
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    with_every_f32(&same_on_any_threads);
    with_every_bf16(&same_on_any_threads);
}

#[test]
fn f32_weights_are_rounded_for_bf16_products() {
    with_every_isa(|_| {
        let (m, n, k) = (9, 70, 40);
        let a: Vec<half::bf16> = numbers(m * k, 3).into_iter().map(Element::from_f32).collect();
        let b = numbers(k * n, 4);
        let bias = numbers(n, 5);
        let mut c = vec![half::bf16::default(); m * n];
        gemm(
            Matrix::new(&a, m, k),
            Matrix::new(&b, k, n),
            &Store { to: Cells::new(&mut c), stride: n, bias: Some(&bias) },
        );
        let rounded = |p: usize, j: usize| half::bf16::from_f32(b[p * n + j]).to_f32();
        let mut exact = expected(m, n, k, |i, p| a[i * k + p].to_f32(), rounded);
        exact.iter_mut().enumerate().for_each(|(at, x)| *x += f64::from(bias[at % n]));
        let c: Vec<f32> = c.into_iter().map(Element::to_f32).collect();
        close(&c, &exact, 3e-3);
    });
}

/// All sum in the order of the depth.
#[test]
fn the_bits_of_f32_products_do_not_depend_on_the_instructions() {
    for (m, n, k) in SHAPES {
        let (a, b) = (numbers(m * k, 8), numbers(n * k, 9));
        let first = std::cell::OnceCell::new();
        with_every_fused_f32(&|name, run| {
            let mut c = vec![f32::NAN; m * n];
            let to = Sum { to: Cells::new(&mut c), stride: n, add: false };
            run(Case { a: Matrix::new(&a, m, k), b: Matrix::new(&b, k, n), to, here: false });
            let bits: Vec<u32> = c.into_iter().map(f32::to_bits).collect();
            assert!(*first.get_or_init(|| bits.clone()) == bits, "{name}: {m} × {n} × {k}");
        });
    }
}

#[test]
fn views_into_wider_rows_are_read_and_written_in_place() {
    with_every_isa(|_| {
        let (m, n, k, stride) = (10, 24, 12, 50);
        let (a, b) = (numbers(m * stride, 8), numbers(n * stride, 9));
        let mut c = vec![7.0; m * stride];
        let left = Matrix::strided(&a[3..], m, k, stride);
        let right = Matrix::strided(&b[5..], n, k, stride).transpose();
        gemm_on_this_thread(left, right, &Store { to: Cells::new(&mut c), stride, bias: None });
        let exact = expected(m, n, k, |i, p| a[3 + i * stride + p], |p, j| b[5 + j * stride + p]);
        let got: Vec<f32> = (0..m * n).map(|at| c[at / n * stride + at % n]).collect();
        close(&got, &exact, 1e-6);
        assert!((0..m).all(|i| c[i * stride + n..(i + 1) * stride].iter().all(|&x| x.to_bits() == 7.0f32.to_bits())));
    });
}
