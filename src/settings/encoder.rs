//! Which encoder a model is, and how its states become one vector.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LmLoss;
use super::encoder_costs::{BERT, ELMO, EncoderCosts, LSTM, OPENAI_GPT, WORD_VECTORS};

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

/// What of an encoder is to be known where nothing is computed.
#[expect(clippy::struct_excessive_bools, reason = "facts that do not exclude each other")]
#[derive(Debug)]
pub struct Facts {
    /// As it is written in an experiment file.
    name: &'static str,
    /// As people call it.
    title: &'static str,
    /// What it is pretrained for when nothing else is said.
    pub objective: LmLoss,
    /// Whether it has attention heads and feed-forward layers.
    pub is_transformer: bool,
    /// Whether it has a layer that makes one vector of a sequence: BERT's pooler.
    pub has_pooler: bool,
    /// Directions that share its width.
    pub directions: u32,
    /// Whether a layer computes one token after the other.
    pub is_recurrent: bool,
    /// Whether a state depends on the words around its own.
    pub is_contextual: bool,
    /// The ways that it can be pooled by, the usual one first.
    pub poolings: &'static [Pooling],
    /// What it takes.
    pub costs: EncoderCosts,
}

const TRANSFORMER: Facts = Facts {
    name: "bert",
    title: "BERT",
    objective: LmLoss::MaskedLmAndNextSentence,
    is_transformer: true,
    has_pooler: true,
    directions: 1,
    is_recurrent: false,
    is_contextual: true,
    poolings: &[],
    costs: BERT,
};

const RECURRENT: Facts = Facts {
    name: "lstm",
    title: "LSTM",
    objective: LmLoss::CausalLm,
    is_transformer: false,
    has_pooler: false,
    directions: 1,
    is_recurrent: true,
    is_contextual: true,
    poolings: &[Pooling::Last, Pooling::Mean],
    costs: LSTM,
};

/// In the order of [`EncoderType::ALL`].
const FACTS: [Facts; EncoderType::ALL.len()] = [
    TRANSFORMER,
    Facts { name: "gpt", title: "GPT", objective: LmLoss::CausalLm, ..TRANSFORMER },
    Facts {
        name: "openai_gpt",
        title: "OpenAI GPT",
        objective: LmLoss::CausalLm,
        has_pooler: false,
        costs: OPENAI_GPT,
        ..TRANSFORMER
    },
    RECURRENT,
    Facts {
        name: "elmo",
        title: "ELMo",
        objective: LmLoss::BidirectionalLm,
        directions: 2,
        poolings: &[Pooling::Ends, Pooling::Last, Pooling::Mean],
        costs: ELMO,
        ..RECURRENT
    },
    Facts {
        name: "word_vectors",
        title: "word vectors",
        objective: LmLoss::SkipGram,
        is_recurrent: false,
        is_contextual: false,
        poolings: &[Pooling::Mean],
        costs: WORD_VECTORS,
        ..RECURRENT
    },
];

impl EncoderType {
    /// Every encoder.
    pub const ALL: [Self; 6] = [Self::Bert, Self::Gpt, Self::OpenaiGpt, Self::Lstm, Self::Elmo, Self::WordVectors];

    /// What is to be known of it.
    #[must_use]
    pub const fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }

    /// As it is written in an experiment file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether it is BERT.
    #[must_use]
    pub fn is_bert(&self) -> bool {
        *self == Self::Bert
    }

    /// How states become one vector when nothing else is said. Transformers have a layer for it, at the first token or, with a
    /// causal mask, at the last token.
    #[must_use]
    pub fn pooling(self) -> Option<Pooling> {
        self.facts().poolings.first().copied()
    }
}

impl fmt::Display for EncoderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_of_its_encoder() {
        for (index, encoder) in EncoderType::ALL.into_iter().enumerate() {
            assert_eq!(encoder as usize, index);
            assert_eq!(serde_json::to_value(encoder).unwrap(), encoder.name());
        }
    }
}
