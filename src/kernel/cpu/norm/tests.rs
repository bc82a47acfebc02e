//! Layer norm against f64, its gradient against finite differences.

use half::bf16;

use super::*;
use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
use crate::kernel::cpu::mask::Mask;
use crate::kernel::layer_form::LAYER_NORM_EPSILON;
use crate::random::Stream;

fn numbers(count: usize, name: &str) -> Vec<f32> {
    let mut draws = Stream::new(1, name).at(0);
    (0..count).map(|_| draws.normal() as f32).collect()
}

struct Case {
    tokens: usize,
    width: usize,
    x: Vec<f32>,
    residual: Vec<f32>,
    bias: Vec<f32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    dropout: Option<Site>,
}

impl Case {
    fn new(tokens: usize, width: usize, p: f64) -> Self {
        let dropout = Mask::new(p, Stream::new(2, "dropout"), 3).map(|mask| mask.site(4, width));
        let (x, residual) = (numbers(tokens * width, "x"), numbers(tokens * width, "residual"));
        let (bias, gamma, beta) = (numbers(width, "bias"), numbers(width, "gamma"), numbers(width, "beta"));
        Self { tokens, width, x, residual, bias, gamma, beta, dropout }
    }

    fn norm(&self) -> ResidualNorm<'_> {
        let epsilon = LAYER_NORM_EPSILON as f32;
        ResidualNorm {
            bias: &self.bias,
            gamma: &self.gamma,
            beta: &self.beta,
            epsilon,
            dropout: self.dropout,
            rows: BatchRows::All(self.tokens),
        }
    }

    /// x, the residual, and the parameters.
    fn inputs(&self) -> [Vec<f64>; 5] {
        [&self.x, &self.residual, &self.bias, &self.gamma, &self.beta].map(|numbers| wide(numbers))
    }

    /// The result in f64.
    fn expected(&self, [x, residual, bias, gamma, beta]: &[Vec<f64>; 5]) -> Vec<f64> {
        let mut y = Vec::new();
        for row in 0..self.tokens {
            let mut draws = vec![0; Site::stride(self.width)];
            if let Some(site) = self.dropout {
                site.draws(row, self.width, &mut draws);
            }
            let factor = |i: usize| self.dropout.map_or(1.0, |site| f64::from(site.factor(draws[i])));
            let at = |i: usize| row * self.width + i;
            let z: Vec<f64> = (0..self.width).map(|i| (x[at(i)] + bias[i]) * factor(i) + residual[at(i)]).collect();
            let mean = z.iter().sum::<f64>() / self.width as f64;
            let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / self.width as f64;
            y.extend(
                (0..self.width).map(|i| (z[i] - mean) / (variance + LAYER_NORM_EPSILON).sqrt() * gamma[i] + beta[i]),
            );
        }
        y
    }

    fn run(&self) -> Forward {
        let mut normed = self.x.clone();
        let (mut y, mut copy, mut rstd) =
            (vec![0.0; normed.len()], vec![bf16::default(); normed.len()], vec![0.0; self.tokens]);
        self.norm().forward(&mut normed, &self.residual, &mut y, Some(&mut copy), &mut rstd);
        Forward { normed, y, copy, rstd }
    }

    fn run_back<E: Element>(&self, forward: &Forward, dy: &[f32], wanted: bool) -> Backward {
        let mut dz = dy.to_vec();
        let mut dx = vec![E::default(); dy.len()];
        let mut sums = [(); 3].map(|()| vec![f32::NAN; self.width]);
        let [bias, gamma, beta] = &mut sums;
        let gradients = ResidualNormGradients { bias, gamma, beta };
        self.norm().backward(&mut dz, &forward.normed, &forward.rstd, wanted.then_some(&mut dx[..]), gradients);
        Backward { dz, dx: dx.into_iter().map(Element::to_f32).collect(), sums }
    }
}

struct Forward {
    normed: Vec<f32>,
    y: Vec<f32>,
    copy: Vec<bf16>,
    rstd: Vec<f32>,
}

#[derive(Debug)]
struct Backward {
    dz: Vec<f32>,
    dx: Vec<f32>,
    sums: [Vec<f32>; 3],
}

fn wide(xs: &[f32]) -> Vec<f64> {
    xs.iter().map(|&x| f64::from(x)).collect()
}

/// ‖got − expected‖ over ‖expected‖.
fn error(got: &[f32], expected: &[f64]) -> f64 {
    let norm = |xs: &mut dyn Iterator<Item = f64>| xs.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut got.iter().zip(expected).map(|(&x, &y)| f64::from(x) - y)) / norm(&mut expected.iter().copied())
}

#[test]
fn residual_norm_is_that_in_f64() {
    with_every_isa(|_| {
        for (tokens, width, p) in [(1, 1, 0.0), (3, 24, 0.0), (70, 128, 0.3), (130, 99, 0.1), (5, 768, 0.1)] {
            let case = Case::new(tokens, width, p);
            let got = case.run();
            assert!(error(&got.y, &case.expected(&case.inputs())) < 1e-6, "{tokens} {width}");
            assert!(got.y.iter().zip(&got.copy).all(|(&y, &copy)| bf16::from_f32(y) == copy));
        }
    });
}

#[test]
fn a_large_common_part_of_a_row_costs_no_accuracy() {
    with_every_isa(|_| {
        let mut case = Case::new(4, 256, 0.0);
        case.residual.iter_mut().for_each(|x| *x += 1000.0);
        // z itself is known to 2⁻¹⁵ only.
        assert!(error(&case.run().y, &case.expected(&case.inputs())) < 1e-4);
    });
}

#[test]
fn gradients_are_finite_differences_in_f64() {
    with_every_isa(|_| {
        for p in [0.0, 0.4] {
            let case = Case::new(3, 37, p);
            let dy = numbers(3 * 37, "dy");
            let got = case.run_back::<f32>(&case.run(), &dy, true);
            let inputs = case.inputs();
            let loss = |inputs: &[Vec<f64>; 5]| -> f64 {
                case.expected(inputs).iter().zip(&dy).map(|(y, &dy)| y * f64::from(dy)).sum()
            };
            let [bias, gamma, beta] = &got.sums;
            for (which, got) in [&got.dx, &got.dz, bias, gamma, beta].into_iter().enumerate() {
                let differences: Vec<f64> = (0..got.len())
                    .map(|at| {
                        let moved = |by: f64| {
                            let mut inputs = inputs.clone();
                            inputs[which][at] += by;
                            loss(&inputs)
                        };
                        (moved(1e-5) - moved(-1e-5)) / 2e-5
                    })
                    .collect();
                assert!(error(got, &differences) < 2e-6, "{which}: {got:?} {differences:?}");
            }
        }
    });
}

#[test]
fn what_is_stored_does_not_change_the_sums_and_bf16_is_rounded() {
    with_every_isa(|_| {
        for p in [0.0, 0.2] {
            let case = Case::new(100, 48, p);
            let (forward, dy) = (case.run(), numbers(100 * 48, "dy"));
            let all = case.run_back::<f32>(&forward, &dy, true);
            let rounded = case.run_back::<bf16>(&forward, &dy, true);
            let sums = case.run_back::<bf16>(&forward, &dy, false);
            assert!(all.sums == rounded.sums && all.sums == sums.sums && all.dz == sums.dz);
            assert!(all.dx.iter().zip(&rounded.dx).all(|(&x, &y)| bf16::from_f32(x).to_f32().to_bits() == y.to_bits()));
        }
    });
}

#[test]
fn sums_of_some_rows_are_those_of_all_rows_of_which_the_others_are_0() {
    with_every_isa(|_| {
        let (batch, width) = (203_u32, 21);
        for step in [1, 3, 7, 64, 90] {
            let rows: Vec<u32> = (2..batch).step_by(step).collect();
            let matrix = numbers(rows.len() * width, "matrix");
            let mut all = vec![0.0; batch as usize * width];
            for (from, &row) in matrix.chunks(width).zip(&rows) {
                all[row as usize * width..][..width].copy_from_slice(from);
            }
            let [mut of_some, mut of_all] = [(); 2].map(|()| vec![f32::NAN; width]);
            column_sums_at(&matrix, BatchRows::Some { rows: &rows, batch: batch as usize }, &mut of_some);
            column_sums(&all, &mut of_all);
            assert_eq!(of_some, of_all, "every {step}th");
        }
    });
}

#[test]
fn column_sums_are_those_in_f64() {
    with_every_isa(|_| {
        for (rows, width) in [(0, 3), (1, 1), (7, 20), (200, 33)] {
            let matrix = numbers(rows * width, "matrix");
            let mut sums = vec![f32::NAN; width];
            column_sums(&matrix, &mut sums);
            for (column, &sum) in sums.iter().enumerate() {
                let expected: f64 = (0..rows).map(|row| f64::from(matrix[row * width + column])).sum();
                assert!((f64::from(sum) - expected).abs() < 1e-5, "{sum} {expected}");
            }
            let rounded: Vec<bf16> = matrix.iter().map(|&x| bf16::from_f32(x)).collect();
            let widened: Vec<f32> = rounded.iter().map(|x| x.to_f32()).collect();
            let (mut of_rounded, mut of_widened) = (sums.clone(), sums);
            column_sums(&rounded, &mut of_rounded);
            column_sums(&widened, &mut of_widened);
            assert_eq!(of_rounded, of_widened);
        }
    });
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    with_every_isa(|_| {
        let case = Case::new(301, 40, 0.1);
        let dy = numbers(301 * 40, "dy");
        let with = |threads| {
            pool(threads).install(|| {
                let forward = case.run();
                let back = case.run_back::<f32>(&forward, &dy, true);
                let parts = [forward.y, forward.rstd, back.dz, back.dx].into_iter().chain(back.sums);
                parts.flatten().map(f32::to_bits).collect::<Vec<_>>()
            })
        };
        let one = with(1);
        assert!([2, 3].into_iter().all(|threads| with(threads) == one));
    });
}
