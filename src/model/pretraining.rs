//! BERT with the heads that it is pretrained with (Devlin et al. 2018, section 3.1; google-research/bert,
//! `run_pretraining.py`): masked language modelling, and next-sentence prediction. The head of masked language modelling
//! also predicts the next token in a causal model.

use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::module::{layer_norm, linear};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::bert::Bert;
use super::config::Config;
use super::encoder::{Direction, Encoder, ForwardDropout, PackedInput};
use super::error::CheckpointError;
use super::initialize::Initializer;
use super::linear::{Linear, Norm};
use super::reader::{Loaded, NO_POOLER, Reader, load};
use super::write::{FilesBeside, Tensors, write_folder};
use crate::kernel::{LAYER_NORM_EPSILON, Packing, linear_gelu};
use crate::random::Stream;
use crate::store::Architecture;

/// The encoder with its pretraining heads. The decoder's matrix is the word embeddings, whose gradient is therefore
/// the sum of what the decoder and what the lookup give.
#[derive(Module, Debug)]
pub struct LanguageModel {
    /// The encoder.
    pub bert: Bert,
    /// Between encoder and decoder, `[hidden, hidden]`; GELU and a norm follow.
    pub transform: Linear,
    /// Norm of the transformed states.
    pub transform_norm: Norm,
    /// Added to the decoder's outputs, `[vocab_size]`.
    pub decoder_bias: Param<Tensor<1>>,
    /// `[hidden, 2]` on the pooled output: the second segment follows the first, or is of another document. Absent
    /// in a model that does not predict it; nobody trains the pooler then.
    pub next_sentence: Option<Linear>,
}

/// What the heads say about a batch, but for the decoder.
#[derive(Clone, Debug)]
pub struct LanguageModelStates {
    /// What the decoder reads for the tokens that are to be predicted, `[predictions, hidden]`; absent where there are
    /// none.
    pub predictions: Option<Tensor<2>>,
    /// Logits of next-sentence prediction, `[batch, 2]`: follows, is random.
    pub next_sentence: Option<Tensor<2>>,
}

/// What the heads say about a batch.
#[derive(Clone, Debug)]
pub struct LanguageModelOutput {
    /// Logits of the tokens that are to be predicted, `[predictions, vocab_size]`; absent where there are none.
    pub predictions: Option<Tensor<2>>,
    /// Logits of next-sentence prediction, `[batch, 2]`: follows, is random.
    pub next_sentence: Option<Tensor<2>>,
}

/// Tensors of the heads under Hugging Face's names.
mod name {
    pub(super) const TRANSFORM: &str = "cls.predictions.transform.dense";
    pub(super) const TRANSFORM_NORM: &str = "cls.predictions.transform.LayerNorm";
    pub(super) const BIAS: &str = "cls.predictions.bias";
    /// The tied decoder, which PyTorch's files may repeat: its bias is [`BIAS`].
    pub(super) const DECODER: &str = "cls.predictions.decoder.";
    pub(super) const DECODER_BIAS: &str = "cls.predictions.decoder.bias";
    pub(super) const NEXT_SENTENCE: &str = "cls.seq_relationship";
    pub(super) const POOLER: &str = "bert.pooler.dense";
}

impl LanguageModel {
    /// The logits of both heads; only the states of `rows`, the tokens of the packed batch that are to be predicted,
    /// reach the decoder.
    #[must_use]
    pub fn forward(&self, input: &PackedInput, rows: &[u32], dropout: Option<&ForwardDropout>) -> LanguageModelOutput {
        let LanguageModelStates { predictions, next_sentence } = self.states(input, rows, dropout);
        let (table, bias) = (self.bert.embeddings.word.val(), self.decoder_bias.val());
        let predictions = predictions.map(|states| linear(states, table.transpose(), Some(bias)));
        LanguageModelOutput { predictions, next_sentence }
    }

    /// As [`LanguageModel::forward`], without the decoder, which [`decoder_loss`](crate::kernel::decoder_loss)
    /// computes together with its loss.
    #[must_use]
    pub fn states(&self, input: &PackedInput, rows: &[u32], dropout: Option<&ForwardDropout>) -> LanguageModelStates {
        self.answer(self.bert.forward(input, dropout), &input.packing, rows)
    }

    /// As [`LanguageModel::states`] from the last hidden state, `[tokens, hidden]`.
    #[must_use]
    pub fn answer(&self, hidden: Tensor<2>, packing: &Packing, rows: &[u32]) -> LanguageModelStates {
        let next_sentence =
            self.next_sentence.as_ref().map(|head| head.forward(self.bert.pool(hidden.clone(), packing)));
        let predictions = (!rows.is_empty()).then(|| self.transformed(hidden, rows));
        LanguageModelStates { predictions, next_sentence }
    }

    /// `[tokens, hidden]`, `predictions` rows of it → `[predictions, hidden]`
    fn transformed(&self, hidden: Tensor<2>, rows: &[u32]) -> Tensor<2> {
        let indices: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [rows.len()]), &hidden.device());
        let read = hidden.select(0, indices);
        let transformed = linear_gelu(read, self.transform.weight.val(), self.transform.bias.val());
        let (gamma, beta) = (self.transform_norm.gamma.val(), self.transform_norm.beta.val());
        layer_norm(transformed, gamma, Some(beta), LAYER_NORM_EPSILON)
    }

    /// The class of transformers that has these heads.
    fn class(&self) -> &'static str {
        match (self.next_sentence.is_some(), self.bert.direction()) {
            (true, _) => "BertForPreTraining",
            (false, Direction::LeftToRight) => "BertLMHeadModel",
            (false, Direction::Both) => "BertForMaskedLM",
        }
    }
}

/// The heads, drawn from a stream of their own, so that the encoder is the one of
/// [`random_classifier`](super::random_classifier) for the same seed.
struct Heads<'a> {
    initializer: Initializer<'a>,
    hidden: usize,
    vocabulary: usize,
}

impl<'a> Heads<'a> {
    fn new(of: &Architecture, seed: u64, device: &'a Device) -> Self {
        let initializer = Initializer::new(Stream::new(seed, "init-pretraining"), device);
        Self { initializer, hidden: of.hidden as usize, vocabulary: of.vocab_size as usize }
    }

    fn on(mut self, bert: Bert, predict_next: bool) -> LanguageModel {
        let hidden = self.hidden;
        LanguageModel {
            bert,
            transform: self.initializer.linear(hidden, hidden),
            transform_norm: self.initializer.norm(hidden),
            decoder_bias: self.initializer.vector(self.vocabulary, 0.0),
            next_sentence: predict_next.then(|| self.initializer.linear(hidden, 2)),
        }
    }
}

/// A model with random weights from the `init` stream of `seed`, its heads from `init-pretraining`.
#[must_use]
pub fn random_pretraining(
    architecture: &Architecture,
    predict_next: bool,
    seed: u64,
    device: &Device,
) -> LanguageModel {
    let bert = Initializer::new(Stream::new(seed, "init"), device).bert(architecture);
    Heads::new(architecture, seed, device).on(bert, predict_next)
}

/// Reads a checkpoint to go on pretraining it. Heads that it lacks are initialised at random and noted.
///
/// # Errors
/// As [`load_encoder`](super::load_encoder).
pub fn load_pretraining(
    folder: &Path,
    predict_next: bool,
    seed: u64,
    device: &Device,
) -> Result<Loaded<LanguageModel>, CheckpointError> {
    load(folder, seed, device, |reader, _| {
        let of = reader.of;
        let mut model = Heads::new(&of, seed, device).on(reader.bert()?, predict_next);
        reader.pretraining_heads(&mut model, &of)?;
        if !predict_next {
            // Nobody asks for the pooler.
            reader.notes.retain(|note| note != NO_POOLER);
        }
        Ok(model)
    })
}

impl Reader<'_> {
    /// Puts the heads that the file has in the place of random ones.
    fn pretraining_heads(&mut self, model: &mut LanguageModel, of: &Architecture) -> Result<(), CheckpointError> {
        let (hidden, vocabulary) = (of.hidden as usize, of.vocab_size as usize);
        let has = |reader: &Self, name: &str| reader.weights.has(&format!("{name}.weight"));
        if has(self, name::TRANSFORM) {
            model.transform = self.linear(name::TRANSFORM, hidden, hidden)?;
            model.transform_norm = self.norm(name::TRANSFORM_NORM)?;
            let bias = if self.weights.has(name::BIAS) { name::BIAS } else { name::DECODER_BIAS };
            model.decoder_bias = self.vector(bias, vocabulary)?;
            self.skip(name::DECODER);
        } else {
            self.notes.push("the file has no head for masked tokens: it was initialised at random".into());
        }
        if model.next_sentence.is_some() {
            if has(self, name::NEXT_SENTENCE) {
                model.next_sentence = Some(self.linear(name::NEXT_SENTENCE, hidden, 2)?);
            } else {
                self.notes.push("the file has no head for the next sentence: it was initialised at random".into());
            }
        }
        Ok(())
    }
}

/// Writes the folder of a `BertForPreTraining` of transformers (of a `BertForMaskedLM`, which has no pooler, when
/// nothing predicts the next sentence; of a `BertLMHeadModel` when the model is causal besides) into the empty folder `folder`: `config.json`, `model.safetensors` and
/// `beside`. The decoder's matrix is not repeated, for it is the word embeddings. Nothing is flushed or renamed.
///
/// # Errors
/// When a file cannot be written.
pub fn save_pretraining(
    folder: &Path,
    model: &LanguageModel,
    config: &Config,
    dropout: f64,
    beside: &FilesBeside,
) -> Result<(), CheckpointError> {
    let mut tensors = Tensors::default();
    tensors.encoder(&model.bert, config.architecture.hidden as usize);
    if let Some(head) = &model.next_sentence {
        tensors.linear(name::POOLER, &model.bert.pooler);
        tensors.linear(name::NEXT_SENTENCE, head);
    }
    tensors.linear(name::TRANSFORM, &model.transform);
    tensors.norm(name::TRANSFORM_NORM, &model.transform_norm);
    tensors.tensor(name::BIAS.into(), model.decoder_bias.val());
    write_folder(folder, &config.encoder_json(model.class(), dropout), &tensors, beside)
}
