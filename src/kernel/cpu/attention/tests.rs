//! Attention against plain sums in f64, its gradient against finite differences of those.

use half::bf16;

use super::*;
use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
use crate::kernel::cpu::mask::Mask;
use crate::random::Stream;

fn numbers<E: Element>(count: usize, name: &str) -> Vec<E> {
    let mut draws = Stream::new(1, name).at(0);
    (0..count).map(|_| E::from_f32(draws.normal() as f32)).collect()
}

struct Case {
    heads: usize,
    causal: bool,
    size: usize,
    offsets: Vec<u32>,
    dropout: Option<Site>,
}

impl Case {
    fn new(heads: usize, size: usize, lengths: &[u32], p: f64, causal: bool) -> Self {
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let longest = lengths.iter().copied().max().unwrap() as usize;
        let dropout = Mask::new(p, Stream::new(2, "dropout"), 3).map(|mask| mask.site(4, longest));
        Self { heads, causal, size, offsets: std::iter::once(0).chain(ends).collect(), dropout }
    }

    fn tokens(&self) -> usize {
        *self.offsets.last().unwrap() as usize
    }

    fn hidden(&self) -> usize {
        self.heads * self.size
    }

    fn attention(&self) -> AttentionHeads {
        AttentionHeads { number: self.heads, causal: self.causal }
    }

    fn input<E: Element>(&self) -> Vec<E> {
        numbers(self.tokens() * 3 * self.hidden(), "qkv")
    }

    fn gradient<E: Element>(&self) -> Vec<E> {
        numbers(self.tokens() * self.hidden(), "dcontext")
    }

    fn forward<E: Operand>(&self, qkv: &[E]) -> Vec<E> {
        let mut context = vec![E::default(); self.tokens() * self.hidden()];
        forward(qkv, &mut context, self.attention(), &self.offsets, self.dropout);
        context
    }

    fn backward<E: Operand>(&self, qkv: &[E], dcontext: &[E]) -> Vec<E> {
        let mut dqkv = vec![E::from_f32(f32::NAN); qkv.len()];
        backward(qkv, dcontext, &mut dqkv, self.attention(), &self.offsets, self.dropout);
        dqkv
    }

    /// Calls `with(query, head, keys, probabilities, factors of the mask)`, all in f64.
    fn each_query(&self, qkv: &[f64], mut with: impl FnMut(usize, usize, std::ops::Range<usize>, &[f64], &[f64])) {
        let element = |row: usize, part: usize, head: usize, i: usize| {
            qkv[(row * 3 + part) * self.hidden() + head * self.size + i]
        };
        for pair in self.offsets.windows(2) {
            let rows = pair[0] as usize..pair[1] as usize;
            for (head, query) in (0..self.heads).flat_map(|head| rows.clone().map(move |query| (head, query))) {
                let rows = rows.start..if self.causal { query + 1 } else { rows.end };
                let score = |key: usize| {
                    (0..self.size).map(|i| element(query, 0, head, i) * element(key, 1, head, i)).sum::<f64>()
                };
                let weights: Vec<f64> =
                    rows.clone().map(|key| (score(key) / (self.size as f64).sqrt()).exp()).collect();
                let total: f64 = weights.iter().sum();
                let probabilities: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
                let mut draws = vec![0; Site::stride(rows.len())];
                let factors: Vec<f64> = self.dropout.map_or(vec![1.0; rows.len()], |site| {
                    site.draws(head * self.tokens() + query, rows.len(), &mut draws);
                    draws[..rows.len()].iter().map(|&draw| f64::from(site.factor(draw))).collect()
                });
                with(query, head, rows.clone(), &probabilities, &factors);
            }
        }
    }

    fn expected(&self, qkv: &[f64]) -> Vec<f64> {
        let mut context = vec![0.0; self.tokens() * self.hidden()];
        self.each_query(qkv, |query, head, keys, probabilities, factors| {
            for (i, key) in (0..self.size).flat_map(|i| keys.clone().map(move |key| (i, key))) {
                let value = qkv[(key * 3 + 2) * self.hidden() + head * self.size + i];
                let weight = probabilities[key - keys.start] * factors[key - keys.start];
                context[query * self.hidden() + head * self.size + i] += weight * value;
            }
        });
        context
    }

    /// The chain rule, sum by sum.
    fn expected_gradient(&self, qkv: &[f64], dcontext: &[f64]) -> Vec<f64> {
        let mut gradient = vec![0.0; qkv.len()];
        let at =
            |row: usize, part: usize, head: usize, i: usize| (row * 3 + part) * self.hidden() + head * self.size + i;
        let scale = 1.0 / (self.size as f64).sqrt();
        self.each_query(qkv, |query, head, keys, probabilities, factors| {
            let doutput = &dcontext[query * self.hidden() + head * self.size..][..self.size];
            let dp: Vec<f64> = keys
                .clone()
                .zip(factors)
                .map(|(key, factor)| {
                    factor * (0..self.size).map(|i| doutput[i] * qkv[at(key, 2, head, i)]).sum::<f64>()
                })
                .collect();
            let mean: f64 = dp.iter().zip(probabilities).map(|(dp, p)| dp * p).sum();
            for (index, key) in keys.enumerate() {
                let ds = probabilities[index] * (dp[index] - mean) * scale;
                for i in 0..self.size {
                    gradient[at(key, 2, head, i)] += probabilities[index] * factors[index] * doutput[i];
                    gradient[at(query, 0, head, i)] += ds * qkv[at(key, 1, head, i)];
                    gradient[at(key, 1, head, i)] += ds * qkv[at(query, 0, head, i)];
                }
            }
        });
        gradient
    }
}

fn wide<E: Element>(xs: &[E]) -> Vec<f64> {
    xs.iter().map(|x| f64::from(x.to_f32())).collect()
}

/// ‖got − expected‖ over ‖expected‖.
fn error(got: &[f64], expected: &[f64]) -> f64 {
    let norm = |xs: &mut dyn Iterator<Item = f64>| xs.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut got.iter().zip(expected).map(|(x, y)| x - y)) / norm(&mut expected.iter().copied())
}

/// Heads, their size, lengths: one token, lengths beside multiples of registers, several blocks of queries.
const SHAPES: [(usize, usize, &[u32]); 7] = [
    (1, 8, &[2]),
    (3, 24, &[1, 17, 5]),
    (2, 64, &[128]),
    (2, 32, &[28, 1, 30]),
    (1, 16, &[129, 3]),
    (2, 20, &[300, 40]),
    (1, 64, &[0, 7, 0]),
];

fn matches_f64<E: Operand>(tolerance: f64) {
    for (heads, size, lengths) in SHAPES {
        for (p, causal) in [(0.0, false), (0.3, false), (0.0, true), (0.3, true)] {
            let case = Case::new(heads, size, lengths, p, causal);
            let (qkv, dcontext) = (case.input::<E>(), case.gradient::<E>());
            let context = error(&wide(&case.forward(&qkv)), &case.expected(&wide(&qkv)));
            let expected = case.expected_gradient(&wide(&qkv), &wide(&dcontext));
            let gradient = error(&wide(&case.backward(&qkv, &dcontext)), &expected);
            assert!(context < tolerance && gradient < tolerance, "{lengths:?} {p} {causal}: {context} {gradient}");
        }
    }
}

#[test]
fn f32_equals_f64() {
    with_every_isa(|_| {
        matches_f64::<f32>(1e-6);
    });
}

#[test]
fn bf16_is_near_f64() {
    with_every_isa(|_| {
        matches_f64::<bf16>(1e-2);
    });
}

#[test]
fn the_gradient_in_f64_is_that_of_finite_differences() {
    with_every_isa(|_| {
        for (p, causal) in [(0.0, false), (0.3, false), (0.0, true), (0.3, true)] {
            let case = Case::new(2, 3, &[4, 1, 6], p, causal);
            let (qkv, dcontext) = (wide(&case.input::<f32>()), wide(&case.gradient::<f32>()));
            let loss = |qkv: &[f64]| case.expected(qkv).iter().zip(&dcontext).map(|(x, y)| x * y).sum::<f64>();
            let differences: Vec<f64> = (0..qkv.len())
                .map(|at| {
                    let moved = |by: f64| {
                        let mut qkv = qkv.clone();
                        qkv[at] += by;
                        loss(&qkv)
                    };
                    (moved(1e-5) - moved(-1e-5)) / 2e-5
                })
                .collect();
            assert!(error(&case.expected_gradient(&qkv, &dcontext), &differences) < 1e-8);
        }
    });
}

#[test]
fn large_scores_overflow_nothing() {
    with_every_isa(|_| {
        for causal in [false, true] {
            let case = Case::new(1, 16, &[20], 0.0, causal);
            let qkv: Vec<f32> = case.input::<f32>().into_iter().map(|x| x * 30.0).collect();
            let context = case.forward(&qkv);
            let gradient = case.backward(&qkv, &case.gradient());
            assert!(context.iter().chain(&gradient).all(|x| x.is_finite()));
        }
    });
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    with_every_isa(|_| {
        for causal in [false, true] {
            let case = Case::new(3, 24, &[200, 1, 30, 31, 2, 150], 0.1, causal);
            let (qkv, dcontext) = (case.input::<f32>(), case.gradient::<f32>());
            let with = |threads| {
                let both = pool(threads).install(|| [case.forward(&qkv), case.backward(&qkv, &dcontext)]);
                both.into_iter().flatten().map(f32::to_bits).collect::<Vec<_>>()
            };
            let one = with(1);
            assert!([2, 3].into_iter().all(|threads| with(threads) == one));
        }
    });
}

/// Sequences of one and of several blocks of queries, of which the tokens after some place are other ones.
#[test]
fn causal_outputs_have_the_same_bits_whatever_comes_after_and_no_gradient_comes_back_from_there() {
    with_every_isa(|_| {
        for (length, change) in [(40, 13), (300, 127), (300, 200), (300, 299)] {
            let case = Case::new(2, 24, &[7, length], 0.1, true);
            let (first, width) = (7 + change, case.hidden());
            let qkv = case.input::<f32>();
            let mut other = qkv.clone();
            other[first * 3 * width..].iter_mut().for_each(|x| *x = 3.0 - *x);
            let bits = |qkv: &[f32]| case.forward(qkv).into_iter().map(f32::to_bits).collect::<Vec<_>>();
            let (one, two) = (bits(&qkv), bits(&other));
            assert_eq!(one[..first * width], two[..first * width]);
            let later = |bits: &[u32]| bits[first * width..].to_vec();
            assert_ne!(later(&one), later(&two));
            let mut dcontext = case.gradient::<f32>();
            dcontext[first * width..].fill(0.0);
            let gradient = case.backward(&qkv, &dcontext);
            assert!(gradient[first * 3 * width..].iter().all(|g| *g == 0.0), "{length} {change}");
            assert!(gradient[(first - 1) * 3 * width..][..width].iter().any(|g| *g != 0.0));
        }
    });
}
