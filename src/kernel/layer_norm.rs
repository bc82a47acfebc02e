//! Layer norm, and the residual branch that ends in one.

use burn::tensor::{Tensor, module::layer_norm};

use super::layer_form::LAYER_NORM_EPSILON;
use super::{Dropout, dropped};

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
    layer_norm(dropped(x, dropout, dropout_site) + residual, gamma, Some(beta), epsilon)
}

/// BERT's layer norm over the last dimension, `[tokens, hidden] → [tokens, hidden]`.
pub(super) fn norm(x: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<2> {
    layer_norm(x, gamma, Some(beta), LAYER_NORM_EPSILON)
}
