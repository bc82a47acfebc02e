//! From states to one vector for a text or a pair, for an answer to the whole of it.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::lstm::BiLstm;
use crate::kernel::{Dropout, LSTM_DIRECTIONS, Packing, dropped, pair_attention};
use crate::model::initialize::Initializer;
use crate::model::linear::Linear;
use crate::random::Stream;
use crate::settings::{FeatureBased, InitializerRange};

/// What makes one vector of the LSTM's states (Wang et al. 2018, "GLUE", section 4): the maximum over time; of the two
/// texts of a pair, each read apart, what both give beside each other; and a tanh layer.
#[derive(Module, Debug)]
pub struct TextPooler {
    /// Whether sequences 2i and 2i + 1 of a batch are the texts of a pair.
    #[module(skip)]
    pub pairs: bool,
    /// Reads each state of a pair beside what attention to the other text gives it.
    pub attention: Option<BiLstm>,
    /// `[width, 512]` or, of pairs, `[4 × width, 512]`; a tanh follows.
    pub dense: Linear,
}

/// Width of the tanh layer: `--classifier_hid_dim` of nyu-mll/GLUE-baselines.
pub(in crate::model) const CLASSIFIER_HIDDEN: usize = 512;
/// The second LSTM has one layer there.
pub(super) const ATTENTION_LAYERS: u32 = 1;

// The encoder's sites count up from 0, those between the LSTM's layers (`MAX_LSTM_LAYERS` of them at most) down from the end.
const ATTENTION_SITE: u32 = u32::MAX - 1000;
const DENSE_SITE: u32 = u32::MAX - 1001;

impl TextPooler {
    /// Random weights, uniform within ±1/√inputs as in PyTorch's `nn.Linear` and `nn.LSTM`, from streams of `seed`.
    pub(in crate::model) fn random(of: &FeatureBased, pairs: bool, seed: u64, device: &Device) -> Self {
        let (hidden, width) = (of.hidden as usize, LSTM_DIRECTIONS * of.hidden as usize);
        let attention = (pairs && of.attention).then(|| {
            let stream = Stream::new(seed, "init-tagger-attention");
            BiLstm::random(2 * width, hidden, ATTENTION_LAYERS, stream, device)
        });
        let inputs = inputs(width, pairs);
        let bound = 1.0 / (inputs as f64).sqrt();
        let mut draws = Initializer::new(Stream::new(seed, "init-tagger-pooler"), InitializerRange::BERT, device);
        let dense = Linear {
            weight: Param::from_tensor(draws.uniform(&[inputs, CLASSIFIER_HIDDEN], bound)),
            bias: Param::from_tensor(draws.uniform(&[CLASSIFIER_HIDDEN], bound)),
        };
        Self { pairs, attention, dense }
    }

    /// The LSTM's states, `[tokens, width]` → `[examples, 512]`: an example is a sequence, or a pair of sequences.
    #[must_use]
    pub fn forward(&self, states: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        let states = match &self.attention {
            Some(lstm) => {
                let attended = pair_attention(states.clone(), packing);
                let read = dropped(Tensor::cat(vec![states, attended], 1), dropout, ATTENTION_SITE);
                lstm.forward(read, packing, dropout)
            }
            None => states,
        };
        let texts = packing.max_tokens(states);
        let read = if self.pairs { side_by_side(texts) } else { texts };
        self.dense.forward(dropped(read, dropout, DENSE_SITE)).tanh()
    }
}

/// Numbers that the tanh layer reads, of texts of `width`.
pub(super) const fn inputs(width: usize, pairs: bool) -> usize {
    if pairs { 4 * width } else { width }
}

/// u and v of each pair as u, v, |u − v| and u × v: `[2 × pairs, width] → [pairs, 4 × width]`
fn side_by_side(texts: Tensor<2>) -> Tensor<2> {
    let [sequences, width] = texts.dims();
    let both = texts.reshape([sequences / 2, 2 * width]);
    let [u, v] = [0, 1].map(|text| both.clone().slice_dim(1, text * width..(text + 1) * width));
    Tensor::cat(vec![both, (u.clone() - v.clone()).abs(), u * v], 1)
}
