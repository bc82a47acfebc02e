//! Products against sums in f64.

use super::*;

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

/// m, n, k: smaller and larger than tiles, panels and steps, and the depth cut in two.
const SHAPES: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (5, 16, 3),
    (6, 64, 32),
    (7, 65, 33),
    (13, 31, 24),
    (33, 100, 70),
    (40, 130, 64),
    (100, 48, 257),
    (3, 5, 5000),
];

fn every_orientation<E: Operand>(tolerance: f64) {
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
            product(left, right, &Sum { to: Cells::new(&mut c), stride: n, add: false });
            close(&c, &expected, tolerance);
            let once = c.clone();
            product_here(left, right, &Sum { to: Cells::new(&mut c), stride: n, add: true });
            assert!(c.iter().zip(&once).all(|(twice, once)| twice.to_bits() == (once + once).to_bits() || k > 4096));
        }
    }
}

#[test]
fn f32_products_equal_those_in_f64() {
    every_orientation::<f32>(3e-6);
}

#[test]
fn bf16_products_of_rounded_operands_equal_those_in_f64() {
    every_orientation::<half::bf16>(3e-6);
}

#[test]
fn f32_weights_are_rounded_for_bf16_products() {
    let (m, n, k) = (9, 70, 40);
    let a: Vec<half::bf16> = numbers(m * k, 3).into_iter().map(Element::from_f32).collect();
    let b = numbers(k * n, 4);
    let bias = numbers(n, 5);
    let mut c = vec![half::bf16::default(); m * n];
    product(
        Matrix::new(&a, m, k),
        Matrix::new(&b, k, n),
        &Store { to: Cells::new(&mut c), stride: n, bias: Some(&bias) },
    );
    let rounded = |p: usize, j: usize| half::bf16::from_f32(b[p * n + j]).to_f32();
    let mut exact = expected(m, n, k, |i, p| a[i * k + p].to_f32(), rounded);
    exact.iter_mut().enumerate().for_each(|(at, x)| *x += f64::from(bias[at % n]));
    let c: Vec<f32> = c.into_iter().map(Element::to_f32).collect();
    close(&c, &exact, 3e-3);
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let (m, n, k) = (301, 200, 90);
    let (a, b) = (numbers(m * k, 6), numbers(k * n, 7));
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut c = vec![0.0; m * n];
        let to = Sum { to: Cells::new(&mut c), stride: n, add: false };
        pool.install(|| product(Matrix::new(&a, m, k), Matrix::new(&b, k, n), &to));
        c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = with(1);
    assert!([2, 3, 5].into_iter().all(|threads| with(threads) == one));
}

#[test]
fn views_into_wider_rows_are_read_and_written_in_place() {
    let (m, n, k, stride) = (10, 24, 12, 50);
    let (a, b) = (numbers(m * stride, 8), numbers(n * stride, 9));
    let mut c = vec![7.0; m * stride];
    let left = Matrix::strided(&a[3..], m, k, stride);
    let right = Matrix::strided(&b[5..], n, k, stride).transpose();
    product_here(left, right, &Store { to: Cells::new(&mut c), stride, bias: None });
    let exact = expected(m, n, k, |i, p| a[3 + i * stride + p], |p, j| b[5 + j * stride + p]);
    let got: Vec<f32> = (0..m * n).map(|at| c[at / n * stride + at % n]).collect();
    close(&got, &exact, 1e-6);
    assert!((0..m).all(|i| c[i * stride + n..(i + 1) * stride].iter().all(|&x| x.to_bits() == 7.0f32.to_bits())));
}
