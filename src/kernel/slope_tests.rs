//! The gradients of the fused operations against finite differences of the operations themselves.

use burn::tensor::{Device, Tensor, TensorData};

use super::comparison::{leaf, numbers, scaled_leaf};
use super::cpu::isa::forced::with_every_isa;
use super::{
    AttentionHeads, Dropout, EmbeddingTables, LayerForm, LayerSites, LayerWeights, Packing, Precision, SkipGramPairs,
    TokenRows, decoder_loss, embeddings, encoder_layer, lstm, pair_attention, skip_gram_loss,
};
use crate::random::Stream;

/// How far along a direction, whose norm is 1, the operation is computed before and behind.
const STEP: f32 = 0.005;
/// What the rounding of f32 leaves of a slope, in parts of the gradient's norm.
const TOLERANCE: f64 = 5e-4;
const OFFSETS: [u32; 4] = [0, 5, 6, 10];
const TOKENS: usize = 10;

/// A number that an operation makes of several inputs, and the gradient with respect to each.
type Slopes = (f64, Vec<Vec<f32>>);

fn norm(numbers: &[f32]) -> f64 {
    numbers.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// For each of the inputs, of these sizes and `scale`: along its gradient and along a random direction.
fn assert_slopes(sizes: &[usize], scale: f32, of: impl Fn(&[Vec<f32>]) -> Slopes) {
    let input = |(&size, seed)| numbers(scaled_leaf([size], seed, scale, &Device::flex()));
    let at: Vec<Vec<f32>> = sizes.iter().zip(1..).map(input).collect();
    for (input, gradient) in of(&at).1.iter().enumerate() {
        let random = numbers(leaf([gradient.len()], 50 + input as u64, &Device::flex()));
        for direction in [gradient, &random] {
            let along = |by: f32| {
                let mut moved = at.clone();
                let by = by / norm(direction) as f32;
                moved[input].iter_mut().zip(direction).for_each(|(x, along)| *x += by * along);
                of(&moved).0
            };
            let difference = (along(STEP) - along(-STEP)) / f64::from(2.0 * STEP);
            let slope = dot(gradient, direction) / norm(direction);
            let error = (difference - slope).abs() / norm(gradient);
            assert!(error <= TOLERANCE, "input {input}: {difference} and {slope}, {error:e} of the norm");
        }
    }
}

/// Σ of the outputs of `operation` times random weights.
fn weighted(operation: impl Fn(&[Tensor<1>]) -> Tensor<2>) -> impl Fn(&[Vec<f32>]) -> Slopes {
    move |at| {
        let device = Device::flex().autodiff();
        let input = |x: &Vec<f32>| Tensor::from_data(TensorData::new(x.clone(), [x.len()]), &device).require_grad();
        let inputs: Vec<Tensor<1>> = at.iter().map(input).collect();
        let outputs = operation(&inputs);
        let weights: Tensor<2> = leaf(outputs.dims(), 99, &device).detach();
        let sum = dot(&numbers(outputs.clone()), &numbers(weights.clone()));
        let mut gradients = (outputs * weights).sum().backward();
        (sum, inputs.iter().map(|input| numbers(input.grad_remove(&mut gradients).unwrap())).collect())
    }
}

fn packing() -> Packing {
    Packing::new(&OFFSETS, &Device::flex().autodiff())
}

fn dropouts() -> [Option<Dropout>; 2] {
    [None, Dropout::new(0.2, Stream::new(1, "dropout"), 3)]
}

#[test]
fn of_a_layer_in_every_form() {
    const HIDDEN: usize = 12;
    const WIDE: usize = 20;
    const SITES: LayerSites = LayerSites { attention: 2, attention_residual: 3, output_residual: 4 };
    let matrices = [3 * HIDDEN * HIDDEN, HIDDEN * HIDDEN, HIDDEN * WIDE, WIDE * HIDDEN];
    let sizes = [&[TOKENS * HIDDEN][..], &matrices, &[3 * HIDDEN, HIDDEN, WIDE, HIDDEN], &[HIDDEN; 4]].concat();
    let heads = |causal| AttentionHeads { number: 3, causal };
    let forms: [LayerForm; 3] = [heads(false).into(), heads(true).into(), LayerForm::openai_gpt(3)];
    with_every_isa(|_| {
        for (form, dropout) in forms.into_iter().flat_map(|form| dropouts().map(|dropout| (form, dropout))) {
            let layer = |of: &[Tensor<1>]| {
                let matrix = |at: usize, rows, columns| of[at].clone().reshape([rows, columns]);
                let weights = LayerWeights {
                    qkv_weight: matrix(1, HIDDEN, 3 * HIDDEN),
                    attention_weight: matrix(2, HIDDEN, HIDDEN),
                    intermediate_weight: matrix(3, HIDDEN, WIDE),
                    output_weight: matrix(4, WIDE, HIDDEN),
                    qkv_bias: of[5].clone(),
                    attention_bias: of[6].clone(),
                    intermediate_bias: of[7].clone(),
                    output_bias: of[8].clone(),
                    attention_gamma: of[9].clone(),
                    attention_beta: of[10].clone(),
                    output_gamma: of[11].clone(),
                    output_beta: of[12].clone(),
                };
                let hidden = matrix(0, TOKENS, HIDDEN);
                encoder_layer(hidden, weights, form, &packing(), dropout.as_ref(), SITES, Precision::F32)
            };
            assert_slopes(&sizes, 0.5, weighted(layer));
        }
    });
}

#[test]
fn of_the_embeddings() {
    const HIDDEN: usize = 12;
    let rows = TokenRows {
        ids: (0..10).map(|at| at * 3 % 7).collect(),
        positions: [0, 1, 2, 3, 4, 0, 0, 1, 2, 3].into(),
        segments: [0, 0, 1, 1, 1, 0, 0, 1, 1, 1].into(),
    };
    with_every_isa(|_| {
        for dropout in dropouts() {
            let operation = |of: &[Tensor<1>]| {
                let table = |at: usize, rows| of[at].clone().reshape([rows, HIDDEN]);
                let (gamma, beta) = (of[3].clone(), of[4].clone());
                let tables =
                    EmbeddingTables { word: table(0, 7), position: table(1, 5), segment: table(2, 2), gamma, beta };
                embeddings(tables, &rows, dropout.as_ref(), 0)
            };
            assert_slopes(&[7 * HIDDEN, 5 * HIDDEN, 2 * HIDDEN, HIDDEN, HIDDEN], 1.0, weighted(operation));
        }
    });
}

#[test]
fn of_the_lstm() {
    const HIDDEN: usize = 3;
    with_every_isa(|_| {
        let operation = |of: &[Tensor<1>]| {
            let recurrent = of[1].clone().reshape([2, HIDDEN, 4 * HIDDEN]);
            lstm(of[0].clone().reshape([TOKENS, 8 * HIDDEN]), recurrent, &packing())
        };
        assert_slopes(&[TOKENS * 8 * HIDDEN, 8 * HIDDEN * HIDDEN], 1.0, weighted(operation));
    });
}

/// And of max pooling over what it gives.
#[test]
fn of_pair_attention() {
    let packing = Packing::new(&[0, 2, 6, 9, 10], &Device::flex().autodiff());
    let operation = |of: &[Tensor<1>]| {
        let states = of[0].clone().reshape([TOKENS, 3]);
        packing.max_tokens(pair_attention(states.clone(), &packing) + states)
    };
    assert_slopes(&[TOKENS * 3], 1.0, weighted(operation));
}

fn matrix(of: &[f32], width: usize) -> Tensor<2> {
    Tensor::from_data(TensorData::new(of.to_vec(), [of.len() / width, width]), &Device::flex())
}

#[test]
fn of_the_decoder() {
    const WIDTH: usize = 7;
    let labels = [3, 0, 32, 3, 18];
    with_every_isa(|_| {
        assert_slopes(&[5 * WIDTH, 33 * WIDTH, 33], 1.0, |of| {
            let bias = Tensor::from_data(TensorData::new(of[2].clone(), [33]), &Device::flex());
            let (states, table) = (matrix(&of[0], WIDTH), matrix(&of[1], WIDTH));
            let said = decoder_loss(&states, &table, &bias, &labels, Some(labels.len()), Precision::F32);
            let gradients = said.gradients.unwrap();
            let mean = said.found.wait().unwrap().loss / labels.len() as f64;
            (mean, vec![numbers(gradients.states), numbers(gradients.table), numbers(gradients.bias)])
        });
    });
}

#[test]
fn of_skip_gram() {
    const WIDTH: usize = 21;
    let centres: Vec<u32> = (0..40).map(|at| at * 7 % 11).collect();
    let others: Vec<u32> = (0..240).map(|at| at * at % 13).collect();
    with_every_isa(|_| {
        assert_slopes(&[13 * WIDTH, 13 * WIDTH], 0.3, |of| {
            let pairs = SkipGramPairs { centres: &centres, others: &others };
            let said = skip_gram_loss(&matrix(&of[0], WIDTH), &matrix(&of[1], WIDTH), pairs, Some(1));
            (said.loss, said.gradients.unwrap().map(numbers).to_vec())
        });
    });
}
