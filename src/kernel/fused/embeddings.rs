//! The input embeddings as one burn operation.

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, ExtensionType, Flex};

use super::memory::{numbers, tensor};
use super::operation::Operation;
use super::sparse;
use crate::kernel::cpu::embeddings::{self, PerTable, Rows};
use crate::kernel::cpu::{Buffer, Site};
use crate::kernel::packing::TokenRows;

/// The tensors that the embeddings read.
#[derive(ExtensionType)]
pub(in crate::kernel) struct EmbeddingTensors<B: Backend> {
    /// `[vocab_size, hidden]`
    pub(in crate::kernel) word: FloatTensor<B>,
    /// `[max_positions, hidden]`
    pub(in crate::kernel) position: FloatTensor<B>,
    /// `[type_vocab_size, hidden]`
    pub(in crate::kernel) segment: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) gamma: FloatTensor<B>,
    /// `[hidden]`
    pub(in crate::kernel) beta: FloatTensor<B>,
}

/// Three tables, γ and β.
pub(in crate::kernel) const EMBEDDING_INPUTS: usize = 5;

/// What the embeddings read besides tensors.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct EmbeddingCall {
    pub(in crate::kernel) rows: TokenRows,
    pub(in crate::kernel) mask: Option<Site>,
}

impl EmbeddingCall {
    fn rows(&self) -> Rows<'_> {
        Rows { word: &self.rows.ids, position: &self.rows.positions, segment: &self.rows.segments }
    }
}

impl<B: Backend> EmbeddingTensors<B> {
    /// In the order of the struct, which is that of the gradients.
    pub(in crate::kernel) fn into_array(self) -> [FloatTensor<B>; EMBEDDING_INPUTS] {
        [self.word, self.position, self.segment, self.gamma, self.beta]
    }
}

fn tables(inputs: &[FlexTensor; EMBEDDING_INPUTS]) -> PerTable<&[f32]> {
    let [word, position, segment, gamma, beta] = inputs.each_ref().map(numbers);
    PerTable { word, position, segment, gamma, beta }
}

impl Operation<Flex, EMBEDDING_INPUTS> for EmbeddingCall {
    /// Nothing: rows and mask are made again.
    type Kept = ();

    fn forward(&self, inputs: &[FlexTensor; EMBEDDING_INPUTS], _keep: bool) -> (FlexTensor, Option<()>) {
        let tables = tables(inputs);
        let (tokens, hidden) = (self.rows.ids.len(), tables.gamma.len());
        let mut y = Buffer::take(tokens * hidden);
        embeddings::forward(&tables, &self.rows(), self.mask, &mut y);
        (tensor(y, [tokens, hidden]), Some(()))
    }

    fn backward(
        &self,
        inputs: &[FlexTensor; EMBEDDING_INPUTS],
        (): &(),
        arriving: &FlexTensor,
    ) -> [FlexTensor; EMBEDDING_INPUTS] {
        let tables = tables(inputs);
        let hidden = tables.gamma.len();
        let mut word = sparse::Zeros::take(tables.word.len());
        let [mut position, mut segment] =
            [tables.position, tables.segment].map(|table| Buffer::<f32>::zeroed(table.len()));
        let [mut gamma, mut beta] = [hidden; 2].map(Buffer::<f32>::take);
        let into = PerTable {
            word: word.numbers(),
            position: &mut position[..],
            segment: &mut segment[..],
            gamma: &mut gamma[..],
            beta: &mut beta[..],
        };
        embeddings::backward(&tables, &self.rows(), self.mask, numbers(arriving), into);
        let shape = |input: usize| inputs[input].layout().shape().clone();
        [
            word.into_tensor(embeddings::distinct(&self.rows.ids), shape(0)),
            tensor(position, shape(1)),
            tensor(segment, shape(2)),
            tensor(gamma, shape(3)),
            tensor(beta, shape(4)),
        ]
    }
}
