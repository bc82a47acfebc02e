//! An encoder with the heads that it is pretrained with (Devlin et al. 2018, section 3.1; google-research/bert,
//! `run_pretraining.py`): masked language modelling, and next-sentence prediction. The head of masked language modelling
//! also predicts the next token in a causal model.

use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::config::Config;
use super::encoder::{Direction, ForwardDropout, PackedInput};
use super::encoders::{AnyEncoder, Decoder, EncoderKind};
use super::error::CheckpointError;
use super::initialize::Initializer;
use super::linear::Linear;
use super::loading::{Loaded, load_as};
use super::reader::{NO_POOLER, Reader};
use super::rows_read::RowsRead;
use super::token_head::TokenHead;
use super::weights::folder_of;
use super::write::{FilesBeside, Tensors, write_folder};
use crate::kernel::Packing;
use crate::random::Stream;
use crate::store::Architecture;

/// The encoder with its pretraining heads. The decoder's matrix is the word embeddings, whose gradient is therefore
/// the sum of what the decoder and what the lookup give.
#[derive(Module, Debug)]
pub struct LanguageModel {
    /// The encoder.
    pub encoder: AnyEncoder,
    /// What predicts words, but for the word embeddings.
    pub tokens: TokenHead,
    /// `[hidden, 2]` on the pooled output: the second segment follows the first, or is of another document. Absent
    /// in a model that does not predict it; nobody trains the pooler then.
    pub next_sentence: Option<Linear>,
    /// Of word vectors, those of the words around: `[vocab_size, hidden]` (`syn1neg` of word2vec.c).
    pub context: Option<Param<Tensor<2>>>,
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

/// The tensors of the next sentence's head under Hugging Face's name.
const NEXT_SENTENCE: &str = "cls.seq_relationship";
/// Vectors of the words around.
const CONTEXT: &str = "context_embeddings.weight";

impl LanguageModel {
    /// What the heads say; only the states of `rows`, where tokens are to be predicted, reach the decoder, which
    /// [`decoder_loss`](crate::kernel::decoder_loss) computes together with its loss: a row is as wide as the word
    /// embeddings, and a state with two directions has two.
    #[must_use]
    pub fn states(&self, input: &PackedInput, rows: &[u32], dropout: Option<&ForwardDropout>) -> LanguageModelStates {
        let read = self.rows_read(&input.packing, rows);
        let hidden = self.encoder.last_at(input, dropout, read.as_ref().map(|read| &read.rows));
        match &read {
            Some(read) => self.answer(hidden, &read.packing, &read.predictions),
            None => self.answer(hidden, &input.packing, rows),
        }
    }

    /// The rows of a batch whose last states the heads read, where tokens are predicted at `rows`; `None` where all are
    /// computed, since the encoder leaves none out, or less than half of them could be.
    #[must_use]
    pub fn rows_read(&self, packing: &Packing, rows: &[u32]) -> Option<RowsRead> {
        let token = self.encoder.pooled_token().filter(|_| self.encoder.leaves_rows_out() && packing.has_no_gaps())?;
        let read = RowsRead::of(packing, token, rows);
        (2 * read.rows.len() <= packing.tokens()).then_some(read)
    }

    /// As [`LanguageModel::states`] from the last hidden state, `[tokens, hidden]`.
    #[must_use]
    pub fn answer(&self, hidden: Tensor<2>, packing: &Packing, rows: &[u32]) -> LanguageModelStates {
        let next_sentence =
            self.next_sentence.as_ref().map(|head| head.forward(self.encoder.pool(hidden.clone(), packing)));
        let width = self.encoder.words().dims()[1];
        let predictions = (!rows.is_empty()).then(|| self.tokens.read(hidden, rows, width));
        LanguageModelStates { predictions, next_sentence }
    }

    /// The class of transformers that has these heads on an encoder of this kind.
    fn class(&self, of: &EncoderKind) -> String {
        let of_bert = match (self.next_sentence.is_some(), self.encoder.direction()) {
            (true, _) => "ForPreTraining",
            (false, Direction::LeftToRight) => "LMHeadModel",
            (false, Direction::Both | Direction::Token) => "ForMaskedLM",
        };
        format!("{}{of_bert}", of.class)
    }
}

/// The heads, drawn from a stream of their own, so that the encoder is the one of
/// [`random_classifier`](super::random_classifier) for the same seed.
struct Heads<'a> {
    initializer: Initializer<'a>,
    of: Architecture,
}

impl<'a> Heads<'a> {
    fn new(of: &Architecture, seed: u64, device: &'a Device) -> Self {
        Self { initializer: TokenHead::initializer(of, seed, device), of: *of }
    }

    fn on(mut self, encoder: AnyEncoder, predict_next: bool) -> LanguageModel {
        let (hidden, vocabulary) = (self.of.hidden as usize, self.of.vocab_size as usize);
        let context = EncoderKind::of(self.of.encoder).decoder == Decoder::WordsAround;
        LanguageModel {
            encoder,
            tokens: TokenHead::random(&mut self.initializer, &self.of),
            next_sentence: predict_next.then(|| self.initializer.linear(hidden, 2)),
            // word2vec.c begins with 0 too.
            context: context.then(|| self.initializer.zeros(vocabulary, hidden)),
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
    let mut initializer = Initializer::new(Stream::new(seed, "init"), architecture.initializer_range, device);
    Heads::new(architecture, seed, device).on(AnyEncoder::random(architecture, &mut initializer), predict_next)
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
    let config = Config::read(folder_of(folder)?)?.of_language_model();
    load_as(config, folder, seed, device, |reader, _| {
        let of = reader.of;
        let mut model = Heads::new(&of, seed, device).on(AnyEncoder::read(reader)?, predict_next);
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
        if let Some(context) = &mut model.context {
            if self.weights.has(CONTEXT) {
                *context = self.matrix(CONTEXT, vocabulary, hidden)?;
            } else {
                self.notes.push("the file has no vectors of the words around: they begin at 0".into());
            }
            return Ok(());
        }
        self.token_head(&mut model.tokens)?;
        if model.next_sentence.is_some() {
            if self.weights.has(&format!("{NEXT_SENTENCE}.weight")) {
                model.next_sentence = Some(self.linear(NEXT_SENTENCE, hidden, 2)?);
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
    let (kind, mut tensors) = (EncoderKind::of(config.architecture.encoder), Tensors::default());
    model.encoder.write(&mut tensors, model.next_sentence.is_some());
    if let Some(head) = &model.next_sentence {
        tensors.linear(NEXT_SENTENCE, head);
    }
    match &model.context {
        Some(context) => tensors.tensor(CONTEXT.into(), context.val()),
        None => model.tokens.write(&mut tensors, kind),
    }
    write_folder(folder, &config.encoder_json(&model.class(kind), dropout), &tensors, beside)
}
