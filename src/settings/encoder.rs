//! Which encoder a model is, and how its states become one vector.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LmLoss;

/// What turns tokens into states. What each computes is a row of `ENCODERS` in `model`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Encoder")]
pub enum EncoderType {
    /// BERT: a transformer whose tokens see the whole sequence (Devlin et al. 2018).
    #[default]
    Bert,
    /// BERT's layers under a causal mask: tokens see themselves and those before (Radford et al. 2018).
    Gpt,
    /// The published GPT: as `Gpt`, but for its embeddings without norm and segments and its activation (Radford et al. 2018).
    OpenaiGpt,
    /// LSTM layers from left to right.
    Lstm,
    /// LSTM layers from left to right and others from right to left, each a language model of its direction; tasks see
    /// a learnt sum of the layers (Peters et al. 2018).
    Elmo,
    /// A vector for every word, whatever stands around it: skip-gram with negative sampling (Mikolov et al. 2013).
    WordVectors,
}

/// How the states of a sequence become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The mean of all states.
    Mean,
    /// The last token's state.
    Last,
    /// Of a model with two directions, what each has read at its end: the last token's state from left to right, and
    /// the first token's from right to left.
    Ends,
}

impl EncoderType {
    /// Every encoder.
    pub const ALL: [Self; 6] = [Self::Bert, Self::Gpt, Self::OpenaiGpt, Self::Lstm, Self::Elmo, Self::WordVectors];

    /// As it is written in an experiment file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Gpt => "gpt",
            Self::OpenaiGpt => "openai_gpt",
            Self::Lstm => "lstm",
            Self::Elmo => "elmo",
            Self::WordVectors => "word_vectors",
        }
    }

    /// Whether it is BERT.
    #[must_use]
    pub fn is_bert(&self) -> bool {
        *self == Self::Bert
    }

    /// Whether it has attention heads and feed-forward layers.
    #[must_use]
    pub const fn is_transformer(self) -> bool {
        matches!(self, Self::Bert | Self::Gpt | Self::OpenaiGpt)
    }

    /// Whether it has a layer that makes one vector of a sequence: BERT's pooler.
    #[must_use]
    pub const fn has_pooler(self) -> bool {
        matches!(self, Self::Bert | Self::Gpt)
    }

    /// What it is pretrained for when nothing else is said.
    #[must_use]
    pub const fn objective(self) -> LmLoss {
        match self {
            Self::Bert => LmLoss::MaskedLmAndNextSentence,
            Self::Gpt | Self::OpenaiGpt | Self::Lstm => LmLoss::CausalLm,
            Self::Elmo => LmLoss::BidirectionalLm,
            Self::WordVectors => LmLoss::SkipGram,
        }
    }

    /// Whether its states see the tokens before alone when it is pretrained for `loss`.
    #[must_use]
    pub const fn is_causal(self, loss: LmLoss) -> bool {
        match self {
            Self::Bert => matches!(loss, LmLoss::CausalLm),
            Self::Gpt | Self::OpenaiGpt | Self::Lstm => true,
            Self::Elmo | Self::WordVectors => false,
        }
    }

    /// How states become one vector when nothing else is said. Transformers have a layer for it, at the first token or, with a
    /// causal mask, at the last token.
    #[must_use]
    pub const fn pooling(self) -> Option<Pooling> {
        match self {
            Self::Bert | Self::Gpt | Self::OpenaiGpt => None,
            Self::Lstm => Some(Pooling::Last),
            Self::Elmo => Some(Pooling::Ends),
            Self::WordVectors => Some(Pooling::Mean),
        }
    }

    /// The ways that it can be pooled by.
    #[must_use]
    pub const fn poolings(self) -> &'static [Pooling] {
        match self {
            Self::Bert | Self::Gpt | Self::OpenaiGpt => &[],
            Self::Lstm => &[Pooling::Last, Pooling::Mean],
            Self::Elmo => &[Pooling::Ends, Pooling::Last, Pooling::Mean],
            Self::WordVectors => &[Pooling::Mean],
        }
    }
}

impl fmt::Display for EncoderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bert => "BERT",
            Self::Gpt => "GPT",
            Self::OpenaiGpt => "OpenAI GPT",
            Self::Lstm => "LSTM",
            Self::Elmo => "ELMo",
            Self::WordVectors => "word vectors",
        })
    }
}

impl Pooling {
    /// As it is written in an experiment file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Last => "last",
            Self::Ends => "ends",
        }
    }
}
