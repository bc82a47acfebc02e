//! What reads a frozen encoder, and what that computes, trains and keeps.

use crate::settings::{Approach, FeatureBased, Layers};
use crate::store::{Architecture, RunSettings};
use crate::task::Task;

/// Directions of the LSTM.
const DIRECTIONS: u64 = 2;
/// Directions of the LSTM × its gates.
const GATES: u64 = DIRECTIONS * 4;
/// Width of the tanh layer over whole texts: `--classifier_hid_dim` of nyu-mll/GLUE-baselines.
const CLASSIFIER_HIDDEN: u64 = 512;
/// Numbers that one token of the shorter text of a pair takes where both are padded to the longer one.
const PADDED: u64 = 2;

/// The model on a frozen encoder.
pub(super) struct Features<'a> {
    of: FeatureBased,
    architecture: &'a Architecture,
    answers: Answers,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// Each word.
    Words,
    /// A text.
    Text,
    /// A pair of texts, which are read apart.
    Pair,
}

impl Answers {
    fn of(task: &str) -> Self {
        match Task::find(task) {
            // The user's own tasks tag words.
            Err(_) => Self::Words,
            Ok(task) if task.reads_pairs() => Self::Pair,
            Ok(task) if task.head.per_token() => Self::Words,
            Ok(_) => Self::Text,
        }
    }
}

impl<'a> Features<'a> {
    /// That of a run; `None` where every weight is trained.
    pub(super) fn of(settings: &'a RunSettings) -> Option<Self> {
        let Approach::FeatureBased(of) = settings.approach() else { return None };
        Some(Self { of, architecture: &settings.architecture, answers: Answers::of(settings.task_name()) })
    }

    /// Sequences that an example becomes.
    pub(super) fn sequences(&self) -> u64 {
        if self.answers == Answers::Pair { 2 } else { 1 }
    }

    /// Tokens that an example has besides those of its features: a second `[CLS]` where texts are read apart.
    pub(super) fn added_tokens(&self) -> u64 {
        self.sequences() - 1
    }

    /// The layers of the encoder that are computed.
    pub(super) fn encoder_layers(&self) -> u32 {
        let layers = self.architecture.layers;
        self.of.layers.states(layers).map_or(layers, |states| states.end - 1)
    }

    /// Weights and biases of the LSTMs and the tanh layer, and a learnt sum's scalars.
    pub(super) fn parameters(&self) -> u64 {
        let hidden = u64::from(self.of.hidden);
        let scalars = match self.of.layers.states(self.architecture.layers) {
            Some(states) if self.of.layers.is_sum() => states.len() as u64 + 1,
            Some(_) | None => 0,
        };
        let dense = self.dense_inputs().map_or(0, |inputs| CLASSIFIER_HIDDEN * (inputs + 1));
        let inputs = self.lstm_inputs().chain(self.attention_inputs());
        inputs.map(|inputs| GATES * hidden * (inputs + hidden + 1)).sum::<u64>() + dense + scalars
    }

    /// Floating-point operations of a forward pass over `examples` with `tokens` tokens in all, two for every weight and token
    /// (of the tanh layer: and example), and those of attention, by the mean length.
    pub(super) fn flops(&self, tokens: u64, examples: u64) -> f64 {
        let hidden = u64::from(self.of.hidden);
        let inputs = self.lstm_inputs().chain(self.attention_inputs());
        let weights: u64 = inputs.map(|inputs| GATES * hidden * (inputs + hidden)).sum();
        let dense = self.dense_inputs().map_or(0, |inputs| CLASSIFIER_HIDDEN * inputs);
        let (tokens, examples) = (tokens as f64, examples as f64);
        let attention = if self.attention_inputs().is_some() && examples > 0.0 {
            let length = tokens / (examples * self.sequences() as f64);
            2.0 * 2.0 * tokens * length * (DIRECTIONS * hidden) as f64
        } else {
            0.0
        };
        2.0 * (weights as f64 * tokens + dense as f64 * examples) + attention
    }

    /// Numbers that a token adds to what a step holds, in sequences of `length` tokens.
    pub(super) fn kept_numbers(&self, length: u32) -> u64 {
        let states = self.of.layers.states(self.architecture.layers).map_or(0, |states| states.len() as u64);
        let lstm = self.lstm_inputs().chain(self.attention_inputs()).map(|inputs| self.kept_by_lstm(inputs));
        let width = DIRECTIONS * u64::from(self.of.hidden);
        // Scores, with their mask and as probabilities; each text's states and the other's, what is attended to, and its
        // rows; states and the attended sums beside each other.
        let attention = match self.attention_inputs() {
            Some(inputs) => PADDED * (3 * u64::from(length) + 3 * width) + width + inputs,
            None => 0,
        };
        let padded = if self.answers == Answers::Pair { PADDED } else { 1 };
        // States in their places, and masked.
        let pooled = if self.answers == Answers::Words { 0 } else { padded * 2 * width };
        states * u64::from(self.architecture.hidden) + lstm.sum::<u64>() + attention + pooled
    }

    /// What the composed operations keep for a layer of an LSTM: its input, that without dropout and the mask; and in widths of
    /// all gates: the projection, the same in the order of the steps, the recurrent product, the sum, its parts and
    /// their activations, and, a quarter of that each, five products and states and both of the output's orders.
    fn kept_by_lstm(&self, inputs: u64) -> u64 {
        let gates = GATES * u64::from(self.of.hidden);
        3 * inputs + 7 * gates + 7 * gates / 4
    }

    /// Inputs of each layer of the LSTM.
    fn lstm_inputs(&self) -> impl Iterator<Item = u64> + use<> {
        let states = if self.of.layers == Layers::ConcatLastFour { 4 } else { 1 };
        let (first, hidden) = (states * u64::from(self.architecture.hidden), u64::from(self.of.hidden));
        (0..self.of.lstm_layers).map(move |layer| if layer == 0 { first } else { DIRECTIONS * hidden })
    }

    /// Inputs of the LSTM after attention.
    fn attention_inputs(&self) -> Option<u64> {
        let attends = self.of.attention && self.answers == Answers::Pair;
        attends.then(|| 2 * DIRECTIONS * u64::from(self.of.hidden))
    }

    /// Inputs of the tanh layer.
    fn dense_inputs(&self) -> Option<u64> {
        let width = DIRECTIONS * u64::from(self.of.hidden);
        match self.answers {
            Answers::Words => None,
            Answers::Text => Some(width),
            Answers::Pair => Some(4 * width),
        }
    }
}
