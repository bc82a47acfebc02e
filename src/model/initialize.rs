//! Random weights: truncated normal, standard deviation 0.02, biases 0, norms 1 and 0
//! (google-research/bert, `modeling.create_initializer`).

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::bert::{Bert, Classifier, Embeddings, Layer, Linear, Norm};
use crate::kernel::Precision;
use crate::random::{Draws, Stream};
use crate::store::Architecture;

/// `initializer_range` of every published BERT.
const STANDARD_DEVIATION: f64 = 0.02;
/// Draws beyond this many standard deviations are drawn again (TensorFlow's `truncated_normal`).
const TRUNCATE_AT: f64 = 2.0;
/// Values drawn from one counter range, so that they can be drawn in parallel.
const CHUNK: usize = 1 << 14;

/// Draws parameters one after the other; each has a counter range of its own.
pub(super) struct Initializer<'a> {
    stream: Stream,
    parameter: u64,
    device: &'a Device,
}

impl<'a> Initializer<'a> {
    pub(super) fn new(stream: Stream, device: &'a Device) -> Self {
        Self { stream, parameter: 0, device }
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Param<Tensor<2>> {
        let first = self.parameter << 32;
        self.parameter += 1;
        let mut values = vec![0f32; rows * columns];
        values.par_chunks_mut(CHUNK).enumerate().for_each(|(index, chunk)| {
            let mut draws = self.stream.at(first + index as u64);
            chunk.fill_with(|| (STANDARD_DEVIATION * truncated_normal(&mut draws)) as f32);
        });
        Param::from_tensor(Tensor::from_data(TensorData::new(values, [rows, columns]), self.device))
    }

    fn vector(&self, length: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::full([length], value, self.device))
    }

    pub(super) fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        Linear { weight: self.matrix(inputs, outputs), bias: self.vector(outputs, 0.0) }
    }

    fn norm(&self, hidden: usize) -> Norm {
        Norm { gamma: self.vector(hidden, 1.0), beta: self.vector(hidden, 0.0) }
    }

    fn layer(&mut self, hidden: usize, intermediate: usize) -> Layer {
        Layer {
            query_key_value: self.linear(hidden, 3 * hidden),
            attention_output: self.linear(hidden, hidden),
            attention_norm: self.norm(hidden),
            intermediate: self.linear(hidden, intermediate),
            output: self.linear(intermediate, hidden),
            output_norm: self.norm(hidden),
        }
    }

    fn bert(&mut self, of: &Architecture) -> Bert {
        let (hidden, intermediate) = (of.hidden as usize, of.intermediate as usize);
        Bert {
            embeddings: Embeddings {
                word: self.matrix(of.vocab_size as usize, hidden),
                position: self.matrix(of.max_positions as usize, hidden),
                segment: self.matrix(of.type_vocab_size as usize, hidden),
                norm: self.norm(hidden),
            },
            layers: (0..of.layers).map(|_| self.layer(hidden, intermediate)).collect(),
            pooler: self.linear(hidden, hidden),
            heads: of.heads as usize,
            precision: Precision::default(),
        }
    }
}

fn truncated_normal(draws: &mut Draws) -> f64 {
    loop {
        let z = draws.normal();
        if z.abs() <= TRUNCATE_AT {
            return z;
        }
    }
}

/// A classifier with random weights from the `init` stream of `seed`.
#[must_use]
pub fn random_classifier(architecture: &Architecture, outputs: usize, seed: u64, device: &Device) -> Classifier {
    let mut initializer = Initializer::new(Stream::new(seed, "init"), device);
    let bert = initializer.bert(architecture);
    Classifier { bert, head: initializer.linear(architecture.hidden as usize, outputs) }
}

/// A head with random weights; its stream is not the encoder's, so that it does not depend on the size.
pub(super) fn random_head(hidden: usize, outputs: usize, seed: u64, device: &Device) -> Linear {
    Initializer::new(Stream::new(seed, "init-head"), device).linear(hidden, outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_truncated_at_two_standard_deviations_and_do_not_depend_on_threads() {
        let device = Device::flex();
        let draw = || {
            let matrix = Initializer::new(Stream::new(1, "init"), &device).matrix(700, 300);
            matrix.val().into_data().try_to_vec::<f32>().unwrap()
        };
        let values = draw();
        let largest = values.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(largest <= 0.04 && largest > 0.0399, "{largest}");
        // A normal truncated at ±2 has the standard deviation 0.8796.
        let variance = values.iter().map(|v| f64::from(v * v)).sum::<f64>() / values.len() as f64;
        assert!((variance.sqrt() / 0.02 - 0.8796).abs() < 0.005, "{}", variance.sqrt());
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(values, single.install(draw));
    }
}
