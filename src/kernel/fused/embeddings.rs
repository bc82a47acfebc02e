//! The input embeddings as one burn operation.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, ExtensionType, Flex};

use super::memory::{contiguous, numbers, tensor};
use super::sparse;
use crate::kernel::cpu::Buffer;
use crate::kernel::cpu::Site;
use crate::kernel::cpu::embeddings::{self, Rows, Tables};
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

fn tables(inputs: &[FlexTensor; EMBEDDING_INPUTS]) -> Tables<'_> {
    let [word, position, segment, gamma, beta] = inputs.each_ref().map(numbers);
    Tables { word, position, segment, gamma, beta }
}

fn run(inputs: &[FlexTensor; EMBEDDING_INPUTS], call: &EmbeddingCall) -> FlexTensor {
    let tables = tables(inputs);
    let (tokens, hidden) = (call.rows.ids.len(), tables.gamma.len());
    let mut y = Buffer::take(tokens * hidden);
    embeddings::forward(&tables, &call.rows(), call.mask, &mut y);
    tensor(y, [tokens, hidden])
}

/// Without autodiff.
pub(super) fn plain(tensors: EmbeddingTensors<Flex>, call: &EmbeddingCall) -> FlexTensor {
    run(&tensors.into_array().map(contiguous), call)
}

/// With autodiff.
pub(super) fn tracked<C: CheckpointStrategy>(
    tensors: EmbeddingTensors<Autodiff<Flex, C>>,
    call: EmbeddingCall,
) -> FloatTensor<Autodiff<Flex, C>> {
    let inputs = tensors.into_array();
    #[expect(clippy::redundant_closure_for_method_calls, reason = "burn does not export the type of the method")]
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| contiguous(input.into_primitive()));
    let output = run(&inputs, &call);
    match EmbeddingBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(preparation) => preparation.finish(Arc::new(Kept { inputs, call }), output),
        OpsKind::UnTracked(preparation) => preparation.finish(output),
    }
}

#[derive(Debug)]
struct EmbeddingBackward;

/// What the backward pass reads.
#[derive(Debug)]
struct Kept {
    inputs: [FlexTensor; EMBEDDING_INPUTS],
    call: EmbeddingCall,
}

impl Backward<Flex, EMBEDDING_INPUTS> for EmbeddingBackward {
    type State = Arc<Kept>;

    fn backward(self, ops: Ops<Arc<Kept>, EMBEDDING_INPUTS>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let arriving = contiguous(gradients.consume::<Flex>(&ops.node));
        let Kept { inputs, call } = &*ops.state;
        let tables = tables(inputs);
        let hidden = tables.gamma.len();
        let mut word = sparse::Zeros::take(tables.word.len());
        let [mut position, mut segment] =
            [tables.position, tables.segment].map(|table| Buffer::<f32>::zeroed(table.len()));
        let [mut gamma, mut beta] = [hidden; 2].map(Buffer::<f32>::take);
        let into = embeddings::Gradients {
            word: word.numbers(),
            position: &mut position,
            segment: &mut segment,
            gamma: &mut gamma,
            beta: &mut beta,
        };
        embeddings::backward(&tables, &call.rows(), call.mask, numbers(&arriving), into);
        let shape = |input: usize| inputs[input].layout().shape().clone();
        let found = [
            word.into_tensor(embeddings::distinct(&call.rows.ids), shape(0)),
            tensor(position, shape(1)),
            tensor(segment, shape(2)),
            tensor(gamma, shape(3)),
            tensor(beta, shape(4)),
        ];
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}
