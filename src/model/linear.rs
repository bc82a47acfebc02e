//! The parts that every model is made of.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, module::linear};

/// An affine map.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`
    pub bias: Param<Tensor<1>>,
}

/// The scale and shift of a layer norm.
#[derive(Module, Debug)]
pub struct Norm {
    /// γ, `[hidden]`
    pub gamma: Param<Tensor<1>>,
    /// β, `[hidden]`
    pub beta: Param<Tensor<1>>,
}

impl Linear {
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        linear(x, self.weight.val(), Some(self.bias.val()))
    }
}
