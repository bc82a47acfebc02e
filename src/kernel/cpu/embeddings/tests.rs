use super::*;
use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
use crate::kernel::cpu::mask::Mask;
use crate::random::Stream;

const TOKENS: usize = 75;
const HIDDEN: usize = 24;
const SIZES: [usize; 3] = [40, 20, 2];

struct Case {
    parameters: [Vec<f32>; 5],
    rows: [Vec<u32>; 3],
    dy: Vec<f32>,
}

impl Case {
    fn new() -> Self {
        let mut draws = Stream::new(3, "embeddings test").at(0);
        let mut normal = |n: usize| (0..n).map(|_| draws.normal() as f32).collect::<Vec<_>>();
        let parameters = [SIZES[0], SIZES[1], SIZES[2], 1, 1].map(|rows| normal(rows * HIDDEN));
        let dy = normal(TOKENS * HIDDEN);
        let rows = SIZES.map(|size| (0..TOKENS).map(|_| draws.below(size) as u32).collect());
        Self { parameters, rows, dy }
    }

    fn tables(&self) -> Tables<'_> {
        let [word, position, segment, gamma, beta] = &self.parameters;
        Tables { word, position, segment, gamma, beta }
    }

    fn rows(&self) -> Rows<'_> {
        Rows { word: &self.rows[0], position: &self.rows[1], segment: &self.rows[2] }
    }

    fn gradients(&self, mask: Option<Site>) -> [Vec<f32>; 5] {
        let mut into = self.parameters.each_ref().map(|parameter| vec![0.0; parameter.len()]);
        let [word, position, segment, gamma, beta] = &mut into;
        backward(&self.tables(), &self.rows(), mask, &self.dy, Gradients { word, position, segment, gamma, beta });
        into
    }
}

fn mask() -> Option<Site> {
    Mask::new(0.3, Stream::new(5, "dropout"), 2).map(|mask| mask.site(7, HIDDEN))
}

/// Σ y dy by the formula, in f64.
fn objective(parameters: &[Vec<f64>; 5], case: &Case, factors: &[f64]) -> f64 {
    let [word, position, segment, gamma, beta] = parameters;
    (0..TOKENS)
        .map(|token| {
            let row = |table: &[f64], rows: &[u32], column: usize| table[rows[token] as usize * HIDDEN + column];
            let x: Vec<f64> = (0..HIDDEN)
                .map(|h| row(word, &case.rows[0], h) + row(position, &case.rows[1], h) + row(segment, &case.rows[2], h))
                .collect();
            let mean = x.iter().sum::<f64>() / HIDDEN as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / HIDDEN as f64;
            let deviation = (variance + 1e-12).sqrt();
            (0..HIDDEN)
                .map(|h| {
                    let at = token * HIDDEN + h;
                    (gamma[h] * (x[h] - mean) / deviation + beta[h]) * factors[at] * f64::from(case.dy[at])
                })
                .sum::<f64>()
        })
        .sum()
}

fn factors(mask: Option<Site>) -> Vec<f64> {
    let mut factors = vec![1.0f32; TOKENS * HIDDEN];
    if let Some(mask) = mask {
        mask.multiply(0, HIDDEN, &mut factors);
    }
    factors.into_iter().map(f64::from).collect()
}

#[test]
fn forward_and_gradients_agree_with_the_formula_in_f64() {
    with_every_isa(|_| {
        let case = Case::new();
        for mask in [None, mask()] {
            let factors = factors(mask);
            let mut parameters =
                case.parameters.each_ref().map(|p| p.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
            let mut y = vec![f32::NAN; TOKENS * HIDDEN];
            forward(&case.tables(), &case.rows(), mask, &mut y);
            let fused: f64 = y.iter().zip(&case.dy).map(|(&y, &dy)| f64::from(y) * f64::from(dy)).sum();
            let exact = objective(&parameters, &case, &factors);
            assert!((fused - exact).abs() < 1e-4, "{fused} {exact}");
            let gradients = case.gradients(mask);
            for which in 0..5 {
                for at in (0..parameters[which].len()).step_by(7) {
                    let step = 1e-5;
                    let start = parameters[which][at];
                    parameters[which][at] = start + step;
                    let above = objective(&parameters, &case, &factors);
                    parameters[which][at] = start - step;
                    let below = objective(&parameters, &case, &factors);
                    parameters[which][at] = start;
                    let numeric = (above - below) / (2.0 * step);
                    let found = f64::from(gradients[which][at]);
                    assert!((found - numeric).abs() < 2e-5 * numeric.abs().max(1.0), "{which} {at}: {found} {numeric}");
                }
            }
        }
    });
}

#[test]
fn bits_do_not_depend_on_threads() {
    with_every_isa(|_| {
        let case = Case::new();
        let run = |threads| {
            pool(threads).install(|| {
                let mut y = vec![0.0; TOKENS * HIDDEN];
                forward(&case.tables(), &case.rows(), mask(), &mut y);
                (y, case.gradients(mask()))
            })
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
    });
}

#[test]
fn rows_without_tokens_are_not_touched() {
    with_every_isa(|_| {
        let case = Case::new();
        let [word, ..] = case.gradients(None);
        let touched = distinct(&case.rows[0]);
        assert!(touched.len() < SIZES[0] && touched.is_sorted());
        for (row, gradient) in word.chunks_exact(HIDDEN).enumerate() {
            let is_touched = touched.contains(&(row as u32));
            assert_eq!(gradient.iter().any(|&g| g != 0.0), is_touched, "{row}");
        }
    });
}
