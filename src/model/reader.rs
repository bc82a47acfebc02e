//! An encoder's tensors in a checkpoint, and how they are read.

use std::collections::BTreeSet;

use burn::module::Param;
use burn::tensor::{Device, Tensor};

use super::error::CheckpointError;
use super::linear::{Linear, Norm, parameter};
use super::weights::{Weights, transpose_into};
use crate::kernel::LSTM_GATES;
use crate::store::Architecture;

pub(super) const NO_POOLER: &str = "the file has no pooler: it was initialised at random";

/// Reads tensors, and keeps account of them.
pub(super) struct Reader<'a> {
    pub(super) weights: &'a Weights,
    pub(super) used: BTreeSet<String>,
    pub(super) notes: Vec<String>,
    pub(super) of: Architecture,
    pub(super) seed: u64,
    pub(super) device: &'a Device,
}

impl Reader<'_> {
    /// Counts every tensor under `prefix` as read.
    pub(super) fn skip(&mut self, prefix: &str) {
        self.used.extend(self.weights.names().filter(|name| name.starts_with(prefix)).map(str::to_owned));
    }

    /// The numbers of one tensor, of shape `expected`.
    pub(super) fn numbers(&mut self, name: &str, expected: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let numbers = self.weights.numbers(name, expected)?;
        self.used.insert(name.into());
        Ok(numbers)
    }

    pub(super) fn matrix(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Param<Tensor<2>>, CheckpointError> {
        let numbers = self.numbers(name, &[rows, columns])?;
        Ok(parameter(numbers, [rows, columns], self.device))
    }

    pub(super) fn vector(&mut self, name: &str, length: usize) -> Result<Param<Tensor<1>>, CheckpointError> {
        let numbers = self.numbers(name, &[length])?;
        Ok(parameter(numbers, [length], self.device))
    }

    /// One direction of a layer of `nn.LSTM`, whose tensors are called as `name` says: from the layer's input to the gates,
    /// `[inputs, gates]` with PyTorch's two biases added up, and from the last state, `[hidden, gates]`.
    pub(super) fn lstm_direction(
        &mut self,
        name: impl Fn(&str) -> String,
        inputs: usize,
        hidden: usize,
    ) -> Result<(Linear, Vec<f32>), CheckpointError> {
        let gates = LSTM_GATES * hidden;
        let mut transposed = |name: &str, inputs: usize| {
            let numbers = self.numbers(name, &[gates, inputs])?;
            let mut transposed = vec![0.0; inputs * gates];
            transpose_into(&numbers, inputs, &mut transposed, gates, 0);
            Ok::<_, CheckpointError>(transposed)
        };
        let (input, recurrent) = (transposed(&name("weight_ih"), inputs)?, transposed(&name("weight_hh"), hidden)?);
        let (one, other) = (self.numbers(&name("bias_ih"), &[gates])?, self.numbers(&name("bias_hh"), &[gates])?);
        let bias = one.iter().zip(other).map(|(one, other)| one + other).collect();
        Ok((Linear::of(input, bias, self.device), recurrent))
    }

    /// `names` side by side in one projection. PyTorch keeps `[outputs, inputs]`; burn `[inputs, outputs]`.
    pub(super) fn linears(
        &mut self,
        names: &[String],
        inputs: usize,
        outputs: usize,
    ) -> Result<Linear, CheckpointError> {
        let width = outputs * names.len();
        let mut weight = vec![0f32; inputs * width];
        let mut bias = Vec::with_capacity(width);
        for (part, name) in names.iter().enumerate() {
            let numbers = self.numbers(&format!("{name}.weight"), &[outputs, inputs])?;
            transpose_into(&numbers, inputs, &mut weight, width, part * outputs);
            bias.extend(self.numbers(&format!("{name}.bias"), &[outputs])?);
        }
        Ok(Linear::of(weight, bias, self.device))
    }

    pub(super) fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, CheckpointError> {
        self.linears(&[name.into()], inputs, outputs)
    }

    pub(super) fn norm(&mut self, name: &str) -> Result<Norm, CheckpointError> {
        let hidden = self.of.hidden as usize;
        let gamma = self.vector(&format!("{name}.weight"), hidden)?;
        Ok(Norm { gamma, beta: self.vector(&format!("{name}.bias"), hidden)? })
    }
}
