//! A fused operation as one node of burn's graph.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

use super::memory::{contiguous, numbers};

/// What is computed of `N` contiguous tensors in one call forward and one backward.
pub(super) trait Operation<const N: usize>: Debug + Send + Sync + 'static {
    /// What the backward pass reads besides the tensors.
    type Kept: Debug + Send + Sync;

    /// The output, and what its backward pass reads when `keep` says so.
    fn forward(&self, inputs: &[FlexTensor; N], keep: bool) -> (FlexTensor, Option<Self::Kept>);

    /// The gradient of each input from that of the output.
    fn backward(&self, inputs: &[FlexTensor; N], kept: &Self::Kept, arriving: &[f32]) -> [FlexTensor; N];
}

/// Without autodiff: nothing is kept.
pub(super) fn plain<const N: usize>(inputs: [FlexTensor; N], operation: &impl Operation<N>) -> FlexTensor {
    operation.forward(&inputs.map(contiguous), false).0
}

/// With autodiff: something is kept when a gradient will be asked for.
pub(super) fn tracked<C: CheckpointStrategy, O: Operation<N>, const N: usize>(
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
    operation: O,
) -> FloatTensor<Autodiff<Flex, C>> {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "burn does not export the type of the method")]
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| contiguous(input.into_primitive()));
    match Node::<O>(PhantomData).prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(preparation) => {
            let (output, kept) = operation.forward(&inputs, true);
            preparation.finish(Arc::new(Done { inputs, operation, kept }), output)
        }
        OpsKind::UnTracked(preparation) => preparation.finish(operation.forward(&inputs, false).0),
    }
}

/// The backward pass of an operation.
#[derive(Debug)]
struct Node<O>(PhantomData<O>);

/// What the backward pass reads.
#[derive(Debug)]
struct Done<O: Operation<N>, const N: usize> {
    inputs: [FlexTensor; N],
    operation: O,
    kept: Option<O::Kept>,
}

impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Node<O> {
    type State = Arc<Done<O, N>>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let arriving = contiguous(gradients.consume::<Flex>(&ops.node));
        let Done { inputs, operation, kept } = &*ops.state;
        // There whenever the operation is tracked.
        let Some(kept) = kept else { return };
        let found = operation.backward(inputs, kept, numbers(&arriving));
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}
