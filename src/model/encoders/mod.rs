//! The table of encoders: each is a file of this folder and a row of [`ENCODERS`], and what computes it a variant of
//! [`AnyEncoder`].

mod bert;
mod bert_config;
mod bert_weights;
mod openai_gpt;
mod openai_gpt_config;
mod recurrent;
mod recurrent_config;
mod word_vectors;

use std::ops::{Deref, DerefMut};

use burn::module::Module;

pub use bert::Bert;
pub use openai_gpt::OpenaiGpt;
pub use recurrent::{Recurrent, RecurrentLayer};
pub use word_vectors::WordVectors;

pub(super) use bert_weights::tensors as bert_tensors;
pub(super) use openai_gpt_config::{ADDED, ADDED_ROWS};
pub(super) use word_vectors::WORDS;

use super::config_error::ConfigError;
use super::config_fields::Fields;
use super::encoder::{Direction, Encoder};
use super::error::CheckpointError;
use super::initialize::Initializer;
use super::reader::Reader;
use super::weights::Weights;
use super::write::Tensors;
use crate::kernel::LSTM_DIRECTIONS;
use crate::settings::{EncoderType, LmLoss};
use crate::store::Architecture;

/// Every encoder, in the order of [`EncoderType::ALL`]; the first is what a `config.json` without a name is of.
pub const ENCODERS: &[EncoderKind] = &[
    BERT,
    // What it has of BERT and not of the published GPT (segment embeddings and their norm, GELU in its exact form, the
    // pooler) it keeps, so that the direction is all in which the two differ. transformers reads it as a BERT with
    // `is_decoder`.
    EncoderKind { encoder: EncoderType::Gpt, directions: &[(LmLoss::CausalLm, Direction::LeftToRight)], ..BERT },
    EncoderKind {
        encoder: EncoderType::OpenaiGpt,
        model_type: "openai-gpt",
        class: "OpenAIGPT",
        directions: &[(LmLoss::CausalLm, Direction::LeftToRight)],
        decoder: Decoder::WordsAlone,
        config: openai_gpt_config::FORM,
        random: |initializer, of| openai_gpt::random(initializer, of).into(),
        read: |reader| Ok(openai_gpt::read(reader)?.into()),
        tensors: openai_gpt::tensors,
    },
    EncoderKind {
        encoder: EncoderType::Lstm,
        model_type: "lstm",
        class: "Lstm",
        directions: &[(LmLoss::CausalLm, Direction::LeftToRight)],
        decoder: Decoder::WordsAndBias,
        config: recurrent_config::FORM,
        random: |initializer, of| recurrent::random(initializer, of, 1).into(),
        read: |reader| Ok(recurrent::read(reader, 1)?.into()),
        tensors: |of, _| recurrent::tensors(of, 1),
    },
    // ELMo (Peters et al. 2018): LSTM layers from left to right, others from right to left, and γ Σ softmax(s)ₖ hₖ over the
    // embeddings and the layers, which tasks learn. Words come from one table of pieces instead of a convolution over
    // characters, and the LSTMs have neither projections nor residual connections.
    EncoderKind {
        encoder: EncoderType::Elmo,
        model_type: "elmo",
        class: "Elmo",
        directions: &[(LmLoss::BidirectionalLm, Direction::Both)],
        decoder: Decoder::WordsAndBias,
        config: recurrent_config::FORM,
        random: |initializer, of| recurrent::random(initializer, of, LSTM_DIRECTIONS).into(),
        read: |reader| Ok(recurrent::read(reader, LSTM_DIRECTIONS)?.into()),
        tensors: |of, _| recurrent::tensors(of, LSTM_DIRECTIONS),
    },
    EncoderKind {
        encoder: EncoderType::WordVectors,
        model_type: "word_vectors",
        class: "WordVectors",
        directions: &[(LmLoss::SkipGram, Direction::Token)],
        decoder: Decoder::WordsAround,
        config: recurrent_config::FORM,
        random: |initializer, of| word_vectors::random(initializer, of).into(),
        read: |reader| Ok(word_vectors::read(reader)?.into()),
        tensors: |of, _| word_vectors::tensors(of),
    },
];

/// Devlin et al. 2018.
const BERT: EncoderKind = EncoderKind {
    encoder: EncoderType::Bert,
    model_type: "bert",
    class: "Bert",
    directions: &[
        (LmLoss::MaskedLmAndNextSentence, Direction::Both),
        (LmLoss::MaskedLm, Direction::Both),
        (LmLoss::CausalLm, Direction::LeftToRight),
    ],
    decoder: Decoder::Transformed,
    config: bert_config::FORM,
    random: |initializer, of| bert_weights::random(initializer, of).into(),
    read: |reader| Ok(bert_weights::read(reader)?.into()),
    tensors: |of, _| bert_weights::tensors(of),
};

/// Names of tensors, and their shapes.
type NamedShapes = Vec<(String, Vec<usize>)>;

/// A row of [`ENCODERS`].
#[derive(Clone, Copy, Debug)]
pub struct EncoderKind {
    /// What an experiment file calls it.
    pub encoder: EncoderType,
    /// `model_type` of its `config.json`.
    pub model_type: &'static str,
    /// What the names of transformers' classes of it begin with.
    pub class: &'static str,
    /// What it can be pretrained for, and the direction that it then reads in.
    pub directions: &'static [(LmLoss, Direction)],
    /// What predicts words from its states in pretraining.
    pub(super) decoder: Decoder,
    /// Its dimensions in `config.json`.
    pub(super) config: ConfigForm,
    /// Draws it.
    pub(super) random: fn(&mut Initializer<'_>, &Architecture) -> AnyEncoder,
    /// Reads it from a checkpoint.
    pub(super) read: fn(&mut Reader<'_>) -> Result<AnyEncoder, CheckpointError>,
    /// Names and shapes of its tensors in a file, `[outputs, inputs]` but for GPT's, without those that a checkpoint may
    /// lack.
    pub(super) tensors: fn(&Architecture, &Weights) -> NamedShapes,
}

/// What predicts words from the states of an encoder in pretraining; the word embeddings are the decoder's matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoder {
    /// A linear layer, GELU and a norm before it, and a bias for every word (BERT).
    Transformed,
    /// With a bias for every word.
    WordsAndBias,
    /// Without (the published GPT).
    WordsAlone,
    /// Not the word embeddings but vectors of the words around (word2vec.c).
    WordsAround,
}

/// How `config.json` says the dimensions of an encoder.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConfigForm {
    /// Reads them, of an encoder whose `model_type` is known.
    pub(super) read: fn(&Fields<'_>, EncoderType) -> Result<Architecture, ConfigError>,
    /// Writes them, with this dropout, without `architectures` and `model_type`.
    pub(super) write: fn(&Architecture, f64) -> serde_json::Value,
}

impl EncoderKind {
    /// The row of an encoder.
    #[must_use]
    pub const fn of(encoder: EncoderType) -> &'static Self {
        &ENCODERS[encoder as usize]
    }

    /// The direction in which it reads when it is pretrained for `loss`; `None` when it cannot be.
    #[must_use]
    pub fn direction(&self, loss: LmLoss) -> Option<Direction> {
        self.directions.iter().find(|(known, _)| *known == loss).map(|(_, direction)| *direction)
    }
}

/// Defines the enum of what computes encoders, for burn's modules are no trait objects.
macro_rules! any_encoder {
    ($($(#[$about:meta])* $name:ident),+ $(,)?) => {
        /// An encoder, as a classifier or a language model holds it: what computes it, which rows of [`ENCODERS`] may share.
        #[derive(Module, Debug)]
        #[expect(clippy::large_enum_variant, reason = "a process has a few models, and almost all are BERT")]
        pub enum AnyEncoder {
            $($(#[$about])* $name($name)),+
        }

        impl Deref for AnyEncoder {
            type Target = dyn Encoder;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$name(encoder) => encoder),+
                }
            }
        }

        impl DerefMut for AnyEncoder {
            fn deref_mut(&mut self) -> &mut Self::Target {
                match self {
                    $(Self::$name(encoder) => encoder),+
                }
            }
        }

        impl AnyEncoder {
            /// Adds its tensors, those of BERT's pooler if that is wanted.
            pub(super) fn write(&self, into: &mut Tensors, pooler: bool) {
                match self {
                    $(Self::$name(encoder) => encoder.write(into, pooler)),+
                }
            }
        }

        $(impl From<$name> for AnyEncoder {
            fn from(encoder: $name) -> Self {
                Self::$name(encoder)
            }
        })+
    };
}

any_encoder! {
    /// BERT and GPT.
    Bert,
    /// The published GPT.
    OpenaiGpt,
    /// The LSTM and ELMo.
    Recurrent,
    /// Word vectors.
    WordVectors,
}

impl AnyEncoder {
    /// With random weights.
    pub(super) fn random(of: &Architecture, initializer: &mut Initializer<'_>) -> Self {
        (EncoderKind::of(of.encoder).random)(initializer, of)
    }

    /// The encoder of a checkpoint's configuration.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, CheckpointError> {
        (EncoderKind::of(reader.of.encoder).read)(reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoder_has_its_row_and_can_be_pretrained_for_its_own_objective() {
        assert_eq!(ENCODERS.len(), EncoderType::ALL.len());
        for encoder in EncoderType::ALL {
            let kind = EncoderKind::of(encoder);
            assert_eq!(kind.encoder, encoder);
            for (loss, direction) in kind.directions {
                assert_eq!(*direction == Direction::LeftToRight, loss.is_causal(), "{encoder}");
            }
            assert!(kind.direction(encoder.facts().objective).is_some(), "{encoder}");
        }
    }
}
