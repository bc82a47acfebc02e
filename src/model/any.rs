//! Any of the encoders, as a classifier or a language model holds it.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::bert::Bert;
use super::encoder::{Direction, Encoder, PackedInput};
use super::error::CheckpointError;
use super::initialize::Initializer;
use super::openai_gpt::{self, OpenaiGpt};
use super::reader::{Reader, encoder_tensors};
use super::recurrent::{self, Recurrent};
use super::weights::Weights;
use super::word_vectors::{WORDS, WordVectors};
use super::write::Tensors;
use crate::kernel::{Dropout, LSTM_DIRECTIONS, Packing, Precision};
use crate::settings::EncoderType;
use crate::store::Architecture;

/// An encoder; rows of [`ENCODERS`](super::ENCODERS) may share what computes them.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has a few models, and almost all are BERT")]
pub enum AnyEncoder {
    /// BERT and GPT.
    Bert(Bert),
    /// The published GPT.
    OpenaiGpt(OpenaiGpt),
    /// The LSTM and ELMo.
    Recurrent(Recurrent),
    /// Word vectors.
    WordVectors(WordVectors),
}

impl AnyEncoder {
    /// With random weights.
    pub(super) fn random(of: &Architecture, initializer: &mut Initializer<'_>) -> Self {
        match of.encoder {
            EncoderType::Bert | EncoderType::Gpt => Self::Bert(initializer.bert(of)),
            EncoderType::OpenaiGpt => Self::OpenaiGpt(openai_gpt::random(initializer, of)),
            EncoderType::Lstm => Self::Recurrent(recurrent::random(initializer, of, 1)),
            EncoderType::Elmo => Self::Recurrent(recurrent::random(initializer, of, LSTM_DIRECTIONS)),
            EncoderType::WordVectors => {
                // Uniform within ½/width (word2vec.c, `InitNet`).
                let bound = 0.5 / f64::from(of.hidden);
                let word = initializer.uniform(&[of.vocab_size as usize, of.hidden as usize], bound);
                Self::WordVectors(WordVectors { word: Param::from_tensor(word) })
            }
        }
    }

    /// The encoder of a checkpoint's configuration.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CheckpointError> {
        let of = reader.of;
        Ok(match of.encoder {
            EncoderType::Bert | EncoderType::Gpt => Self::Bert(reader.bert()?),
            EncoderType::OpenaiGpt => Self::OpenaiGpt(openai_gpt::read(reader)?),
            EncoderType::Lstm => Self::Recurrent(recurrent::read(reader, 1)?),
            EncoderType::Elmo => Self::Recurrent(recurrent::read(reader, LSTM_DIRECTIONS)?),
            EncoderType::WordVectors => {
                let word = reader.matrix(WORDS, of.vocab_size as usize, of.hidden as usize)?;
                Self::WordVectors(WordVectors { word })
            }
        })
    }

    fn get(&self) -> &dyn Encoder {
        match self {
            Self::Bert(encoder) => encoder,
            Self::OpenaiGpt(encoder) => encoder,
            Self::Recurrent(encoder) => encoder,
            Self::WordVectors(encoder) => encoder,
        }
    }

    /// Adds its tensors, those of BERT's pooler if that is wanted.
    pub(super) fn write(&self, into: &mut Tensors, pooler: bool) {
        match self {
            Self::Bert(encoder) => into.bert(encoder, pooler),
            Self::OpenaiGpt(encoder) => encoder.write(into),
            Self::Recurrent(encoder) => encoder.write(into),
            Self::WordVectors(encoder) => into.word_vectors(encoder),
        }
    }
}

/// Names and shapes of an encoder's tensors in `weights`, `[outputs, inputs]` but for GPT's, without those that a checkpoint
/// may lack.
pub(super) fn tensors(of: &Architecture, weights: &Weights) -> Vec<(String, Vec<usize>)> {
    match of.encoder {
        EncoderType::Bert | EncoderType::Gpt => encoder_tensors(of),
        EncoderType::OpenaiGpt => openai_gpt::tensors(of, weights),
        EncoderType::Lstm => recurrent::tensors(of, 1),
        EncoderType::Elmo => recurrent::tensors(of, LSTM_DIRECTIONS),
        EncoderType::WordVectors => vec![(WORDS.to_owned(), vec![of.vocab_size as usize, of.hidden as usize])],
    }
}

impl Encoder for AnyEncoder {
    fn depth(&self) -> usize {
        self.get().depth()
    }

    fn direction(&self) -> Direction {
        self.get().direction()
    }

    fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.get().embed(input, dropout)
    }

    fn layer(&self, index: usize, hidden: Tensor<2>, packing: &Packing, dropout: Option<&Dropout>) -> Tensor<2> {
        self.get().layer(index, hidden, packing, dropout)
    }

    fn pool(&self, hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
        self.get().pool(hidden, packing)
    }

    fn words(&self) -> &Param<Tensor<2>> {
        self.get().words()
    }

    fn width(&self) -> usize {
        self.get().width()
    }

    fn combine(&self, states: Vec<Tensor<2>>) -> Tensor<2> {
        self.get().combine(states)
    }

    fn forward(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        self.get().forward(input, dropout)
    }

    fn set_precision(&mut self, precision: Precision) {
        match self {
            Self::Bert(encoder) => encoder.set_precision(precision),
            Self::OpenaiGpt(encoder) => encoder.set_precision(precision),
            Self::Recurrent(_) | Self::WordVectors(_) => {}
        }
    }
}
