//! The wide half of the feed-forward layer.

use burn::tensor::{Tensor, activation::gelu, module::linear};

use super::Gelu;

/// GELU(x W + b), GELU in its exact form x Φ(x). `[tokens, hidden] → [tokens, intermediate]`, W as
/// `[hidden, intermediate]`.
#[must_use]
pub fn linear_gelu(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    gelu(linear(x, weight, Some(bias)))
}

/// A form of GELU of each number.
pub(super) fn activation(u: Tensor<2>, form: Gelu) -> Tensor<2> {
    match form {
        Gelu::Exact => gelu(u),
        Gelu::Tanh => burn::tensor::activation::gelu_approximate(u),
    }
}
