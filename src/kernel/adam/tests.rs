//! The optimizer against its formula, and fused against composed.

use burn::tensor::{Device, TensorData};

use super::*;
use crate::kernel::comparison::{assert_close, leaf, numbers, random_rows};
use crate::kernel::cpu::isa::forced::with_every_isa;
use crate::kernel::{EmbeddingTables, TokenRows, embeddings};

const START: [f64; 3] = [0.5, -1.25, 2.0];

fn scalars(step: u64) -> Adam {
    Adam {
        learning_rate: 1e-2 / step as f64,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-6,
        weight_decay: 0.01,
        gradient_scale: 0.5,
    }
}

fn gradient(step: u64) -> [f64; 3] {
    [0.1 * step as f64, -0.3, 0.02 / step as f64]
}

fn vector(x: [f64; 3]) -> Tensor<1> {
    Tensor::from_data(TensorData::new(x.map(|x| x as f32).to_vec(), [3]), &Device::flex())
}

/// The parameters after each of five steps.
fn five_steps(rule: fn(u64) -> AdamRule) -> Vec<Vec<f64>> {
    let (mut parameter, mut moments) = (vector(START), None);
    (1..=5)
        .map(|step| {
            let gradient = vector(gradient(step));
            let one = Trained { parameter: parameter.clone(), gradient, moments: moments.take(), decays: true };
            let (next, kept) = composed_step(one, rule(step), &scalars(step));
            (parameter, moments) = (next.clone(), Some(kept));
            next.into_data().iter::<f32>().map(f64::from).collect()
        })
        .collect()
}

/// The same in f64: `corrected` for the divisors of the moments at a step.
fn formula(corrected: impl Fn(u64) -> [f64; 2]) -> Vec<Vec<f64>> {
    let (mut p, mut m, mut v) = (START, [0.0f64; 3], [0.0f64; 3]);
    (1..=5)
        .map(|step| {
            let (with, [c1, c2]) = (scalars(step), corrected(step));
            for i in 0..3 {
                let g = gradient(step)[i] * with.gradient_scale;
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let update = (m[i] / c1) / ((v[i] / c2).sqrt() + 1e-6) + 0.01 * p[i];
                p[i] -= with.learning_rate * update;
            }
            p.to_vec()
        })
        .collect()
}

#[test]
fn both_forms_follow_their_formula() {
    let corrected = |step: u64| [1.0 - 0.9f64.powf(step as f64), 1.0 - 0.999f64.powf(step as f64)];
    let adamw = (five_steps(|step| AdamRule::AdamW { step }), formula(corrected));
    let bert_adam = (five_steps(|_| AdamRule::BertAdam), formula(|_| [1.0, 1.0]));
    for (got, expected) in [adamw, bert_adam] {
        for (got, expected) in got.iter().flatten().zip(expected.iter().flatten()) {
            assert!((got - expected).abs() < 1e-6, "{got} and {expected}");
        }
    }
}

/// Parameters of three steps on a table and two vectors of one flex device, and the norms. `sparse` is the
/// table's gradient as the embeddings give it, or a dense copy.
fn train(
    step: impl Fn(Vec<Trained>, AdamRule, &Adam) -> Vec<(Tensor<1>, Moments<1>)>,
    norm: impl Fn(&[Tensor<1>]) -> f64,
    form: fn(u64) -> AdamRule,
    sparse: bool,
) -> Vec<Vec<f32>> {
    const SIZES: [usize; 3] = [300 * 24, 70_001, 5];
    let device = Device::flex();
    let random = |length, seed| leaf::<1>([length], seed, &device);
    let mut state: Vec<_> =
        SIZES.iter().zip(0..).map(|(&length, seed)| (random(length, seed), None::<Moments<1>>)).collect();
    let mut norms = Vec::new();
    for number in 1..=3 {
        let rows = random_rows(40, 250 + number as usize);
        let gradients: Vec<Tensor<1>> = SIZES
            .iter()
            .zip(0..)
            .map(
                |(&length, index)| {
                    if index == 0 { table_gradient(&rows, sparse) } else { random(length, 10 * number + index) }
                },
            )
            .collect();
        norms.push(norm(&gradients) as f32);
        let all = state
            .drain(..)
            .zip(gradients)
            .map(|((parameter, moments), gradient)| Trained { parameter, gradient, moments, decays: true })
            .collect();
        let updated = step(all, form(number), &scalars(number));
        state = updated.into_iter().map(|(parameter, moments)| (parameter, Some(moments))).collect();
    }
    let tensors = state.into_iter().flat_map(|(parameter, moments)| {
        let moments = moments.unwrap();
        [parameter, moments.first, moments.second]
    });
    tensors.map(numbers).chain([norms]).collect()
}

/// The gradient of a table `[300, 24]` of embeddings, flattened.
fn table_gradient(rows: &std::sync::Arc<[u32]>, sparse: bool) -> Tensor<1> {
    let device = Device::flex().autodiff();
    let [word, position, segment] = [0, 1, 2].map(|seed| leaf::<2>([300, 24], seed, &device));
    let [gamma, beta] = [3, 4].map(|seed| leaf::<1>([24], seed, &device));
    let tables = EmbeddingTables { word: word.clone(), position, segment, gamma, beta };
    let rows = TokenRows { ids: rows.clone(), positions: rows.clone(), segments: rows.clone() };
    let weights = leaf([rows.ids.len(), 24], 5, &device);
    let mut gradients = (embeddings(tables, &rows, None, 0) * weights).sum().backward();
    let gradient = word.grad_remove(&mut gradients).unwrap().reshape([300 * 24]);
    if sparse { gradient } else { Tensor::from_data(gradient.into_data(), &Device::flex()) }
}

#[test]
fn fused_equals_composed() {
    with_every_isa(|_| {
        let composed =
            |all: Vec<Trained>, rule, with: &Adam| all.into_iter().map(|one| composed_step(one, rule, with)).collect();
        let adamw = |step| AdamRule::AdamW { step };
        for form in [adamw, |_| AdamRule::BertAdam] {
            let expected = train(composed, composed_norm, form, false);
            for sparse in [false, true] {
                let fused = train(adam_step, global_norm, form, sparse);
                assert_close(&fused[..9], &expected[..9], 1e-6);
                // The composed norm is summed in f32.
                assert_close(&fused[9..], &expected[9..], 1e-5);
            }
        }
    });
}

#[test]
fn a_parameter_that_nobody_else_holds_is_updated_in_place() {
    with_every_isa(|_| {
        let address = |tensor: &Tensor<1>| {
            tensor.clone().try_into_primitive::<burn::backend::Flex>().unwrap().bytes().as_ptr() as usize
        };
        let step = |parameter: Tensor<1>| {
            let one = Trained { parameter, gradient: vector([1.0, 2.0, 3.0]), moments: None, decays: true };
            adam_step(vec![one], AdamRule::BertAdam, &scalars(1)).remove(0).0
        };
        let parameter = vector(START);
        let before = address(&parameter);
        let mine = step(parameter);
        assert_eq!(address(&mine), before);
        let shared = mine.clone();
        let other = step(shared);
        assert_ne!(address(&other), before);
        assert_eq!(address(&mine), before);
    });
}
