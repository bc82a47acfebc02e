//! Products of 16-bit numbers, and loss scaling, on GPUs that have them; a test says so where one has not.

use burn::tensor::{Device, Tensor};

use super::tests::{Case, FIRST, SITES, gpu};
use crate::kernel::comparison::{assert_close, layer_weights, leaf, numbers};
use crate::kernel::{
    Adam, AdamRule, AttentionHeads, Clipping, Dropout, LossScale, Moments, Packing, Precision, StepNorm, Trained,
    clipped_adam_step, decoder_loss, encoder_layer, gpu_precisions,
};
use crate::random::Stream;

/// Whether this GPU has it.
fn is_here(precision: Precision) -> bool {
    let found = gpu_precisions(&gpu());
    assert!(found.contains(&Precision::F32));
    if !found.contains(&precision) {
        println!("skipped: this GPU has no {precision:?}, only {found:?}");
    }
    found.contains(&precision)
}

/// Rounded operands lose digits: no tensor more of its norm than the bound, which is of the size of what a rounded operand
/// loses (2⁻⁹ in bfloat16, 2⁻¹² in float16) times some products; and more than nothing.
fn a_layer_stays_near_f32(precision: Precision, bound: f64) {
    let dropout = Dropout::new(0.2, Stream::new(1, "dropout"), 3);
    let cases =
        [([32, 56], 4, false, &[0, 7, 8, 19, 30][..], dropout.as_ref()), ([30, 45], 3, true, &[0, 5, 25], None)];
    for ((sizes, number, causal, offsets, dropout), read) in
        cases.into_iter().flat_map(|case| [(case, None), (case, FIRST)])
    {
        let heads = AttentionHeads { number, causal };
        let [found, expected] = Case { sizes, heads, offsets, dropout, read }.agrees(precision, bound);
        let exact = std::panic::catch_unwind(|| assert_close(&found, &expected, bound / 100.0));
        assert!(exact.is_err(), "these are not the products in f32");
    }
}

#[test]
fn a_layer_in_f16_stays_near_the_composed_one_in_f32() {
    if is_here(Precision::F16) {
        a_layer_stays_near_f32(Precision::F16, 4e-3);
    }
}

#[test]
fn a_layer_in_bf16_stays_near_the_composed_one_in_f32() {
    if is_here(Precision::Bf16) {
        a_layer_stays_near_f32(Precision::Bf16, 2e-2);
    }
}

/// As a layer; more predictions than float16 can divide by and still tell the gradients of unlikely tokens from 0.
fn the_decoder_stays_near_f32(precision: Precision, bound: f64) {
    let (predictions, vocabulary, hidden) = (700, 900, 24);
    let labels: Vec<u32> = (0..predictions as u32).map(|at| at * 7 % vocabulary as u32).collect();
    let on = |device: Device, precision| {
        let device = device.autodiff();
        let states = leaf::<2>([predictions, hidden], 1, &device).inner();
        let table = leaf::<2>([vocabulary, hidden], 2, &device).inner();
        let bias = leaf::<1>([vocabulary], 3, &device).inner();
        let found = decoder_loss(&states, &table, &bias, &labels, Some(predictions), precision);
        let gradients = found.gradients.unwrap();
        let all = vec![numbers(gradients.states), numbers(gradients.table), numbers(gradients.bias)];
        (found.found.wait().unwrap().loss, all)
    };
    let (loss, expected) = on(Device::flex(), Precision::F32);
    let (ours, found) = on(gpu(), precision);
    assert!((ours / loss - 1.0).abs() < bound, "{ours} {loss}");
    assert_close(&found, &expected, bound);
    let exact = std::panic::catch_unwind(|| assert_close(&found, &expected, bound / 100.0));
    assert!(exact.is_err(), "these are not the products in f32");
    assert_eq!(found, on(gpu(), precision).1, "the same bits");
}

#[test]
fn the_decoder_in_f16_stays_near_the_one_in_f32() {
    if is_here(Precision::F16) {
        the_decoder_stays_near_f32(Precision::F16, 4e-3);
    }
}

#[test]
fn the_decoder_in_bf16_stays_near_the_one_in_f32() {
    if is_here(Precision::Bf16) {
        the_decoder_stays_near_f32(Precision::Bf16, 2e-2);
    }
}

const ADAM: Adam =
    Adam { learning_rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weight_decay: 0.01, gradient_scale: 1.0 };
const CLIPPING: Clipping = Clipping { max_norm: 1.0, added: 1e-6 };

/// Six steps of which the third and the fourth overflow: what the parameters are after each, what was said of each, and the
/// state of the scale at the end.
fn scaled_steps(device: Device, rule: fn(u64) -> AdamRule) -> (Vec<Vec<f32>>, Vec<StepNorm>, Vec<f32>) {
    let device = device.autodiff();
    let vector = |length, seed: u64| leaf::<1>([length], seed, &device).inner();
    let mut scale = LossScale::new(&device);
    let mut state: Vec<(Tensor<1>, Option<Moments<1>>)> =
        (0..).zip([300, 7]).map(|(seed, length)| (vector(length, seed), None)).collect();
    let (mut parameters, mut norms) = (Vec::new(), Vec::new());
    for step in 1..=6 {
        let all = state.into_iter().zip(0..).map(|((parameter, moments), at)| {
            let mut gradient = vector(parameter.dims()[0], 100 * step + at) * scale.factor();
            if at == 1 && (step == 3 || step == 4) {
                gradient = gradient * if step == 3 { f32::INFINITY } else { f32::NAN };
            }
            Trained { parameter, gradient, moments, decays: at == 0 }
        });
        let (updated, norm) = clipped_adam_step(all.collect(), rule(step), &ADAM, CLIPPING, Some(&mut scale));
        norms.push(norm.wait().unwrap());
        parameters.push(updated.iter().flat_map(|(parameter, _)| numbers(parameter.clone())).collect());
        state = updated.into_iter().map(|(parameter, moments)| (parameter, Some(moments))).collect();
    }
    (parameters, norms, scale.numbers().wait().unwrap())
}

/// Those of a GPU against those of the CPU, which are the composed ones.
#[test]
fn a_step_that_overflows_changes_nothing_but_the_scale() {
    for rule in [(|step| AdamRule::AdamW { step }) as fn(u64) -> AdamRule, |_| AdamRule::BertAdam] {
        let [(found, norms, scale), (expected, their_norms, their_scale)] =
            [gpu(), Device::flex()].map(|device| scaled_steps(device, rule));
        assert_close(&found, &expected, 1e-5);
        assert_close(std::slice::from_ref(&scale), &[their_scale], 1e-5);
        assert_eq!((&found[2], &found[3]), (&found[1], &found[1]), "the same bits");
        assert_ne!(found[4], found[3]);
        // The factor, steps since it changed, skipped and taken.
        assert_eq!(scale[..4], [16384.0, 2.0, 2.0, 4.0]);
        for (step, (ours, theirs)) in norms.iter().zip(&their_norms).enumerate() {
            assert_eq!(ours.scaled, theirs.scaled, "{step}");
            let skipped = ours.scaled.unwrap().skipped;
            assert_eq!(skipped, step == 2 || step == 3);
            assert!(skipped != ours.norm.is_finite());
            assert!(skipped || (ours.norm / theirs.norm - 1.0).abs() < 1e-5, "{ours:?} {theirs:?}");
        }
    }
}

/// With a factor that is far too large the gradients of a layer leave the range of float16; the factor falls until they do
/// not, and the first step that is taken is that of f32.
#[test]
fn a_layers_overflow_is_seen_and_the_scale_falls_until_there_is_none() {
    if !is_here(Precision::F16) {
        return;
    }
    let device = gpu().autodiff();
    let heads = AttentionHeads { number: 2, causal: false };
    let packing = Packing::new(&[0, 6, 11], &device);
    let gradient = |factor: Option<Tensor<1>>, precision| {
        let of = layer_weights([24, 40], &device);
        let y = encoder_layer(leaf([11, 24], 13, &device), of.clone(), heads, &packing, None, SITES, precision);
        let loss = (y * leaf([11, 24], 14, &device)).sum();
        let loss = factor.into_iter().fold(loss, |loss, factor| loss * Tensor::from_inner(factor));
        of.qkv_weight.grad_remove(&mut loss.backward()).unwrap().reshape([24 * 72])
    };
    let step = |gradient: Tensor<1>, scale: Option<&mut LossScale>| {
        let parameter = leaf::<1>([24 * 72], 1, &device).inner();
        let all = vec![Trained { parameter, gradient, moments: None, decays: true }];
        let (updated, norm) = clipped_adam_step(all, AdamRule::AdamW { step: 1 }, &ADAM, CLIPPING, scale);
        (numbers(updated[0].0.clone()), norm.wait().unwrap())
    };
    let before = numbers(leaf::<1>([24 * 72], 1, &device).inner());
    let (exact, exact_norm) = step(gradient(None, Precision::F32), None);
    let mut scale = LossScale::from_numbers(&[2e8, 0.0, 0.0, 0.0, 0.0, 0.0], &device).unwrap();
    let mut skipped = 0;
    let (taken, norm) = loop {
        let (after, norm) = step(gradient(Some(scale.factor()), Precision::F16), Some(&mut scale));
        if !norm.scaled.unwrap().skipped {
            break (after, norm);
        }
        skipped += 1;
        assert_eq!(after, before, "the same bits");
        assert!(skipped < 40, "{norm:?}");
    };
    println!("{skipped} steps skipped, then {norm:?}");
    assert!(skipped > 0);
    assert_eq!(norm.scaled.unwrap().skipped_steps, skipped);
    assert!((norm.norm / exact_norm.norm - 1.0).abs() < 4e-3, "{norm:?} {exact_norm:?}");
    assert_close(&[taken], &[exact], 4e-3);
}
