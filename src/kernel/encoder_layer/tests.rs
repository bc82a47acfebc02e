//! The fused layer against the composed one, and parts of it against the whole.

use burn::tensor::{Device, TensorData};

use super::*;
use crate::kernel::comparison::{assert_close, layer_weights, leaf, numbers, run_layer};
use crate::kernel::cpu::isa::forced::with_every_isa;
use crate::kernel::{AttentionHeads, Bf16Support, Isa, SequenceToken};
use crate::random::Stream;

const HIDDEN: usize = 32;
const WIDE: usize = 56;
const HEADS: AttentionHeads = AttentionHeads { number: 4, causal: false };
const CAUSAL: AttentionHeads = AttentionHeads { causal: true, ..HEADS };
const SITES: LayerSites = LayerSites { attention: 2, attention_residual: 3, output_residual: 4 };

/// BERT's form with a causal mask and without; the published GPT's.
fn forms() -> [LayerForm; 3] {
    [HEADS.into(), CAUSAL.into(), LayerForm::openai_gpt(HEADS.number)]
}

fn weights(device: &Device) -> LayerWeights {
    layer_weights([HIDDEN, WIDE], device)
}

fn run(layer: impl Fn(Tensor<2>, LayerWeights, &Packing) -> Tensor<2>, offsets: &[u32]) -> Vec<Vec<f32>> {
    run_layer(layer, [HIDDEN, WIDE], offsets, &Device::flex())
}

#[test]
fn fused_equals_composed_on_ragged_batches() {
    with_every_isa(|_| {
        let batches = [&[0, 7, 8, 19, 24][..], &[0, 6, 12]];
        for (offsets, heads) in batches.into_iter().flat_map(|offsets| forms().map(|form| (offsets, form))) {
            for dropout in [None, Dropout::new(0.2, Stream::new(1, "dropout"), 3)] {
                let dropout = dropout.as_ref();
                let fused = run(|x, w, p| encoder_layer(x, w, heads, p, dropout, SITES, Precision::F32), offsets);
                let composed = run(|x, w, p| composed(x, w, heads, p, dropout, SITES), offsets);
                assert_close(&fused, &composed, 1e-5);
            }
        }
    });
}

/// Other tokens at the end of each sequence, in the fused and in the composed version.
#[test]
fn causal_tokens_do_not_depend_on_later_ones() {
    with_every_isa(|_| {
        let device = Device::flex().autodiff();
        let w = weights(&device);
        for offsets in [&[0, 7, 8, 19][..], &[0, 6, 12]] {
            let packing = Packing::new(offsets, &device);
            let tokens = *offsets.last().unwrap() as usize;
            let x = numbers(leaf::<2>([tokens, HIDDEN], 15, &device));
            let mut other = x.clone();
            for &end in &offsets[1..] {
                other[(end as usize - 1) * HIDDEN..end as usize * HIDDEN].iter_mut().for_each(|x| *x = 1.0 - 2.0 * *x);
            }
            let tensor = |x: &[f32]| Tensor::<2>::from_data(TensorData::new(x.to_vec(), [tokens, HIDDEN]), &device);
            let fused = |x: Tensor<2>, heads| encoder_layer(x, w.clone(), heads, &packing, None, SITES, Precision::F32);
            let composed =
                |x: Tensor<2>, heads: AttentionHeads| composed(x, w.clone(), heads.into(), &packing, None, SITES);
            let versions: [&dyn Fn(Tensor<2>, AttentionHeads) -> Tensor<2>; 2] = [&fused, &composed];
            for (version, heads) in versions.into_iter().flat_map(|version| [(version, HEADS), (version, CAUSAL)]) {
                let rows = |x: &[f32]| numbers(version(tensor(x), heads));
                let (one, two) = (rows(&x), rows(&other));
                for pair in offsets.windows(2).filter(|pair| pair[1] - pair[0] > 1) {
                    let before = pair[0] as usize * HIDDEN..(pair[1] as usize - 1) * HIDDEN;
                    assert_eq!(one[before.clone()] == two[before], heads.causal, "{pair:?}");
                }
            }
        }
    });
}

/// The portable kernels of x86-64 round products before they add them.
#[test]
fn the_bits_in_f32_do_not_depend_on_the_instructions() {
    let first = std::sync::OnceLock::new();
    let dropout = Dropout::new(0.2, Stream::new(1, "dropout"), 3);
    with_every_isa(|isa| {
        if isa > Isa::Portable {
            let layer = |x, w, p: &Packing| encoder_layer(x, w, HEADS, p, dropout.as_ref(), SITES, Precision::F32);
            let found = run(layer, &[0, 7, 8, 30]);
            let bits: Vec<u32> = found.concat().into_iter().map(f32::to_bits).collect();
            assert!(*first.get_or_init(|| bits.clone()) == bits, "{isa:?}");
        }
    });
}

/// Products of bfloat16 numbers lose digits, but no tensor more than 2e-2 of its norm.
#[test]
fn fused_in_bf16_stays_near_composed_in_f32() {
    with_every_isa(|_| {
        if Bf16Support::detect() == Bf16Support::None {
            println!("skipped: this processor does not multiply bfloat16 numbers");
            return;
        }
        let dropout = Dropout::new(0.2, Stream::new(1, "dropout"), 3);
        for (dropout, form) in
            [None, dropout.as_ref()].into_iter().flat_map(|dropout| forms().map(|form| (dropout, form)))
        {
            let offsets = &[0, 7, 8, 19, 24];
            let fused = run(|x, w, p| encoder_layer(x, w, form, p, dropout, SITES, Precision::Bf16), offsets);
            let composed = run(|x, w, p| composed(x, w, form, p, dropout, SITES), offsets);
            assert_close(&fused, &composed, 2e-2);
            let exact = std::panic::catch_unwind(|| assert_close(&fused, &composed, 1e-4));
            assert!(exact.is_err(), "these are not the products in f32");
        }
    });
}

/// Sequences of 1 to 37 tokens, so that chunks of rows have none, one or several of the tokens that are read.
fn many_offsets() -> Vec<u32> {
    let lengths = (0..60).map(|at| 1 + at * 29 % 37);
    std::iter::once(0)
        .chain(lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        }))
        .collect()
}

fn layer<'a>(
    weights: LayerWeights,
    heads: AttentionHeads,
    packing: &'a Packing,
    dropout: Option<&'a Dropout>,
    precision: Precision,
) -> EncoderLayer<'a> {
    EncoderLayer { weights, form: heads.into(), packing, dropout, sites: SITES, precision }
}

#[test]
fn a_token_of_each_sequence_has_the_bits_that_it_has_among_all() {
    with_every_isa(|_| {
        let offsets = many_offsets();
        let dropout = Dropout::new(0.2, Stream::new(1, "dropout"), 3);
        for (token, heads, dropout) in [
            (SequenceToken::First, HEADS, None),
            (SequenceToken::First, HEADS, dropout.as_ref()),
            (SequenceToken::Last, CAUSAL, dropout.as_ref()),
        ] {
            let alone = |precision| {
                run(|x, w, p| layer(w, heads, p, dropout, precision).states_at(&p.rows_of(token), x), &offsets)
            };
            let among = |precision| {
                run(|x, w, p| p.tokens_of(token, layer(w, heads, p, dropout, precision).states(x)), &offsets)
            };
            assert_eq!(alone(Precision::F32), among(Precision::F32), "{token:?}");
            // Products for the gradients of weights add pairs of rows before they round, and here others are pairs.
            if Bf16Support::detect() != Bf16Support::None {
                let [alone, among] = [alone(Precision::Bf16), among(Precision::Bf16)];
                assert_eq!(alone[0], among[0], "{token:?}");
                assert_close(&alone, &among, 1e-2);
            }
        }
    });
}

#[test]
fn parameters_without_gradient_give_the_same_output_and_the_same_gradient_to_the_rest() {
    with_every_isa(|_| {
        let device = Device::flex().autodiff();
        let packing = Packing::new(&[0, 5, 9], &device);
        let all = weights(&device);
        let x: Tensor<2> = leaf([9, HIDDEN], 20, &device);
        let layer = |x: &Tensor<2>, w: &LayerWeights| {
            encoder_layer(x.clone(), w.clone(), HEADS, &packing, None, SITES, Precision::F32)
        };
        let whole = layer(&x, &all);
        let frozen = LayerWeights { qkv_weight: all.qkv_weight.clone().detach(), ..all.clone() };
        let partly = layer(&x, &frozen);
        let without = layer(&x.clone().detach(), &LayerWeights { ..weights(&device) });
        assert_eq!(numbers(whole.clone()), numbers(without));
        assert_eq!(numbers(whole.clone()), numbers(partly.clone()));
        // Without autodiff nothing is kept, and the output is the same.
        let plain = Device::flex();
        assert_eq!(numbers(layer(&leaf([9, HIDDEN], 20, &plain), &weights(&plain))), numbers(whole.clone()));
        let gradient = |y: Tensor<2>| numbers(x.grad(&y.sum().backward()).unwrap());
        assert_eq!(gradient(whole), gradient(partly));
    });
}
