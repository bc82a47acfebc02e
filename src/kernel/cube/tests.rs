//! Every operation on a GPU against the composed one on the CPU. `just test-gpu` runs these on whatever device there is.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::mask::{draw, mask_args};
use super::tensor::{cubes, empty, primitive, units, upload};
use crate::kernel::comparison::{assert_close, leaf, numbers, random_rows, run_layer};
use crate::kernel::cpu::Mask as CpuMask;
use crate::kernel::encoder_layer::composed;
use crate::kernel::{
    Adam, AdamRule, AttentionHeads, Clipping, Dropout, EmbeddingTables, EncoderLayer, LayerSites, LayerWeights,
    Moments, Packing, Precision, SequenceToken, TokenRows, Trained, clipped_adam_step, decoder, decoder_loss,
    embeddings, indices,
};
use crate::random::Stream;

pub(super) const SITES: LayerSites = LayerSites { attention: 2, attention_residual: 3, output_residual: 4 };

pub(super) fn gpu() -> Device {
    #[cfg(feature = "cuda")]
    return Device::cuda(0usize);
    #[cfg(all(feature = "vulkan", not(feature = "cuda")))]
    return Device::vulkan(burn::tensor::DeviceKind::DefaultDevice);
    #[cfg(all(feature = "wgpu", not(feature = "vulkan"), not(feature = "cuda")))]
    return Device::wgpu(burn::tensor::DeviceKind::DefaultDevice);
}

#[test]
fn masks_have_the_bits_of_the_cpus() {
    let on = primitive(Tensor::<1>::zeros([1], &gpu()));
    for (p, step, number, first, rows, width) in
        [(0.1, 3, 5, 0, 40, 30), (0.5, (9 << 32) + 7, 0, 1000, 3, 300), (0.9, 1, 77, (1 << 30) - 2, 5, 8)]
    {
        let site = CpuMask::new(p, Stream::new(5, "dropout"), step).unwrap().site(number, width);
        let out = empty(&on, [rows * width]);
        let arg = out.clone().into_buffer_arg();
        let (args, first_row) = (mask_args(Some(&site)), first as u32);
        draw::launch(&on.client, cubes(rows), units(8), arg, args, first_row, rows as u32, width);
        let mut expected = vec![1.0; rows * width];
        site.multiply(first, width, &mut expected);
        let found = numbers(Tensor::<1>::from_primitive::<burn::backend::Cube>(out));
        assert_eq!(found, expected);
        assert!(expected.iter().any(|&factor| factor < 1.0) && expected.iter().any(|&factor| factor > 1.0));
    }
}

/// The numbers of rows of a batch, ascending.
type Rows = fn(&Packing) -> Arc<[u32]>;

/// A layer and a batch, of which some rows are read or all.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) sizes: [usize; 2],
    pub(super) heads: AttentionHeads,
    pub(super) offsets: &'a [u32],
    pub(super) dropout: Option<&'a Dropout>,
    pub(super) read: Option<Rows>,
}

impl Case<'_> {
    /// The output and the gradients of all inputs on the GPU.
    fn fused(self, precision: Precision) -> Vec<Vec<f32>> {
        let Self { heads, dropout, read, .. } = self;
        let layer = |x: Tensor<2>, weights: LayerWeights, packing: &Packing| {
            let layer = EncoderLayer { weights, form: heads.into(), packing, dropout, sites: SITES, precision };
            assert!(layer.form.is_fused_on(&x.device()));
            match read {
                Some(read) => layer.states_at(&read(packing), x),
                None => layer.states(x),
            }
        };
        run_layer(layer, self.sizes, self.offsets, &gpu())
    }

    /// As [`Self::fused`], of burn's operations in f32 on the CPU.
    fn composed(self) -> Vec<Vec<f32>> {
        let Self { heads, dropout, read, .. } = self;
        let layer = |x: Tensor<2>, weights: LayerWeights, packing: &Packing| {
            let y = composed(x, weights, heads.into(), packing, dropout, SITES);
            match read {
                Some(read) => y.clone().select(0, indices(read(packing).iter().copied(), &y.device())),
                None => y,
            }
        };
        run_layer(layer, self.sizes, self.offsets, &Device::flex())
    }

    /// The fused one is within `bound` of the composed one, and has the same bits twice. Gives both.
    pub(super) fn agrees(self, precision: Precision, bound: f64) -> [Vec<Vec<f32>>; 2] {
        let (found, expected) = (self.fused(precision), self.composed());
        assert_close(&found, &expected, bound);
        assert_eq!(found, self.fused(precision), "the same bits");
        [found, expected]
    }
}

pub(super) const FIRST: Option<Rows> = Some(|packing| packing.rows_of(SequenceToken::First));
const LAST: Option<Rows> = Some(|packing| packing.rows_of(SequenceToken::Last));
const MANY: Option<Rows> = Some(|packing| (0..packing.tokens() as u32).filter(|row| row % 3 != 1).collect());

/// Ragged batches, of which one is longer than a cube has queries; widths that divide by nothing; both directions. Rows that
/// nobody reads are left out after the attention, and change neither the others nor any gradient; masks are those of the
/// whole batch.
#[test]
fn a_layer_and_every_gradient_are_those_of_the_composed_one() {
    let drop = Dropout::new(0.2, Stream::new(1, "dropout"), 3);
    let drop = drop.as_ref();
    for (sizes, number, offsets) in
        [([32, 56], 4, &[0, 7, 8, 19, 30][..]), ([30, 45], 3, &[0, 5, 75, 76]), ([136, 24], 1, &[0, 9, 20])]
    {
        let whole = [(None, false, None), (None, true, None), (None, false, drop), (None, true, drop)];
        let some = [(FIRST, false, None), (FIRST, false, drop), (LAST, true, drop), (MANY, false, drop)];
        for (read, causal, dropout) in whole.into_iter().chain(some) {
            let heads = AttentionHeads { number, causal };
            Case { sizes, heads, offsets, dropout, read }.agrees(Precision::F32, 2e-5);
        }
    }
}

/// Sequences of one length, and a batch of one sequence of one token.
#[test]
fn even_batches_and_single_tokens() {
    for offsets in [&[0, 6, 12][..], &[0, 1]] {
        let heads = AttentionHeads { number: 2, causal: false };
        let case = Case { sizes: [24, 40], heads, offsets, dropout: None, read: None };
        let (found, expected) = (case.fused(Precision::F32), case.composed());
        assert!(found.iter().flatten().all(|x| x.is_finite()));
        assert_close(&found[..1], &expected[..1], 2e-5);
    }
}

type Embed = fn(EmbeddingTables, &TokenRows, Option<&Dropout>, u32) -> Tensor<2>;

fn run_embeddings(of: Embed, hidden: usize, dropout: Option<&Dropout>, device: Device) -> Vec<Vec<f32>> {
    const SIZES: [usize; 3] = [50, 30, 2];
    let device = device.autodiff();
    let [word, position, segment] = [0, 1, 2].map(|table| leaf([SIZES[table], hidden], table as u64, &device));
    let [gamma, beta] = [3, 4].map(|seed| leaf([hidden], seed, &device));
    let [ids, positions, segments] = SIZES.map(|size| random_rows(75, size));
    let rows = TokenRows { ids, positions, segments };
    let tables = EmbeddingTables { word, position, segment, gamma, beta };
    let y = of(tables.clone(), &rows, dropout, 9);
    let mut gradients = (y.clone() * leaf([75, hidden], 5, &device)).sum().backward();
    let mut found = vec![numbers(y.inner())];
    for table in [tables.word, tables.position, tables.segment] {
        found.push(numbers(table.grad_remove(&mut gradients).unwrap()));
    }
    for vector in [tables.gamma, tables.beta] {
        found.push(numbers(vector.grad_remove(&mut gradients).unwrap()));
    }
    found
}

#[test]
fn embeddings_and_every_gradient_are_those_of_the_composed_ones() {
    for hidden in [48, 77, 2100] {
        for dropout in [None, Dropout::new(0.3, Stream::new(1, "dropout"), 4)] {
            let found = run_embeddings(embeddings, hidden, dropout.as_ref(), gpu());
            let composed = crate::kernel::embeddings::composed;
            let expected = run_embeddings(composed, hidden, dropout.as_ref(), Device::flex());
            assert_close(&found, &expected, 2e-5);
        }
    }
}

#[test]
fn the_decoders_loss_and_gradients_are_those_of_the_composed_one() {
    let (predictions, vocabulary, hidden) = (300, 83, 24);
    let labels: Vec<u32> = (0..predictions as u32).map(|at| at * 7 % vocabulary as u32).collect();
    let on = |device: Device| {
        let device = device.autodiff();
        let states = leaf::<2>([predictions, hidden], 1, &device).inner();
        let table = leaf::<2>([vocabulary, hidden], 2, &device).inner();
        (states, table, leaf::<1>([vocabulary], 3, &device).inner())
    };
    let (states, table, bias) = on(gpu());
    let found = decoder_loss(&states, &table, &bias, &labels, Some(predictions), Precision::F32);
    let without = decoder_loss(&states, &table, &bias, &labels, None, Precision::F32);
    let (states, table, bias) = on(Device::flex());
    let expected = decoder::composed(&states, &table, &bias, &labels, Some(1.0 / predictions as f32));
    let [ours, composed] = [found.found, expected.found].map(|found| found.wait().unwrap());
    assert!((ours.loss / composed.loss - 1.0).abs() < 1e-5, "{ours:?} {composed:?}");
    assert_eq!(ours.right, composed.right);
    assert_eq!(without.found.wait(), Ok(ours));
    assert!(without.gradients.is_none());
    let all = |gradients: Option<crate::kernel::DecoderGradients>| {
        let gradients = gradients.unwrap();
        [numbers(gradients.states), numbers(gradients.table), numbers(gradients.bias)]
    };
    assert_close(&all(found.gradients), &all(expected.gradients), 2e-5);
}

/// More tensors than one launch takes, of lengths from 1 to more than a cube's; the norm and its clipping on the device.
#[test]
fn steps_of_the_optimizer_are_the_cpus() {
    const LENGTHS: [usize; 11] = [1, 7, 300, 64, 2, 1000, 256, 5, 33, 17, 70_000];
    let run = |device: Device, rule: fn(u64) -> AdamRule, max_norm: f64| {
        let device = device.autodiff();
        let vector = |length, seed: u64| leaf::<1>([length], seed, &device).inner();
        let mut state: Vec<(Tensor<1>, Option<Moments<1>>)> =
            (0..).zip(LENGTHS).map(|(seed, length)| (vector(length, seed), None)).collect();
        let mut norms = Vec::new();
        for step in 1..4 {
            let all = state.into_iter().zip(0..).map(|((parameter, moments), at)| {
                let gradient = vector(parameter.dims()[0], 100 * step + at);
                Trained { parameter, gradient, moments, decays: at % 2 == 0 }
            });
            let with = Adam {
                learning_rate: 1e-2,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-6,
                weight_decay: 0.01,
                gradient_scale: 1.0,
            };
            let clipping = Clipping { max_norm, added: 1e-6 };
            let (updated, norm) = clipped_adam_step(all.collect(), rule(step), &with, clipping, None);
            norms.push(norm.wait().unwrap().norm as f32);
            state = updated.into_iter().map(|(parameter, moments)| (parameter, Some(moments))).collect();
        }
        let mut found = vec![norms];
        for (parameter, moments) in state {
            let Moments { first, second, .. } = moments.unwrap();
            found.extend([numbers(parameter), numbers(first), numbers(second)]);
        }
        found
    };
    for (rule, max_norm) in
        [((|step| AdamRule::AdamW { step }) as fn(u64) -> AdamRule, 1.0), (|_| AdamRule::BertAdam, 1e6)]
    {
        assert_close(&run(gpu(), rule, max_norm), &run(Device::flex(), rule, max_norm), 1e-5);
    }
}

/// Who holds a parameter keeps its numbers.
#[test]
fn a_parameter_that_is_held_is_not_overwritten() {
    let device = gpu();
    let parameter = Tensor::<1>::from_data(TensorData::new(vec![1.0f32, 2.0], [2]), &device);
    let held = parameter.clone();
    let gradient = Tensor::<1>::ones([2], &device);
    let all = vec![Trained { parameter, gradient, moments: None, decays: false }];
    let with =
        Adam { learning_rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weight_decay: 0.0, gradient_scale: 1.0 };
    let clipping = Clipping { max_norm: 1.0, added: 0.0 };
    let (updated, _) = clipped_adam_step(all, AdamRule::AdamW { step: 1 }, &with, clipping, None);
    assert_eq!(numbers(held), [1.0, 2.0]);
    assert!(
        numbers(updated[0].0.clone())
            .iter()
            .zip([1.0, 2.0])
            .all(|(after, before)| (before - after - 0.1f32).abs() < 1e-4)
    );
}

#[test]
fn dropout_of_any_tensor_is_the_cpus() {
    let dropout = Dropout::new(0.4, Stream::new(1, "dropout"), 3).unwrap();
    let run = |device: Device| {
        let x = leaf::<2>([9, 30], 1, &device.autodiff());
        let y = dropout.apply(x.clone(), 5);
        [numbers(y.clone().inner()), numbers(x.grad(&y.sum().backward()).unwrap())]
    };
    assert_eq!(run(gpu()), run(Device::flex()));
}

#[test]
fn uploads_arrive() {
    let on = primitive(Tensor::<1>::zeros([1], &gpu()));
    let there = upload(&on, &[3, 1, u32::MAX]);
    let bytes = on.client.read_one(there.handle).unwrap();
    assert_eq!(u32::from_bytes(&bytes), [3, 1, u32::MAX]);
}
