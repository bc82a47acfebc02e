//! Attention and its gradient against the composed one.

use burn::tensor::{Device, Tensor, TensorData};
use half::bf16;

use super::*;
use crate::kernel::comparison::{assert_close, numbers};
use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
use crate::kernel::{Dropout, Packing, attention};
use crate::random::Stream;

/// Where dropout is applied.
const SITE: u32 = 4;

fn random<E: Element>(count: usize, name: &str) -> Vec<E> {
    let mut draws = Stream::new(1, name).at(0);
    (0..count).map(|_| E::from_f32(draws.normal() as f32)).collect()
}

struct Case {
    heads: usize,
    causal: bool,
    size: usize,
    offsets: Vec<u32>,
    dropout: Option<Dropout>,
}

impl Case {
    fn new(heads: usize, size: usize, lengths: &[u32], p: f64, causal: bool) -> Self {
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let dropout = Dropout::new(p, Stream::new(2, "dropout"), 3);
        Self { heads, causal, size, offsets: std::iter::once(0).chain(ends).collect(), dropout }
    }

    fn tokens(&self) -> usize {
        *self.offsets.last().unwrap() as usize
    }

    fn site(&self) -> Option<Site> {
        let longest = self.offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap() as usize;
        self.dropout.map(|dropout| dropout.mask().site(SITE, longest))
    }

    fn hidden(&self) -> usize {
        self.heads * self.size
    }

    fn attention(&self) -> AttentionHeads {
        AttentionHeads { number: self.heads, causal: self.causal }
    }

    fn input<E: Element>(&self) -> Vec<E> {
        random(self.tokens() * 3 * self.hidden(), "qkv")
    }

    fn gradient<E: Element>(&self) -> Vec<E> {
        random(self.tokens() * self.hidden(), "dcontext")
    }

    fn forward<E: Operand>(&self, qkv: &[E]) -> Vec<E> {
        let mut context = vec![E::default(); self.tokens() * self.hidden()];
        forward(qkv, &mut context, self.attention(), &self.offsets, self.site());
        context
    }

    fn backward<E: Operand>(&self, qkv: &[E], dcontext: &[E]) -> Vec<E> {
        let mut dqkv = vec![E::from_f32(f32::NAN); qkv.len()];
        backward(qkv, dcontext, &mut dqkv, self.attention(), &self.offsets, self.site());
        dqkv
    }
}

fn wide<E: Element>(xs: &[E]) -> Vec<f32> {
    xs.iter().map(|x| x.to_f32()).collect()
}

/// The context, and the gradient of Σ context × `dcontext`, of burn's own operations.
fn composed(case: &Case, qkv: &[f32], dcontext: &[f32]) -> [Vec<f32>; 2] {
    let device = Device::flex().autodiff();
    let rows = |numbers: &[f32]| -> Tensor<2> {
        let width = numbers.len() / case.tokens();
        Tensor::from_data(TensorData::new(numbers.to_vec(), [case.tokens(), width]), &device)
    };
    let (qkv, packing) = (rows(qkv).require_grad(), Packing::new(&case.offsets, &device));
    let context = attention(qkv.clone(), case.attention(), &packing, case.dropout.as_ref(), SITE);
    let gradient = qkv.grad(&(context.clone() * rows(dcontext)).sum().backward()).unwrap();
    [numbers(context), numbers(gradient)]
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

fn equals_the_composed<E: Operand>(tolerance: f64) {
    for (heads, size, lengths) in SHAPES {
        for (p, causal) in [(0.0, false), (0.3, false), (0.0, true), (0.3, true)] {
            let case = Case::new(heads, size, lengths, p, causal);
            let (qkv, dcontext) = (case.input::<E>(), case.gradient::<E>());
            let found = [wide(&case.forward(&qkv)), wide(&case.backward(&qkv, &dcontext))];
            assert_close(&found, &composed(&case, &wide(&qkv), &wide(&dcontext)), tolerance);
        }
    }
}

#[test]
fn f32_equals_the_composed_one() {
    with_every_isa(|_| {
        equals_the_composed::<f32>(1e-6);
    });
}

#[test]
fn bf16_is_near_the_composed_one() {
    with_every_isa(|_| {
        equals_the_composed::<bf16>(1e-2);
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
