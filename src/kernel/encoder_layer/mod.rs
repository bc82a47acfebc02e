//! One transformer layer: attention and feed-forward, each with its residual and norm after it.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::{Tensor, module::linear};

use crate::kernel::cpu::{LayerDropout, LayerShape, PerParameter};
use crate::kernel::feed_forward::activation;
use crate::kernel::fused::{Fused, LayerCall, LayerTensors};
use crate::kernel::indices::indices;
use crate::kernel::{Dropout, LayerForm, Packing, Precision, attention, residual_norm};

/// The parameters of a layer.
pub type LayerWeights = PerParameter<Tensor<2>, Tensor<1>>;

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
        if self.form.is_fused_on(&hidden.device()) { self.fused(hidden, None) } else { self.composed(hidden) }
    }

    /// The states at `rows`, ascending: `[tokens, hidden] → [rows, hidden]`. Where its form [is fused](LayerForm::is_fused_on), what none of them
    /// needs is not computed: after the attention, only they are left. In f32 on the CPU they have the bits that they have
    /// among all, and so have all gradients.
    #[must_use]
    pub fn states_at(self, rows: &Arc<[u32]>, hidden: Tensor<2>) -> Tensor<2> {
        let device = hidden.device();
        if self.form.is_fused_on(&device) {
            return self.fused(hidden, Some(rows.clone()));
        }
        self.states(hidden).select(0, indices(rows.iter().copied(), &device))
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
mod tests;
