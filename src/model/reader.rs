//! An encoder's tensors in a checkpoint, and how they are read.

use std::collections::BTreeSet;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use super::bert::{Bert, Embeddings, Layer};
use super::error::CheckpointError;
use super::initialize::Initializer;
use super::linear::{Linear, Norm};
use super::weights::{Weights, transpose_into};
use crate::kernel::Precision;
use crate::random::Stream;
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

const EMBEDDING_TENSORS: [&str; 5] = [
    "word_embeddings.weight",
    "position_embeddings.weight",
    "token_type_embeddings.weight",
    "LayerNorm.weight",
    "LayerNorm.bias",
];
const LAYER_TENSORS: [&str; 8] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
];

/// Names (without `bert.`) and shapes of an encoder's tensors as PyTorch keeps them, the pooler's, which
/// a file may lack, not among them.
pub(super) fn encoder_tensors(of: &Architecture) -> Vec<(String, Vec<usize>)> {
    let [hidden, intermediate] = [of.hidden, of.intermediate].map(|size| size as usize);
    let rows = [of.vocab_size, of.max_positions, of.type_vocab_size].map(|rows| vec![rows as usize, hidden]);
    let norm = [vec![hidden], vec![hidden]];
    let shapes = rows.into_iter().chain(norm);
    let mut tensors: Vec<_> =
        EMBEDDING_TENSORS.iter().zip(shapes).map(|(name, shape)| (format!("embeddings.{name}"), shape)).collect();
    for layer in 0..of.layers {
        for part in LAYER_TENSORS {
            let weight = match part {
                "intermediate.dense" => vec![intermediate, hidden],
                "output.dense" => vec![hidden, intermediate],
                norm if norm.ends_with("LayerNorm") => vec![hidden],
                _ => vec![hidden, hidden],
            };
            let name = format!("encoder.layer.{layer}.{part}");
            let bias = vec![weight[0]];
            tensors.extend([(format!("{name}.weight"), weight), (format!("{name}.bias"), bias)]);
        }
    }
    tensors
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
        Ok(Param::from_tensor(Tensor::from_data(TensorData::new(numbers, [rows, columns]), self.device)))
    }

    pub(super) fn vector(&mut self, name: &str, length: usize) -> Result<Param<Tensor<1>>, CheckpointError> {
        let numbers = self.numbers(name, &[length])?;
        Ok(Param::from_tensor(Tensor::from_data(TensorData::new(numbers, [length]), self.device)))
    }

    /// The numbers of a matrix that PyTorch keeps as `[outputs, inputs]`, as `[inputs, outputs]`.
    pub(super) fn transposed(
        &mut self,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Vec<f32>, CheckpointError> {
        let numbers = self.numbers(name, &[outputs, inputs])?;
        let mut transposed = vec![0.0; inputs * outputs];
        transpose_into(&numbers, inputs, &mut transposed, outputs, 0);
        Ok(transposed)
    }

    /// `names` side by side in one projection. PyTorch keeps `[outputs, inputs]`; burn `[inputs, outputs]`.
    fn linears(&mut self, names: &[String], inputs: usize, outputs: usize) -> Result<Linear, CheckpointError> {
        let width = outputs * names.len();
        let mut weight = vec![0f32; inputs * width];
        let mut bias = Vec::with_capacity(width);
        for (part, name) in names.iter().enumerate() {
            let numbers = self.numbers(&format!("{name}.weight"), &[outputs, inputs])?;
            transpose_into(&numbers, inputs, &mut weight, width, part * outputs);
            bias.extend(self.numbers(&format!("{name}.bias"), &[outputs])?);
        }
        let weight = Tensor::from_data(TensorData::new(weight, [inputs, width]), self.device);
        let bias = Tensor::from_data(TensorData::new(bias, [width]), self.device);
        Ok(Linear { weight: Param::from_tensor(weight), bias: Param::from_tensor(bias) })
    }

    pub(super) fn linear(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, CheckpointError> {
        self.linears(&[name.into()], inputs, outputs)
    }

    pub(super) fn norm(&mut self, name: &str) -> Result<Norm, CheckpointError> {
        let hidden = self.of.hidden as usize;
        let gamma = self.vector(&format!("{name}.weight"), hidden)?;
        Ok(Norm { gamma, beta: self.vector(&format!("{name}.bias"), hidden)? })
    }

    fn layer(&mut self, index: u32) -> Result<Layer, CheckpointError> {
        let (hidden, intermediate) = (self.of.hidden as usize, self.of.intermediate as usize);
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let query_key_value = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Layer {
            query_key_value: self.linears(&query_key_value, hidden, hidden)?,
            attention_output: self.linear(&name("attention.output.dense"), hidden, hidden)?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            intermediate: self.linear(&name("intermediate.dense"), hidden, intermediate)?,
            output: self.linear(&name("output.dense"), intermediate, hidden)?,
            output_norm: self.norm(&name("output.LayerNorm"))?,
        })
    }

    pub(super) fn bert(&mut self) -> Result<Bert, CheckpointError> {
        let of = self.of;
        let hidden = of.hidden as usize;
        let embeddings = Embeddings {
            word: self.matrix("embeddings.word_embeddings.weight", of.vocab_size as usize, hidden)?,
            position: self.matrix("embeddings.position_embeddings.weight", of.max_positions as usize, hidden)?,
            segment: self.matrix("embeddings.token_type_embeddings.weight", of.type_vocab_size as usize, hidden)?,
            norm: self.norm("embeddings.LayerNorm")?,
        };
        let layers = (0..of.layers).map(|index| self.layer(index)).collect::<Result<_, _>>()?;
        let pooler = if self.weights.has("pooler.dense.weight") {
            self.linear("pooler.dense", hidden, hidden)?
        } else {
            self.notes.push(NO_POOLER.into());
            Initializer::new(Stream::new(self.seed, "init-pooler"), of.initializer_range, self.device)
                .linear(hidden, hidden)
        };
        let heads = of.heads as usize;
        Ok(Bert { embeddings, layers, pooler, heads, causal: of.causal, precision: Precision::default() })
    }
}
