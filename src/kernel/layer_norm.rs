//! Layer norm, and the residual branch that ends in one.

use burn::tensor::{Tensor, module::layer_norm};

use super::Dropout;
use super::layer_form::LAYER_NORM_EPSILON;

/// LayerNorm(dropout(x) + residual) × γ + β, with `epsilon` added to the variance. `[tokens, hidden]` twice → `[tokens, hidden]`.
#[must_use]
pub fn residual_norm(
    x: Tensor<2>,
    residual: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    dropout: Option<&Dropout>,
    dropout_site: u32,
    epsilon: f64,
) -> Tensor<2> {
    let x = match dropout {
        Some(dropout) => dropout.apply(x, dropout_site),
        None => x,
    };
    layer_norm(x + residual, gamma, Some(beta), epsilon)
}

/// BERT's layer norm over the last dimension, `[tokens, hidden] → [tokens, hidden]`.
pub(super) fn norm(x: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<2> {
    layer_norm(x, gamma, Some(beta), LAYER_NORM_EPSILON)
}
