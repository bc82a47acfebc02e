//! LSTM layers over packed tokens, in one direction or in two that know nothing of each other: what the LSTM and ELMo are
//! made of. Gradients flow through a whole example and stop at its ends: states begin at 0 in each.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::word_vectors::WORDS;
use crate::kernel::{Dropout, LSTM_DIRECTIONS, LSTM_GATES, Packing, dropped, lstm};
use crate::model::encoder::{Direction, Encoder, PackedInput};
use crate::model::error::CheckpointError;
use crate::model::initialize::Initializer;
use crate::model::linear::{Linear, parameter};
use crate::model::pooling::pool;
use crate::model::reader::Reader;
use crate::model::tagger::Scalars;
use crate::model::write::Tensors;
use crate::settings::Pooling;
use crate::store::Architecture;

/// Word embeddings and LSTM layers. A state holds both directions side by side, each as wide as the embeddings.
#[derive(Module, Debug)]
pub struct Recurrent {
    /// `[vocab_size, width]`
    pub word: Param<Tensor<2>>,
    /// First to last.
    pub layers: Vec<RecurrentLayer>,
    /// What weighs embeddings and layers for a task, in a model of two directions. Pretraining reads the last layer.
    pub mixture: Option<Scalars>,
    /// How states become one vector.
    #[module(skip)]
    pub pooling: Pooling,
}

/// A layer; gates are in the order input, forget, cell, output.
#[derive(Module, Debug)]
pub struct RecurrentLayer {
    /// From the state of the layer before to the gates, for each direction: `[width, 4 × width]`. One bias, where PyTorch
    /// has the sum of two.
    pub inputs: Vec<Linear>,
    /// From the last hidden state to the gates, `[directions, width, 4 × width]`.
    pub recurrent: Param<Tensor<3>>,
}

/// Word embeddings begin uniform within this bound (Zaremba et al. 2014, §4.1, the medium LSTM's is 0.05; Merity et al. 2018,
/// AWD-LSTM: 0.1). Smaller ones, as BERT's, would keep the tied softmax flat for long: an LSTM's states are below 1.
const WORD_BOUND: f64 = 0.1;

/// Tensors of a learnt sum.
const SCALARS: [&str; 2] = ["mixture.weights", "mixture.gamma"];

/// The name of a tensor of `nn.LSTM`, of which there is one for each direction.
fn name(what: &str, layer: usize, direction: usize) -> String {
    let direction = ["forward", "backward"][direction];
    format!("{direction}.{what}_l{layer}")
}

/// Width of each direction.
fn width(of: &Architecture, directions: usize) -> usize {
    of.hidden as usize / directions
}

fn pooling(of: &Architecture) -> Pooling {
    of.pooling.or(of.encoder.pooling()).unwrap_or(Pooling::Last)
}

/// Weights uniform within ±1/√width as in PyTorch's `nn.LSTM`, embeddings within ±0.1; the biases of the
/// forget gates begin at 1 (Gers et al. 2000, "Learning to forget"; Jozefowicz et al. 2015), the others at 0.
pub(super) fn random(initializer: &mut Initializer<'_>, of: &Architecture, directions: usize) -> Recurrent {
    let width = width(of, directions);
    let word = Param::from_tensor(initializer.uniform(&[of.vocab_size as usize, width], WORD_BOUND));
    let bound = 1.0 / (width as f64).sqrt();
    let layers = (0..of.layers).map(|_| {
        let inputs = (0..directions).map(|_| {
            let weight = Param::from_tensor(initializer.uniform(&[width, LSTM_GATES * width], bound));
            let mut bias = vec![0.0; LSTM_GATES * width];
            bias[width..2 * width].fill(1.0);
            Linear { weight, bias: initializer.numbers(bias) }
        });
        let inputs = inputs.collect();
        let recurrent = Param::from_tensor(initializer.uniform(&[directions, width, LSTM_GATES * width], bound));
        RecurrentLayer { inputs, recurrent }
    });
    let layers = layers.collect();
    let mixture = (directions == LSTM_DIRECTIONS).then(|| Scalars {
        weights: initializer.vector(of.layers as usize + 1, 0.0),
        gamma: initializer.vector(1, 1.0),
    });
    Recurrent { word, layers, mixture, pooling: pooling(of) }
}

/// Names and shapes of its tensors.
pub(super) fn tensors(of: &Architecture, directions: usize) -> Vec<(String, Vec<usize>)> {
    let width = width(of, directions);
    let gates = LSTM_GATES * width;
    let mut tensors = vec![(WORDS.to_owned(), vec![of.vocab_size as usize, width])];
    for layer in 0..of.layers as usize {
        for direction in 0..directions {
            let shapes = [
                ("weight_ih", vec![gates, width]),
                ("weight_hh", vec![gates, width]),
                ("bias_ih", vec![gates]),
                ("bias_hh", vec![gates]),
            ];
            tensors.extend(shapes.map(|(what, shape)| (name(what, layer, direction), shape)));
        }
    }
    if directions == LSTM_DIRECTIONS {
        tensors.extend(SCALARS.map(str::to_owned).into_iter().zip([vec![of.layers as usize + 1], vec![1]]));
    }
    tensors
}

/// From a checkpoint.
pub(super) fn read(reader: &mut Reader<'_>, directions: usize) -> Result<Recurrent, CheckpointError> {
    let of = reader.of;
    let width = width(&of, directions);
    let word = reader.matrix(WORDS, of.vocab_size as usize, width)?;
    let layers = (0..of.layers as usize).map(|layer| read_layer(reader, layer, width, directions));
    let layers = layers.collect::<Result<_, _>>()?;
    let mixture = if directions == LSTM_DIRECTIONS {
        let [weights, gamma] = SCALARS;
        Some(Scalars { weights: reader.vector(weights, of.layers as usize + 1)?, gamma: reader.vector(gamma, 1)? })
    } else {
        None
    };
    Ok(Recurrent { word, layers, mixture, pooling: pooling(&of) })
}

fn read_layer(
    reader: &mut Reader<'_>,
    layer: usize,
    width: usize,
    directions: usize,
) -> Result<RecurrentLayer, CheckpointError> {
    let (mut inputs, mut recurrent) = (Vec::new(), Vec::new());
    for direction in 0..directions {
        let (input, own) = reader.lstm_direction(|what| name(what, layer, direction), width, width)?;
        inputs.push(input);
        recurrent.extend(own);
    }
    Ok(RecurrentLayer {
        inputs,
        recurrent: parameter(recurrent, [directions, width, LSTM_GATES * width], reader.device),
    })
}

impl Recurrent {
    fn directions(&self) -> usize {
        if self.mixture.is_some() { LSTM_DIRECTIONS } else { 1 }
    }

    /// Adds its tensors.
    pub(super) fn write(&self, into: &mut Tensors, _pooler: bool) {
        into.tensor(WORDS.into(), self.word.val());
        for (index, layer) in self.layers.iter().enumerate() {
            for (direction, Linear { weight, bias }) in layer.inputs.iter().enumerate() {
                let name = |what: &str| name(what, index, direction);
                into.lstm_direction(name, direction, weight.val(), bias.val(), layer.recurrent.val());
            }
        }
        if let Some(Scalars { weights, gamma }) = &self.mixture {
            into.tensor(SCALARS[0].into(), weights.val());
            into.tensor(SCALARS[1].into(), gamma.val());
        }
    }
}

/// Numbers of the places where dropout is applied (Zaremba et al. 2014: between layers, never from step to step); the
/// head's is 1.
fn site(layer: usize) -> u32 {
    match layer {
        0 => 0,
        layer => layer as u32 + 1,
    }
}

impl Encoder for Recurrent {
    fn depth(&self) -> usize {
        self.layers.len()
    }

    fn direction(&self) -> Direction {
        if self.mixture.is_some() { Direction::Both } else { Direction::LeftToRight }
    }

    fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        let words = dropped(input.lookup(self.word.val()), dropout, site(0));
        if self.directions() == 1 { words } else { Tensor::cat(vec![words; LSTM_DIRECTIONS], 1) }
    }

    fn layer(&self, index: usize, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        let layer = &self.layers[index];
        let width = hidden.dims()[1] / layer.inputs.len();
        let part = |at: usize| hidden.clone().slice_dim(1, at * width..(at + 1) * width);
        let gates = match layer.inputs.as_slice() {
            [input] => input.forward(hidden),
            inputs => Tensor::cat(inputs.iter().enumerate().map(|(at, input)| input.forward(part(at))).collect(), 1),
        };
        dropped(lstm(gates, layer.recurrent.val(), packing), dropout, site(index + 1))
    }

    fn pool(&self, hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
        pool(self.pooling, hidden, packing)
    }

    fn words(&self) -> &Param<Tensor<2>> {
        &self.word
    }

    fn width(&self) -> usize {
        self.directions() * self.word.dims()[1]
    }

    fn combine(&self, states: Vec<Tensor<2>>) -> Tensor<2> {
        match &self.mixture {
            Some(mixture) => mixture.sum(states),
            None => states[states.len() - 1].clone(),
        }
    }

    fn forward(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        if self.mixture.is_none() {
            self.last(input, dropout)
        } else {
            self.combine(self.hidden_states(input, dropout))
        }
    }
}
