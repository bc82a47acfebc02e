//! The parts that every model is made of.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, module::linear};

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

/// A parameter of these numbers, row by row.
pub(super) fn parameter<const D: usize>(numbers: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(numbers, shape), device))
}

impl Linear {
    /// Of a matrix `[inputs, outputs]` and its bias.
    pub(super) fn of(weight: Vec<f32>, bias: Vec<f32>, device: &Device) -> Self {
        let (inputs, outputs) = (weight.len() / bias.len().max(1), bias.len());
        Self { weight: parameter(weight, [inputs, outputs], device), bias: parameter(bias, [outputs], device) }
    }

    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        linear(x, self.weight.val(), Some(self.bias.val()))
    }
}
