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

/// The parameters of a layer, or something for each of them: `M` is of a matrix, `[inputs, outputs]`, and `V` of a vector.
#[derive(Clone, Copy, Debug)]
pub struct PerParameter<M, V = M> {
    /// Query, key and value in one projection: `[hidden, 3 × hidden]`.
    pub qkv_weight: M,
    /// `[3 × hidden]`
    pub qkv_bias: V,
    /// Output projection of the attention, `[hidden, hidden]`.
    pub attention_weight: M,
    /// `[hidden]`
    pub attention_bias: V,
    /// γ of the norm after the attention's residual, `[hidden]`.
    pub attention_gamma: V,
    /// β, `[hidden]`
    pub attention_beta: V,
    /// `[hidden, intermediate]`
    pub intermediate_weight: M,
    /// `[intermediate]`
    pub intermediate_bias: V,
    /// `[intermediate, hidden]`
    pub output_weight: M,
    /// `[hidden]`
    pub output_bias: V,
    /// γ of the norm after the feed-forward's residual, `[hidden]`.
    pub output_gamma: V,
    /// β, `[hidden]`
    pub output_beta: V,
}

impl<T> PerParameter<T> {
    /// Those of the parameters in the order of the fields.
    pub fn of(all: [T; 12]) -> Self {
        let [
            qkv_weight,
            qkv_bias,
            attention_weight,
            attention_bias,
            attention_gamma,
            attention_beta,
            intermediate_weight,
            intermediate_bias,
            output_weight,
            output_bias,
            output_gamma,
            output_beta,
        ] = all;
        Self {
            qkv_weight,
            qkv_bias,
            attention_weight,
            attention_bias,
            attention_gamma,
            attention_beta,
            intermediate_weight,
            intermediate_bias,
            output_weight,
            output_bias,
            output_gamma,
            output_beta,
        }
    }
}

/// Where the gradients of the loss go; all are overwritten.
#[derive(Debug)]
pub struct LayerGradients<'a> {
    /// `[tokens, hidden]`
    pub x: &'a mut [f32],
    /// Row by row.
    pub parameters: PerParameter<&'a mut [f32]>,
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
