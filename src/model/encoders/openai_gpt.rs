//! The published GPT (Radford et al. 2018), with the tensors of transformers' `openai-gpt`: a causal transformer with norms
//! after its residuals, embeddings without norm or segments, GELU with a tanh, and no pooler. Tasks read the last token,
//! which fine-tuning adds, as it adds those before a text and between two.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::bert::{Layer, site};
use super::bert_weights::random_layer;
use crate::kernel::{Dropout, EncoderLayer, LayerForm, Packing, Precision, SequenceToken, dropped};
use crate::model::encoder::{Direction, Encoder, PackedInput};
use crate::model::error::CheckpointError;
use crate::model::initialize::Initializer;
use crate::model::linear::{Linear, Norm, parameter};
use crate::model::reader::Reader;
use crate::model::weights::Weights;
use crate::model::write::Tensors;
use crate::random::Stream;
use crate::settings::InitializerRange;
use crate::store::Architecture;

/// Rows of the word embeddings that fine-tuning adds: the tokens before a text, between two, and after all (§3.3).
pub(in crate::model) const ADDED_ROWS: u32 = 3;

const WORDS: &str = "tokens_embed.weight";
const POSITIONS: &str = "positions_embed.weight";

/// The encoder.
#[derive(Module, Debug)]
pub struct OpenaiGpt {
    /// `[vocab_size, hidden]`
    pub word: Param<Tensor<2>>,
    /// `[max_positions, hidden]`
    pub position: Param<Tensor<2>>,
    /// Transformer layers, first to last.
    pub layers: Vec<Layer>,
    /// Attention heads.
    pub heads: usize,
    /// Arithmetic of the layers.
    #[module(skip)]
    pub precision: Precision,
}

/// With random weights.
pub(super) fn random(initializer: &mut Initializer<'_>, of: &Architecture) -> OpenaiGpt {
    let (hidden, intermediate) = (of.hidden as usize, of.intermediate as usize);
    OpenaiGpt {
        word: initializer.matrix(of.vocab_size as usize, hidden),
        position: initializer.matrix(of.max_positions as usize, hidden),
        layers: (0..of.layers).map(|_| random_layer(initializer, hidden, intermediate)).collect(),
        heads: of.heads as usize,
        precision: Precision::default(),
    }
}

/// The names of a layer's matrices, which are `[inputs, outputs]` (`Conv1D`), with their shapes.
fn matrices(of: &Architecture) -> [(&'static str, [usize; 2]); 4] {
    let (hidden, intermediate) = (of.hidden as usize, of.intermediate as usize);
    [
        ("attn.c_attn", [hidden, 3 * hidden]),
        ("attn.c_proj", [hidden, hidden]),
        ("mlp.c_fc", [hidden, intermediate]),
        ("mlp.c_proj", [intermediate, hidden]),
    ]
}

/// The rows of the word embeddings that the file has: those of `of`, or without the ones that fine-tuning adds.
fn stored_rows(of: &Architecture, weights: &Weights) -> usize {
    let (rows, added) = (of.vocab_size as usize, ADDED_ROWS as usize);
    let stored = weights.shape(WORDS).and_then(|shape| shape.first().copied());
    if stored.is_some_and(|stored| stored + added == rows) { rows - added } else { rows }
}

/// Names and shapes of its tensors as they are in `weights`.
pub(super) fn tensors(of: &Architecture, weights: &Weights) -> Vec<(String, Vec<usize>)> {
    let hidden = of.hidden as usize;
    let mut tensors = vec![
        (WORDS.to_owned(), vec![stored_rows(of, weights), hidden]),
        (POSITIONS.to_owned(), vec![of.max_positions as usize, hidden]),
    ];
    for layer in 0..of.layers {
        for (name, [inputs, outputs]) in matrices(of) {
            tensors.push((format!("h.{layer}.{name}.weight"), vec![inputs, outputs]));
            tensors.push((format!("h.{layer}.{name}.bias"), vec![outputs]));
        }
        for norm in ["ln_1", "ln_2"] {
            tensors.extend(["weight", "bias"].map(|part| (format!("h.{layer}.{norm}.{part}"), vec![hidden])));
        }
    }
    tensors
}

/// From a checkpoint. Rows that fine-tuning adds are drawn where the file has them not.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<OpenaiGpt, CheckpointError> {
    let of = reader.of;
    let hidden = of.hidden as usize;
    let stored = stored_rows(&of, reader.weights);
    let mut words = reader.numbers(WORDS, &[stored, hidden])?;
    if stored < of.vocab_size as usize {
        let note = "the start, delimiter and classification tokens were initialised at random";
        reader.notes.push(note.to_owned());
        words.extend(added_rows(reader.seed, hidden, reader.device));
    }
    let word = parameter(words, [of.vocab_size as usize, hidden], reader.device);
    let position = reader.matrix(POSITIONS, of.max_positions as usize, hidden)?;
    let layers = (0..of.layers).map(|index| read_layer(reader, index)).collect::<Result<_, _>>()?;
    // The decoder is the word embeddings.
    reader.skip("lm_head.");
    Ok(OpenaiGpt { word, position, layers, heads: of.heads as usize, precision: Precision::default() })
}

fn added_rows(seed: u64, hidden: usize, device: &Device) -> Vec<f32> {
    let stream = Stream::new(seed, "init-added-tokens");
    let drawn = Initializer::new(stream, InitializerRange::BERT, device).matrix(ADDED_ROWS as usize, hidden);
    drawn.val().into_data().iter::<f32>().collect()
}

fn read_layer(reader: &mut Reader<'_>, index: u32) -> Result<Layer, CheckpointError> {
    let [query_key_value, attention_output, intermediate, output] = matrices(&reader.of);
    let mut linear = |(name, [inputs, outputs]): (&str, [usize; 2])| {
        let name = format!("h.{index}.{name}");
        let weight = reader.matrix(&format!("{name}.weight"), inputs, outputs)?;
        Ok::<_, CheckpointError>(Linear { weight, bias: reader.vector(&format!("{name}.bias"), outputs)? })
    };
    let (query_key_value, attention_output) = (linear(query_key_value)?, linear(attention_output)?);
    let (intermediate, output) = (linear(intermediate)?, linear(output)?);
    let [attention_norm, output_norm] = ["ln_1", "ln_2"].map(|norm| reader.norm(&format!("h.{index}.{norm}")));
    let (attention_norm, output_norm) = (attention_norm?, output_norm?);
    Ok(Layer { query_key_value, attention_output, attention_norm, intermediate, output, output_norm })
}

impl OpenaiGpt {
    /// Adds its tensors.
    pub(super) fn write(&self, into: &mut Tensors, _pooler: bool) {
        into.tensor(WORDS.into(), self.word.val());
        into.tensor(POSITIONS.into(), self.position.val());
        for (index, layer) in self.layers.iter().enumerate() {
            let Layer { query_key_value, attention_output, attention_norm, intermediate, output, output_norm } = layer;
            let matrices = [
                ("attn.c_attn", query_key_value),
                ("attn.c_proj", attention_output),
                ("mlp.c_fc", intermediate),
                ("mlp.c_proj", output),
            ];
            for (name, Linear { weight, bias }) in matrices {
                into.tensor(format!("h.{index}.{name}.weight"), weight.val());
                into.tensor(format!("h.{index}.{name}.bias"), bias.val());
            }
            let norms: [(&str, &Norm); 2] = [("ln_1", attention_norm), ("ln_2", output_norm)];
            for (name, norm) in norms {
                into.norm(&format!("h.{index}.{name}"), norm);
            }
        }
    }

    fn encoder_layer<'a>(&self, index: usize, packing: &'a Packing, dropout: Option<&'a Dropout>) -> EncoderLayer<'a> {
        let (weights, form) = (self.layers[index].weights(), LayerForm::openai_gpt(self.heads));
        EncoderLayer { weights, form, packing, dropout, sites: site::layer(index), precision: self.precision }
    }
}

impl Encoder for OpenaiGpt {
    fn depth(&self) -> usize {
        self.layers.len()
    }

    fn direction(&self) -> Direction {
        Direction::LeftToRight
    }

    fn words(&self) -> &Param<Tensor<2>> {
        &self.word
    }

    fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    fn precision(&self) -> Precision {
        self.precision
    }

    fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        let sum = input.lookup(self.word.val()) + input.lookup_positions(self.position.val());
        dropped(sum, dropout, site::EMBEDDINGS)
    }

    fn layer(&self, index: usize, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        self.encoder_layer(index, packing, dropout).states(hidden)
    }

    /// The last token's state, on which a task's head is (§3.2).
    fn pool(&self, hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
        packing.last_tokens(hidden)
    }

    fn pooled_token(&self) -> Option<SequenceToken> {
        Some(SequenceToken::Last)
    }

    fn leaves_rows_out(&self) -> bool {
        !self.layers.is_empty() && LayerForm::openai_gpt(self.heads).is_fused_on(&self.word.val().device())
    }

    fn layer_at(
        &self,
        index: usize,
        hidden: Tensor<2>,
        packing: &Packing,
        dropout: Option<&Dropout>,
        rows: &Arc<[u32]>,
    ) -> Tensor<2> {
        self.encoder_layer(index, packing, dropout).states_at(rows, hidden)
    }
}
