//! A vector for every word, the same wherever it stands: skip-gram with negative sampling (Mikolov et al. 2013, "Distributed
//! representations of words and phrases and their compositionality").

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::encoder::{Direction, Encoder, EncoderKind, PackedInput};
use super::pooling::mean_tokens;
use crate::kernel::{Dropout, Packing};
use crate::settings::{EncoderType, LmLoss};

/// Word vectors among the encoders.
pub const WORD_VECTORS: EncoderKind = EncoderKind {
    encoder: EncoderType::WordVectors,
    model_type: "word_vectors",
    class: "WordVectors",
    directions: &[(LmLoss::SkipGram, Direction::Token)],
};

/// The name of the table in a checkpoint.
pub(super) const WORDS: &str = "word_embeddings.weight";

/// The table of vectors. A state is its token's vector; nothing else is computed.
#[derive(Module, Debug)]
pub struct WordVectors {
    /// `[vocab_size, hidden]`
    pub word: Param<Tensor<2>>,
}

impl Encoder for WordVectors {
    fn depth(&self) -> usize {
        0
    }

    fn direction(&self) -> Direction {
        Direction::Token
    }

    fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        let vectors = input.lookup(self.word.val());
        match dropout {
            Some(dropout) => dropout.apply(vectors, 0),
            None => vectors,
        }
    }

    fn layer(&self, _: usize, hidden: Tensor<2>, _: &Packing, _: Option<&Dropout>) -> Tensor<2> {
        hidden
    }

    /// The mean of the sequence's vectors.
    fn pool(&self, hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
        mean_tokens(hidden, packing)
    }

    fn words(&self) -> &Param<Tensor<2>> {
        &self.word
    }
}
