//! A fused operation as one node of burn's graph.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

/// A backend whose operations are fused.
pub(in crate::kernel) trait FusedBackend: Backend {
    /// The same numbers one after the other; copied only when they are not.
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// What is computed of `N` contiguous tensors in one call forward and one backward.
pub(in crate::kernel) trait Operation<B: Backend, const N: usize>:
    Debug + Send + Sync + 'static
{
    /// What the backward pass reads besides the tensors.
    type Kept: Debug + Send + Sync;

    /// The output, and what its backward pass reads when `keep` says so.
    fn forward(&self, inputs: &[FloatTensor<B>; N], keep: bool) -> (FloatTensor<B>, Option<Self::Kept>);

    /// The gradient of each input from that of the output.
    fn backward(
        &self,
        inputs: &[FloatTensor<B>; N],
        kept: &Self::Kept,
        arriving: &FloatTensor<B>,
    ) -> [FloatTensor<B>; N];
}

/// Without autodiff: nothing is kept.
pub(in crate::kernel) fn plain<B: FusedBackend, const N: usize>(
    inputs: [FloatTensor<B>; N],
    operation: &impl Operation<B, N>,
) -> FloatTensor<B> {
    operation.forward(&inputs.map(B::contiguous), false).0
}

/// With autodiff: something is kept when a gradient will be asked for.
pub(in crate::kernel) fn tracked<B: FusedBackend, C: CheckpointStrategy, O: Operation<B, N>, const N: usize>(
    inputs: [FloatTensor<Autodiff<B, C>>; N],
    operation: O,
) -> FloatTensor<Autodiff<B, C>> {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "burn does not export the type of the method")]
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| B::contiguous(input.into_primitive()));
    match Node::<B, O>(PhantomData).prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(preparation) => {
            let (output, kept) = operation.forward(&inputs, true);
            preparation.finish(Arc::new(Done { inputs, operation, kept }), output)
        }
        OpsKind::UnTracked(preparation) => preparation.finish(operation.forward(&inputs, false).0),
    }
}

/// The backward pass of an operation.
#[derive(Debug)]
struct Node<B, O>(PhantomData<(B, O)>);

/// What the backward pass reads.
#[derive(Debug)]
struct Done<B: Backend, O: Operation<B, N>, const N: usize> {
    inputs: [FloatTensor<B>; N],
    operation: O,
    kept: Option<O::Kept>,
}

impl<B: FusedBackend, O: Operation<B, N>, const N: usize> Backward<B, N> for Node<B, O> {
    type State = Arc<Done<B, O, N>>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let arriving = B::contiguous(gradients.consume::<B>(&ops.node));
        let Done { inputs, operation, kept } = &*ops.state;
        // There whenever the operation is tracked.
        let Some(kept) = kept else { return };
        let found = operation.backward(inputs, kept, &arriving);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                gradients.register::<B>(parent.id, gradient);
            }
        }
    }
}
