//! What a layer computes with: its sizes, its weights, where their gradients go, its masks.

use crate::kernel::LayerForm;
use crate::kernel::cpu::mask::Mask;

/// The sizes of a layer and its batch.
#[derive(Clone, Copy, Debug)]
pub struct LayerShape {
    /// Rows of the batch.
    pub tokens: usize,
    /// Width of the hidden states.
    pub hidden: usize,
    /// Attention, whose heads divide `hidden`, activation and norms.
    pub form: LayerForm,
    /// Width of the feed-forward layer.
    pub intermediate: usize,
}

/// The parameters of a layer, row by row; weights are `[inputs, outputs]`.
#[derive(Clone, Copy, Debug)]
pub struct LayerParameters<'a> {
    /// `[hidden, 3 × hidden]`: queries, keys and values side by side.
    pub qkv_weight: &'a [f32],
    /// `[3 × hidden]`
    pub qkv_bias: &'a [f32],
    /// `[hidden, hidden]`
    pub attention_weight: &'a [f32],
    /// `[hidden]`
    pub attention_bias: &'a [f32],
    /// γ of the norm after the attention, `[hidden]`.
    pub attention_gamma: &'a [f32],
    /// β of the norm after the attention, `[hidden]`.
    pub attention_beta: &'a [f32],
    /// `[hidden, intermediate]`
    pub intermediate_weight: &'a [f32],
    /// `[intermediate]`
    pub intermediate_bias: &'a [f32],
    /// `[intermediate, hidden]`
    pub output_weight: &'a [f32],
    /// `[hidden]`
    pub output_bias: &'a [f32],
    /// γ of the norm after the feed-forward layer, `[hidden]`.
    pub output_gamma: &'a [f32],
    /// β of the norm after the feed-forward layer, `[hidden]`.
    pub output_beta: &'a [f32],
}

/// Where the gradients of the loss go; all are overwritten. Shapes as in [`LayerParameters`].
#[derive(Debug)]
pub struct LayerGradients<'a> {
    /// `[tokens, hidden]`
    pub x: &'a mut [f32],
    /// `[hidden, 3 × hidden]`
    pub qkv_weight: &'a mut [f32],
    /// `[3 × hidden]`
    pub qkv_bias: &'a mut [f32],
    /// `[hidden, hidden]`
    pub attention_weight: &'a mut [f32],
    /// `[hidden]`
    pub attention_bias: &'a mut [f32],
    /// `[hidden]`
    pub attention_gamma: &'a mut [f32],
    /// `[hidden]`
    pub attention_beta: &'a mut [f32],
    /// `[hidden, intermediate]`
    pub intermediate_weight: &'a mut [f32],
    /// `[intermediate]`
    pub intermediate_bias: &'a mut [f32],
    /// `[intermediate, hidden]`
    pub output_weight: &'a mut [f32],
    /// `[hidden]`
    pub output_bias: &'a mut [f32],
    /// `[hidden]`
    pub output_gamma: &'a mut [f32],
    /// `[hidden]`
    pub output_beta: &'a mut [f32],
}

/// The masks of a layer in training.
#[derive(Clone, Copy, Debug)]
pub struct LayerDropout {
    /// The masks of this step.
    pub mask: Mask,
    /// The site of the attention probabilities.
    pub attention_site: u32,
    /// The site of the residual branch of the attention.
    pub attention_residual_site: u32,
    /// The site of the residual branch of the feed-forward layer.
    pub output_residual_site: u32,
}
