//! A vector for every word, the same wherever it stands: skip-gram with negative sampling (Mikolov et al. 2013, "Distributed
//! representations of words and phrases and their compositionality").

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::kernel::{Dropout, Packing, dropped};
use crate::model::encoder::{Direction, Encoder, PackedInput};
use crate::model::error::CheckpointError;
use crate::model::initialize::Initializer;
use crate::model::pooling::mean_tokens;
use crate::model::reader::Reader;
use crate::model::write::Tensors;
use crate::store::Architecture;

/// The name of the table in a checkpoint.
pub(in crate::model) const WORDS: &str = "word_embeddings.weight";

/// The table of vectors. A state is its token's vector; nothing else is computed.
#[derive(Module, Debug)]
pub struct WordVectors {
    /// `[vocab_size, hidden]`
    pub word: Param<Tensor<2>>,
}

/// Uniform within ½/width (word2vec.c, `InitNet`).
pub(super) fn random(initializer: &mut Initializer<'_>, of: &Architecture) -> WordVectors {
    let bound = 0.5 / f64::from(of.hidden);
    let word = initializer.uniform(&[of.vocab_size as usize, of.hidden as usize], bound);
    WordVectors { word: Param::from_tensor(word) }
}

/// From a checkpoint.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<WordVectors, CheckpointError> {
    let of = reader.of;
    Ok(WordVectors { word: reader.matrix(WORDS, of.vocab_size as usize, of.hidden as usize)? })
}

/// Names and shapes of its tensors.
pub(super) fn tensors(of: &Architecture) -> Vec<(String, Vec<usize>)> {
    vec![(WORDS.to_owned(), vec![of.vocab_size as usize, of.hidden as usize])]
}

impl WordVectors {
    /// Adds its tensor.
    pub(super) fn write(&self, into: &mut Tensors, _pooler: bool) {
        into.tensor(WORDS.into(), self.word.val());
    }
}

impl Encoder for WordVectors {
    fn depth(&self) -> usize {
        0
    }

    fn direction(&self) -> Direction {
        Direction::Token
    }

    fn embed(&self, input: &PackedInput, dropout: Option<&Dropout>) -> Tensor<2> {
        dropped(input.lookup(self.word.val()), dropout, 0)
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
