//! A bidirectional LSTM of several layers.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::kernel::{Dropout, LSTM_DIRECTIONS, LSTM_GATES, Packing, dropped, lstm};
use crate::model::linear::{Linear, parameter};
use crate::random::{Draws, Stream};

/// Layers of which each reads what both directions of the one before put out.
#[derive(Module, Debug)]
pub struct BiLstm {
    /// First to last.
    pub layers: Vec<LstmLayer>,
}

/// Both directions of one layer; gates are in the order input, forget, cell, output.
#[derive(Module, Debug)]
pub struct LstmLayer {
    /// From the layer's input to the gates of the forward, then of the backward direction:
    /// `[inputs, 2 × 4 × hidden]`. One bias, where PyTorch has the sum of two.
    pub input: Linear,
    /// From the last hidden state to the gates, `[2, hidden, 4 × hidden]`.
    pub recurrent: Param<Tensor<3>>,
}

/// The site of the dropout before layer `layer`. The encoder's sites count up from 0, these down from the end.
fn site(layer: usize) -> u32 {
    u32::MAX - layer as u32
}

impl BiLstm {
    /// Random weights and biases, uniform within ±1/√hidden as in PyTorch's `nn.LSTM`, from `stream`.
    #[must_use]
    pub fn random(inputs: usize, hidden: usize, layers: u32, stream: Stream, device: &Device) -> Self {
        let layer = |index: u32| {
            let inputs = if index == 0 { inputs } else { LSTM_DIRECTIONS * hidden };
            LstmLayer::random(inputs, hidden, &mut stream.at(u64::from(index)), device)
        };
        Self { layers: (0..layers).map(layer).collect() }
    }

    /// Width of each direction.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.recurrent.val().dims()[1])
    }

    /// `[tokens, inputs] → [tokens, 2 × hidden]`; dropout between the layers.
    #[must_use]
    pub fn forward(&self, x: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        self.layers.iter().enumerate().fold(x, |x, (index, layer)| {
            let x = dropped(x, dropout.filter(|_| index > 0), site(index));
            lstm(layer.input.forward(x), layer.recurrent.val(), packing)
        })
    }
}

impl LstmLayer {
    fn random(inputs: usize, hidden: usize, draws: &mut Draws, device: &Device) -> Self {
        let (gates, bound) = (LSTM_GATES * hidden, 1.0 / (hidden as f64).sqrt());
        let mut uniform =
            |count: usize| -> Vec<f32> { (0..count).map(|_| ((2.0 * draws.uniform() - 1.0) * bound) as f32).collect() };
        let width = LSTM_DIRECTIONS * gates;
        let (weight, bias) = (uniform(inputs * width), uniform(width));
        let recurrent = uniform(hidden * width);
        Self {
            input: Linear::of(weight, bias, device),
            recurrent: parameter(recurrent, [LSTM_DIRECTIONS, hidden, gates], device),
        }
    }
}
