//! The layer against its formulas in f64, gradients against their finite differences.

use super::*;
use crate::kernel::cpu::isa::forced::with_every_isa;
use crate::kernel::cpu::mask::Mask;
use crate::kernel::{AttentionHeads, Gelu, LayerForm};
use crate::random::Stream;

const HEADS: AttentionHeads = AttentionHeads { number: 3, causal: false };
/// BERT's form with a causal mask and without; the published GPT's.
fn shapes() -> [LayerShape; 3] {
    let forms = [HEADS.into(), AttentionHeads { causal: true, ..HEADS }.into(), LayerForm::openai_gpt(HEADS.number)];
    forms.map(|form| LayerShape { tokens: TOKENS, hidden: HIDDEN, form, intermediate: 20 })
}

const TOKENS: usize = 9;
const HIDDEN: usize = 12;
/// Sequences of 4, 1 and 4 tokens.
const OFFSETS: [u32; 4] = [0, 4, 5, 9];
/// Lengths of the parameters, in the order of [`LayerParameters`].
const LENGTHS: [usize; 12] = [12 * 36, 36, 144, 12, 12, 12, 240, 20, 240, 12, 12, 12];
const GAMMAS: [usize; 2] = [4, 10];

/// x, then the twelve parameters.
fn inputs() -> Vec<Vec<f32>> {
    let stream = Stream::new(11, "layer");
    let lengths = [TOKENS * HIDDEN].into_iter().chain(LENGTHS);
    let draw = |(at, length)| {
        let mut draws = stream.at(at as u64);
        let gamma = at > 0 && GAMMAS.contains(&(at - 1));
        let scale = if at == 0 { 1.0 } else { 0.3 };
        (0..length).map(|_| (draws.normal() * scale + f64::from(u8::from(gamma))) as f32).collect()
    };
    lengths.enumerate().map(draw).collect()
}

fn parameters(inputs: &[Vec<f32>]) -> LayerParameters<'_> {
    let [_, p @ ..] = inputs else { panic!("no parameters") };
    LayerParameters {
        qkv_weight: &p[0],
        qkv_bias: &p[1],
        attention_weight: &p[2],
        attention_bias: &p[3],
        attention_gamma: &p[4],
        attention_beta: &p[5],
        intermediate_weight: &p[6],
        intermediate_bias: &p[7],
        output_weight: &p[8],
        output_bias: &p[9],
        output_gamma: &p[10],
        output_beta: &p[11],
    }
}

fn dropout() -> LayerDropout {
    let mask = Mask::new(0.3, Stream::new(3, "dropout"), 5).unwrap();
    LayerDropout { mask, attention_site: 2, attention_residual_site: 3, output_residual_site: 4 }
}

/// The factors of a site for `rows` rows.
fn factors(dropout: Option<&LayerDropout>, site: impl Fn(&LayerDropout) -> u32, rows: usize, width: usize) -> Vec<f64> {
    let mut ones = vec![1.0f32; rows * width];
    if let Some(dropout) = dropout {
        dropout.mask.site(site(dropout), width).multiply(0, width, &mut ones);
    }
    ones.into_iter().map(f64::from).collect()
}

/// x W + b, row by row.
fn affine(x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let (outputs, inputs) = (b.len(), w.len() / b.len());
    let cell = |row: &[f64], j: usize| b[j] + row.iter().enumerate().map(|(i, x)| x * w[i * outputs + j]).sum::<f64>();
    x.chunks(inputs).flat_map(|row| (0..outputs).map(|j| cell(row, j)).collect::<Vec<_>>()).collect()
}

fn norm_of(z: &[f64], gamma: &[f64], beta: &[f64], epsilon: f64) -> Vec<f64> {
    let width = gamma.len();
    let one = |row: &[f64]| {
        let mean = row.iter().sum::<f64>() / width as f64;
        let variance = row.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / width as f64;
        let scale = 1.0 / (variance + epsilon).sqrt();
        (0..width).map(|i| (row[i] - mean) * scale * gamma[i] + beta[i]).collect::<Vec<_>>()
    };
    z.chunks(width).flat_map(one).collect()
}

/// Φ(u) by Simpson's rule.
fn gelu_of(u: f64, form: Gelu) -> f64 {
    if form == Gelu::Tanh {
        return 0.5 * u * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (u + 0.044_715 * u.powi(3))).tanh());
    }
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let steps = 100;
    let h = u / f64::from(steps);
    let inner: f64 = (1..steps).map(|i| density(h * f64::from(i)) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
    u * (0.5 + h / 3.0 * (density(0.0) + inner + density(u)))
}

fn attention_of(shape: LayerShape, qkv: &[f64], keep: &[f64]) -> Vec<f64> {
    let LayerShape { tokens, hidden, form: LayerForm { heads: AttentionHeads { number: heads, causal }, .. }, .. } =
        shape;
    let (size, longest) = (hidden / heads, 4);
    let mut context = vec![0.0; tokens * hidden];
    for bounds in OFFSETS.windows(2) {
        let rows = bounds[0] as usize..bounds[1] as usize;
        for (head, i) in (0..heads).flat_map(|head| rows.clone().map(move |i| (head, i))) {
            let at = |part: usize, token: usize, d: usize| qkv[token * 3 * hidden + part * hidden + head * size + d];
            let score = |j: usize| (0..size).map(|d| at(0, i, d) * at(1, j, d)).sum::<f64>() / (size as f64).sqrt();
            let rows = rows.start..if causal { i + 1 } else { rows.end };
            let weights: Vec<f64> = rows.clone().map(|j| score(j).exp()).collect();
            let total: f64 = weights.iter().sum();
            for (column, j) in rows.enumerate() {
                let p = weights[column] / total * keep[(head * tokens + i) * longest + column];
                (0..size).for_each(|d| context[i * hidden + head * size + d] += p * at(2, j, d));
            }
        }
    }
    context
}

/// The layer in f64.
fn reference(shape: LayerShape, inputs: &[Vec<f64>], dropout: Option<&LayerDropout>) -> Vec<f64> {
    let LayerShape { tokens, hidden, form: LayerForm { heads, gelu, epsilon }, .. } = shape;
    let [x, p @ ..] = inputs else { panic!("no parameters") };
    let hidden_mask = |site: fn(&LayerDropout) -> u32| factors(dropout, site, tokens, hidden);
    let residual = |branch: Vec<f64>, mask: Vec<f64>, x: &[f64]| -> Vec<f64> {
        branch.iter().zip(mask).zip(x).map(|((branch, mask), x)| branch * mask + x).collect()
    };
    let keep = factors(dropout, |d| d.attention_site, heads.number * tokens, 4);
    let context = attention_of(shape, &affine(x, &p[0], &p[1]), &keep);
    let attended = residual(affine(&context, &p[2], &p[3]), hidden_mask(|d| d.attention_residual_site), x);
    let middle = norm_of(&attended, &p[4], &p[5], epsilon);
    let wide: Vec<f64> = affine(&middle, &p[6], &p[7]).into_iter().map(|u| gelu_of(u, gelu)).collect();
    let narrow = residual(affine(&wide, &p[8], &p[9]), hidden_mask(|d| d.output_residual_site), &middle);
    norm_of(&narrow, &p[10], &p[11], epsilon)
}

/// The output of the kernels, and the gradients of Σ output × `weights` to all inputs.
fn kernels(
    shape: LayerShape,
    inputs: &[Vec<f32>],
    weights: &[f32],
    dropout: Option<&LayerDropout>,
    precision: Precision,
) -> (Vec<f32>, Vec<Vec<f32>>) {
    let layer = Layer { shape, parameters: parameters(inputs), offsets: &OFFSETS, dropout, read: None };
    let mut y = vec![f32::NAN; weights.len()];
    let saved = layer.forward(&inputs[0], precision, &mut y, true).unwrap();
    let mut without = vec![f32::NAN; weights.len()];
    assert!(layer.forward(&inputs[0], precision, &mut without, false).is_none());
    assert_eq!(
        y.iter().map(|y| y.to_bits()).collect::<Vec<_>>(),
        without.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
    );
    let mut gradients: Vec<Vec<f32>> = inputs.iter().map(|input| vec![f32::NAN; input.len()]).collect();
    let [x, a, b, c, d, e, f, g, h, i, j, k, l] = &mut gradients[..] else { panic!("not thirteen") };
    let to = LayerGradients {
        x,
        qkv_weight: a,
        qkv_bias: b,
        attention_weight: c,
        attention_bias: d,
        attention_gamma: e,
        attention_beta: f,
        intermediate_weight: g,
        intermediate_bias: h,
        output_weight: i,
        output_bias: j,
        output_gamma: k,
        output_beta: l,
    };
    layer.backward(&inputs[0], &saved, weights, to);
    (y, gradients)
}

fn relative(got: &[f32], expected: &[f64]) -> f64 {
    let size = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
    got.iter().zip(expected).map(|(&x, &y)| (f64::from(x) - y).powi(2)).sum::<f64>().sqrt() / size
}

/// Forward and every gradient within `tolerance` of the formulas, relative to each tensor's norm.
fn equals_the_formulas(shape: LayerShape, dropout: Option<&LayerDropout>, precision: Precision, tolerance: f64) {
    let inputs = inputs();
    let exact: Vec<Vec<f64>> = inputs.iter().map(|xs| xs.iter().map(|&x| f64::from(x)).collect()).collect();
    let mut draws = Stream::new(12, "weights").at(0);
    let weights: Vec<f32> = (0..TOKENS * HIDDEN).map(|_| draws.normal() as f32).collect();
    let (y, gradients) = kernels(shape, &inputs, &weights, dropout, precision);
    let error = relative(&y, &reference(shape, &exact, dropout));
    assert!(error <= tolerance, "forward: {error}");
    let loss = |inputs: &[Vec<f64>]| -> f64 {
        reference(shape, inputs, dropout).iter().zip(&weights).map(|(y, &w)| y * f64::from(w)).sum()
    };
    for (which, gradient) in gradients.iter().enumerate() {
        let difference = |at: usize| {
            let step = 1e-5;
            let moved = |by: f64| {
                let mut inputs = exact.clone();
                inputs[which][at] += by;
                loss(&inputs)
            };
            (moved(step) - moved(-step)) / (2.0 * step)
        };
        let expected: Vec<f64> = (0..gradient.len()).map(difference).collect();
        // A key's bias moves all scores of a query alike: its gradient is 0, and so are a third of this one's.
        let error = relative(gradient, &expected);
        assert!(error <= tolerance, "gradient {which}: {error}");
    }
}

#[test]
fn f32_equals_the_formulas() {
    with_every_isa(|_| {
        for shape in shapes() {
            equals_the_formulas(shape, None, Precision::F32, 1e-5);
        }
    });
}

#[test]
fn f32_with_dropout_equals_the_formulas() {
    with_every_isa(|_| {
        for shape in shapes() {
            equals_the_formulas(shape, Some(&dropout()), Precision::F32, 1e-5);
        }
    });
}

#[test]
fn bf16_is_near_the_formulas() {
    with_every_isa(|_| {
        for shape in shapes() {
            equals_the_formulas(shape, Some(&dropout()), Precision::Bf16, 2e-2);
        }
    });
}
