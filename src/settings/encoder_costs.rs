//! What encoders take: parameters, floating-point operations and memory by their sizes.

/// The sizes that decide it, as an architecture has them.
#[derive(Clone, Copy, Debug)]
pub struct EncoderSizes {
    /// Layers.
    pub layers: u64,
    /// Width of a state.
    pub hidden: u64,
    /// Attention heads.
    pub heads: u64,
    /// Width of the feed-forward layer.
    pub intermediate: u64,
    /// Rows of the word embeddings.
    pub vocab_size: u64,
    /// Rows of the position embeddings.
    pub max_positions: u64,
    /// Rows of the segment embeddings.
    pub type_vocab_size: u64,
}

/// What an encoder takes.
#[derive(Clone, Copy, Debug)]
pub struct EncoderCosts {
    /// Whether it has layers; else `layers` of its sizes is 0.
    pub has_layers: bool,
    /// Parameters with the pooler, without a head.
    pub parameters: fn(&EncoderSizes) -> u64,
    /// Floating-point operations of a layer's forward pass for a token, in sequences of this mean length: two for every
    /// weight, and those of attention.
    pub layer_flops: fn(&EncoderSizes, f64) -> f64,
    /// Numbers that a token adds to what a layer keeps for its backward pass, in sequences of this length.
    pub kept_by_layer: fn(&EncoderSizes, u64) -> u64,
}

/// Gates of an LSTM.
const GATES: u64 = 4;

/// BERT's; GPT's too.
pub(super) const BERT: EncoderCosts = EncoderCosts {
    has_layers: true,
    parameters: |of| {
        let embeddings = (of.vocab_size + of.max_positions + of.type_vocab_size) * of.hidden + 2 * of.hidden;
        let pooler = of.hidden * of.hidden + of.hidden;
        embeddings + attention_layers(of) + pooler
    },
    layer_flops: |of, length| {
        let [hidden, intermediate] = [of.hidden, of.intermediate].map(|size| size as f64);
        let weights = 2.0 * (4.0 * hidden * hidden + 2.0 * hidden * intermediate);
        weights + 4.0 * length * hidden
    },
    // Korthikanti et al. 2022 (arXiv 2205.05198), §4.1, in float32.
    kept_by_layer: |of, length| 10 * of.hidden + 2 * of.intermediate + 3 * of.heads * length,
};

/// The published GPT has neither segments nor a norm on its embeddings, and no pooler.
pub(super) const OPENAI_GPT: EncoderCosts =
    EncoderCosts { parameters: |of| (of.vocab_size + of.max_positions) * of.hidden + attention_layers(of), ..BERT };

/// One direction.
pub(super) const LSTM: EncoderCosts = EncoderCosts {
    has_layers: true,
    parameters: |of| lstm_parameters(of, 1),
    layer_flops: |of, _| lstm_flops(of, 1),
    // The gates' inputs twice, their activations, and cells, states and outputs.
    kept_by_layer: |of, _| 3 * GATES * of.hidden + 4 * of.hidden,
};

/// Two directions, and the learnt sum of its states.
pub(super) const ELMO: EncoderCosts = EncoderCosts {
    parameters: |of| lstm_parameters(of, 2) + of.layers + 2,
    layer_flops: |of, _| lstm_flops(of, 2),
    ..LSTM
};

/// A table.
pub(super) const WORD_VECTORS: EncoderCosts =
    EncoderCosts { has_layers: false, parameters: |of| of.vocab_size * of.hidden, layer_flops: |_, _| 0.0, ..LSTM };

fn attention_layers(of: &EncoderSizes) -> u64 {
    let (hidden, norm) = (of.hidden, 2 * of.hidden);
    let attention = 4 * (hidden * hidden + hidden) + norm;
    let feed_forward = 2 * hidden * of.intermediate + of.intermediate + hidden + norm;
    of.layers * (attention + feed_forward)
}

/// Word embeddings; for each layer and direction, an LSTM's two matrices and a bias.
fn lstm_parameters(of: &EncoderSizes, directions: u64) -> u64 {
    let width = of.hidden / directions;
    of.vocab_size * width + of.layers * directions * GATES * width * (2 * width + 1)
}

fn lstm_flops(of: &EncoderSizes, directions: u64) -> f64 {
    let width = of.hidden as f64 / directions as f64;
    2.0 * directions as f64 * 2.0 * GATES as f64 * width * width
}
