//! One transformer layer: attention and feed-forward, each with its residual and norm after it.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::{Tensor, module::linear};

use super::cpu::{LayerDropout, LayerShape};
use super::feed_forward::activation;
use super::fused::{self, Fused, LayerCall, LayerTensors};
use super::{Dropout, LayerForm, Packing, Precision, SequenceToken, attention, residual_norm};

/// The parameters of a layer; weights are `[inputs, outputs]`.
#[derive(Clone, Debug)]
pub struct LayerWeights {
    /// Query, key and value in one projection: `[hidden, 3 × hidden]`.
    pub qkv_weight: Tensor<2>,
    /// `[3 × hidden]`
    pub qkv_bias: Tensor<1>,
    /// Output projection of the attention, `[hidden, hidden]`.
    pub attention_weight: Tensor<2>,
    /// `[hidden]`
    pub attention_bias: Tensor<1>,
    /// γ of the norm after the attention's residual, `[hidden]`.
    pub attention_gamma: Tensor<1>,
    /// β, `[hidden]`
    pub attention_beta: Tensor<1>,
    /// `[hidden, intermediate]`
    pub intermediate_weight: Tensor<2>,
    /// `[intermediate]`
    pub intermediate_bias: Tensor<1>,
    /// `[intermediate, hidden]`
    pub output_weight: Tensor<2>,
    /// `[hidden]`
    pub output_bias: Tensor<1>,
    /// γ of the norm after the feed-forward's residual, `[hidden]`.
    pub output_gamma: Tensor<1>,
    /// β, `[hidden]`
    pub output_beta: Tensor<1>,
}

/// Numbers of the places in a layer where dropout is applied; see [`Dropout::apply`].
#[derive(Clone, Copy, Debug)]
pub struct LayerSites {
    /// On the attention's probabilities.
    pub attention: u32,
    /// Before the attention's residual.
    pub attention_residual: u32,
    /// Before the feed-forward's residual.
    pub output_residual: u32,
}

/// One layer (Devlin et al. 2018; Vaswani et al. 2017 §3), `[tokens, hidden] → [tokens, hidden]`:
///
/// ```text
/// h = norm(x + dropout(attention(x Wqkv + bqkv) Wa + ba))
/// y = norm(h + dropout(gelu(h Wi + bi) Wo + bo))
/// ```
///
/// `precision` is heeded where the fused kernels run and the device has it; elsewhere everything is in f32.
#[must_use]
pub fn encoder_layer(
    hidden: Tensor<2>,
    weights: LayerWeights,
    form: impl Into<LayerForm>,
    packing: &Packing,
    dropout: Option<&Dropout>,
    sites: LayerSites,
    precision: Precision,
) -> Tensor<2> {
    let form = form.into();
    EncoderLayer { weights, form, packing, dropout, sites, precision }.states(hidden)
}

/// A layer and its batch; see [`encoder_layer`].
#[derive(Clone, Debug)]
pub struct EncoderLayer<'a> {
    /// The parameters.
    pub weights: LayerWeights,
    /// What it is besides.
    pub form: LayerForm,
    /// Where the sequences are.
    pub packing: &'a Packing,
    /// The dropout of a training step.
    pub dropout: Option<&'a Dropout>,
    /// The numbers of its places.
    pub sites: LayerSites,
    /// Heeded where the fused kernels run and the device has it.
    pub precision: Precision,
}

impl EncoderLayer<'_> {
    /// The state of every token: `[tokens, hidden] → [tokens, hidden]`.
    #[must_use]
    pub fn states(self, hidden: Tensor<2>) -> Tensor<2> {
        if self.is_fused(&hidden) { self.fused(hidden, None) } else { self.composed(hidden) }
    }

    /// The state of one token of each sequence: `[tokens, hidden] → [batch, hidden]`. On the CPU what no such token needs is
    /// not computed: after the attention, only they are left.
    #[must_use]
    pub fn states_of(self, token: SequenceToken, hidden: Tensor<2>) -> Tensor<2> {
        let packing = self.packing;
        if fused::is_cpu(&hidden.device()) && packing.offsets().windows(2).all(|pair| pair[0] < pair[1]) {
            return self.fused(hidden, Some(packing.rows_of(token)));
        }
        packing.tokens_of(token, self.states(hidden))
    }

    /// The kernels for GPUs are of BERT's form alone.
    fn is_fused(&self, hidden: &Tensor<2>) -> bool {
        let device = hidden.device();
        fused::is_cpu(&device) || (fused::runs_on(&device) && self.form == LayerForm::from(self.form.heads))
    }

    fn composed(self, hidden: Tensor<2>) -> Tensor<2> {
        composed(hidden, self.weights, self.form, self.packing, self.dropout, self.sites)
    }

    fn fused(self, hidden: Tensor<2>, read: Option<Arc<[u32]>>) -> Tensor<2> {
        let Self { weights, form, packing, dropout, sites, precision } = self;
        let ([tokens, width], [_, intermediate]) = (hidden.dims(), weights.intermediate_weight.dims());
        let call = LayerCall {
            shape: LayerShape { tokens, hidden: width, form, intermediate },
            packing: packing.clone(),
            dropout: dropout.map(|dropout| LayerDropout {
                mask: dropout.mask(),
                attention_site: sites.attention,
                attention_residual_site: sites.attention_residual,
                output_residual_site: sites.output_residual,
            }),
            precision,
            read,
        };
        let tensors = LayerTensors {
            hidden: hidden.into_dispatch(),
            qkv_weight: weights.qkv_weight.into_dispatch(),
            qkv_bias: weights.qkv_bias.into_dispatch(),
            attention_weight: weights.attention_weight.into_dispatch(),
            attention_bias: weights.attention_bias.into_dispatch(),
            attention_gamma: weights.attention_gamma.into_dispatch(),
            attention_beta: weights.attention_beta.into_dispatch(),
            intermediate_weight: weights.intermediate_weight.into_dispatch(),
            intermediate_bias: weights.intermediate_bias.into_dispatch(),
            output_weight: weights.output_weight.into_dispatch(),
            output_bias: weights.output_bias.into_dispatch(),
            output_gamma: weights.output_gamma.into_dispatch(),
            output_beta: weights.output_beta.into_dispatch(),
        };
        Tensor::from_dispatch(<Dispatch as Fused>::fused_layer(tensors, call))
    }
}

/// [`encoder_layer`] of burn's own operations, on every backend.
pub(super) fn composed(
    x: Tensor<2>,
    weights: LayerWeights,
    form: LayerForm,
    packing: &Packing,
    dropout: Option<&Dropout>,
    sites: LayerSites,
) -> Tensor<2> {
    let w = weights;
    let qkv = linear(x.clone(), w.qkv_weight, Some(w.qkv_bias));
    let context = attention(qkv, form.heads, packing, dropout, sites.attention);
    let attended = linear(context, w.attention_weight, Some(w.attention_bias));
    let (at, epsilon) = (sites.attention_residual, form.epsilon);
    let h = residual_norm(attended, x, w.attention_gamma, w.attention_beta, dropout, at, epsilon);
    let wide = activation(linear(h.clone(), w.intermediate_weight, Some(w.intermediate_bias)), form.gelu);
    let narrow = linear(wide, w.output_weight, Some(w.output_bias));
    residual_norm(narrow, h, w.output_gamma, w.output_beta, dropout, sites.output_residual, epsilon)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::kernel::{AttentionHeads, Bf16Support, Isa};

    use crate::kernel::comparison::{assert_close, leaf};
    use crate::kernel::cpu::isa::forced::with_every_isa;
    use crate::random::Stream;

    const HIDDEN: usize = 32;
    const WIDE: usize = 56;
    const HEADS: AttentionHeads = AttentionHeads { number: 4, causal: false };
    const CAUSAL: AttentionHeads = AttentionHeads { causal: true, ..HEADS };
    const SITES: LayerSites = LayerSites { attention: 2, attention_residual: 3, output_residual: 4 };

    fn weights(device: &Device) -> LayerWeights {
        let matrix = |rows, columns, seed| {
            let normal: Tensor<2> = leaf([rows, columns], seed, device);
            Tensor::from_inner(normal.inner().mul_scalar(0.2)).require_grad()
        };
        LayerWeights {
            qkv_weight: matrix(HIDDEN, 3 * HIDDEN, 1),
            qkv_bias: leaf([3 * HIDDEN], 2, device),
            attention_weight: matrix(HIDDEN, HIDDEN, 3),
            attention_bias: leaf([HIDDEN], 4, device),
            attention_gamma: leaf([HIDDEN], 5, device),
            attention_beta: leaf([HIDDEN], 6, device),
            intermediate_weight: matrix(HIDDEN, WIDE, 7),
            intermediate_bias: leaf([WIDE], 8, device),
            output_weight: matrix(WIDE, HIDDEN, 9),
            output_bias: leaf([HIDDEN], 10, device),
            output_gamma: leaf([HIDDEN], 11, device),
            output_beta: leaf([HIDDEN], 12, device),
        }
    }

    /// The output and the gradients of all inputs for one of the two.
    fn run(layer: impl Fn(Tensor<2>, LayerWeights, &Packing) -> Tensor<2>, offsets: &[u32]) -> Vec<Vec<f32>> {
        let device = Device::flex().autodiff();
        let tokens = *offsets.last().unwrap() as usize;
        let w = weights(&device);
        // Transposed twice: its numbers are not one after the other in memory.
        let x: Tensor<2> = leaf([HIDDEN, tokens], 13, &device);
        let y = layer(x.clone().transpose(), w.clone(), &Packing::new(offsets, &device));
        let dy = leaf(y.dims(), 14, &device);
        let mut gradients = (y.clone() * dy).sum().backward();
        let matrices = [x, w.qkv_weight, w.attention_weight, w.intermediate_weight, w.output_weight];
        let vectors = [
            w.qkv_bias,
            w.attention_bias,
            w.attention_gamma,
            w.attention_beta,
            w.intermediate_bias,
            w.output_bias,
            w.output_gamma,
            w.output_beta,
        ];
        let mut found = vec![y.into_data()];
        found.extend(matrices.map(|matrix| matrix.grad_remove(&mut gradients).unwrap().into_data()));
        found.extend(vectors.map(|vector| vector.grad_remove(&mut gradients).unwrap().into_data()));
        found.into_iter().map(|data| data.try_to_vec().unwrap()).collect()
    }

    #[test]
    fn fused_equals_composed_on_ragged_batches() {
        with_every_isa(|_| {
            for (offsets, heads) in [&[0, 7, 8, 19, 24][..], &[0, 6, 12]].into_iter().flat_map(|offsets| {
                let forms: [LayerForm; 3] = [HEADS.into(), CAUSAL.into(), LayerForm::openai_gpt(HEADS.number)];
                forms.map(|form| (offsets, form))
            }) {
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
                let x: Vec<f32> = leaf::<2>([tokens, HIDDEN], 15, &device).into_data().try_to_vec().unwrap();
                let mut other = x.clone();
                for &end in &offsets[1..] {
                    other[(end as usize - 1) * HIDDEN..end as usize * HIDDEN]
                        .iter_mut()
                        .for_each(|x| *x = 1.0 - 2.0 * *x);
                }
                let tensor = |x: &[f32]| Tensor::<2>::from_data(TensorData::new(x.to_vec(), [tokens, HIDDEN]), &device);
                let fused =
                    |x: Tensor<2>, heads| encoder_layer(x, w.clone(), heads, &packing, None, SITES, Precision::F32);
                let composed =
                    |x: Tensor<2>, heads: AttentionHeads| composed(x, w.clone(), heads.into(), &packing, None, SITES);
                let versions: [&dyn Fn(Tensor<2>, AttentionHeads) -> Tensor<2>; 2] = [&fused, &composed];
                for (version, heads) in versions.into_iter().flat_map(|version| [(version, HEADS), (version, CAUSAL)]) {
                    let rows = |x: &[f32]| version(tensor(x), heads).into_data().try_to_vec::<f32>().unwrap();
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
            for (dropout, heads) in
                [(None, HEADS), (dropout.as_ref(), HEADS), (None, CAUSAL), (dropout.as_ref(), CAUSAL)]
            {
                let offsets = &[0, 7, 8, 19, 24];
                let fused = run(|x, w, p| encoder_layer(x, w, heads, p, dropout, SITES, Precision::Bf16), offsets);
                let composed = run(|x, w, p| composed(x, w, heads.into(), p, dropout, SITES), offsets);
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
                let alone =
                    |precision| run(|x, w, p| layer(w, heads, p, dropout, precision).states_of(token, x), &offsets);
                let among = |precision| {
                    run(|x, w, p| p.tokens_of(token, layer(w, heads, p, dropout, precision).states(x)), &offsets)
                };
                // Products in bf16 add pairs of rows before they round, and others are pairs here.
                assert_eq!(alone(Precision::F32), among(Precision::F32), "{token:?}");
                if Bf16Support::detect() != Bf16Support::None {
                    assert_close(&alone(Precision::Bf16), &among(Precision::Bf16), 1e-2);
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
            let bits = |t: Tensor<2>| t.into_data().try_to_vec::<f32>().unwrap();
            let frozen = LayerWeights { qkv_weight: all.qkv_weight.clone().detach(), ..all.clone() };
            let partly = layer(&x, &frozen);
            let without = layer(&x.clone().detach(), &LayerWeights { ..weights(&device) });
            assert_eq!(bits(whole.clone()), bits(without));
            assert_eq!(bits(whole.clone()), bits(partly.clone()));
            let gradient = |y: Tensor<2>| bits(x.grad(&y.sum().backward()).unwrap());
            let (from_whole, from_partly) = (gradient(whole), gradient(partly));
            assert_eq!(from_whole, from_partly);
            // Without autodiff nothing is kept, and the output is the same.
            let plain = Device::flex();
            let inner = layer(&Tensor::from_inner(x.inner()), &all);
            assert!(inner.device() == plain);
        });
    }
}
