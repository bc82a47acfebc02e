//! The input of BERT: word + position + segment embeddings, layer norm, dropout.

use burn::tensor::{Int, Tensor};

use super::{Dropout, layer_norm::norm};

/// The tables and the norm that [`embeddings`] reads.
#[derive(Clone, Debug)]
pub struct EmbeddingTables {
    /// `[vocab_size, hidden]`
    pub word: Tensor<2>,
    /// `[max_positions, hidden]`
    pub position: Tensor<2>,
    /// `[type_vocab_size, hidden]`
    pub segment: Tensor<2>,
    /// Layer norm's γ, `[hidden]`
    pub gamma: Tensor<1>,
    /// Layer norm's β, `[hidden]`
    pub beta: Tensor<1>,
}

/// Layer norm of the sum of three embeddings, then dropout. Three `[tokens]` of rows → `[tokens, hidden]`.
#[must_use]
pub fn embeddings(
    tables: EmbeddingTables,
    ids: Tensor<1, Int>,
    positions: Tensor<1, Int>,
    segments: Tensor<1, Int>,
    dropout: Option<&Dropout>,
    dropout_site: u32,
) -> Tensor<2> {
    let sum = tables.word.select(0, ids) + tables.position.select(0, positions) + tables.segment.select(0, segments);
    let normed = norm(sum, tables.gamma, tables.beta);
    match dropout {
        Some(dropout) => dropout.apply(normed, dropout_site),
        None => normed,
    }
}
