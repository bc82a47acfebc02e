//! burn operations made of the fused processor kernels (`super::cpu`), for burn's CPU backend `flex`.
//!
//! An extension of burn's backends: each operation is one call forward and one backward, with and without
//! burn's autodiff. Tensors that come out lie in recycled memory. What `super::cube` computes on GPUs stands behind
//! the same calls.

mod adam;
mod decoder;
mod embeddings;
mod layer;
mod lstm;
mod memory;
mod operation;
mod skip_gram;
mod sparse;

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn::tensor::Device;

pub(super) use adam::{adam_step, global_norm};
pub(super) use decoder::decoder_loss;
#[cfg(feature = "cube")]
pub(super) use embeddings::EMBEDDING_INPUTS;
pub(super) use embeddings::{EmbeddingCall, EmbeddingTensors};
#[cfg(feature = "cube")]
pub(super) use layer::LAYER_INPUTS;
pub(super) use layer::{LayerCall, LayerTensors};
pub(super) use lstm::{LstmCall, LstmTensors};
#[cfg(feature = "cube")]
pub(super) use operation::Operation;
pub(super) use operation::{FusedBackend, plain, tracked};
pub(super) use skip_gram::skip_gram_loss;

/// The operations that are fused on `flex` and on GPUs.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub(super) trait Fused: Backend {
    /// One transformer layer, `[tokens, hidden] → [tokens, hidden]`.
    fn fused_layer(#[extension_type] tensors: LayerTensors<Self>, call: LayerCall) -> FloatTensor<Self>;

    /// The sum of three embeddings, normed and dropped out, `[tokens, hidden]`.
    fn fused_embeddings(#[extension_type] tensors: EmbeddingTensors<Self>, call: EmbeddingCall) -> FloatTensor<Self>;
}

/// The operations that are fused on `flex` alone.
#[backend_extension(Flex, Autodiff)]
pub(super) trait FusedLstm: Backend {
    /// The recurrence of a bidirectional LSTM, `[tokens, 2 × 4 × hidden] → [tokens, 2 × hidden]`.
    fn fused_lstm(#[extension_type] tensors: LstmTensors<Self>, call: LstmCall) -> FloatTensor<Self>;
}

/// Frees the memory that is kept for the next step.
pub(super) fn release_memory() {
    sparse::release();
    super::cpu::release();
}

/// Whether `device` is the CPU, for which every operation is fused.
pub(super) fn is_cpu(device: &Device) -> bool {
    *device == Device::flex()
}

/// Whether `device` has the operations of [`Fused`].
pub(super) fn runs_on(device: &Device) -> bool {
    is_cpu(device) || super::is_gpu(device)
}

impl FusedBackend for Flex {
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        memory::contiguous(tensor)
    }
}

impl Fused for Flex {
    fn fused_layer(tensors: LayerTensors<Self>, call: LayerCall) -> FloatTensor<Self> {
        plain::<Flex, _>(tensors.into_array(), &call)
    }

    fn fused_embeddings(tensors: EmbeddingTensors<Self>, call: EmbeddingCall) -> FloatTensor<Self> {
        plain::<Flex, _>(tensors.into_array(), &call)
    }
}

impl FusedLstm for Flex {
    fn fused_lstm(tensors: LstmTensors<Self>, call: LstmCall) -> FloatTensor<Self> {
        plain::<Flex, _>([tensors.inputs, tensors.recurrent], &call)
    }
}

impl<C: CheckpointStrategy> Fused for Autodiff<Flex, C> {
    fn fused_layer(tensors: LayerTensors<Self>, call: LayerCall) -> FloatTensor<Self> {
        tracked::<Flex, C, _, _>(tensors.into_array(), call)
    }

    fn fused_embeddings(tensors: EmbeddingTensors<Self>, call: EmbeddingCall) -> FloatTensor<Self> {
        tracked::<Flex, C, _, _>(tensors.into_array(), call)
    }
}

impl<C: CheckpointStrategy> FusedLstm for Autodiff<Flex, C> {
    fn fused_lstm(tensors: LstmTensors<Self>, call: LstmCall) -> FloatTensor<Self> {
        tracked::<Flex, C, _, _>([tensors.inputs, tensors.recurrent], call)
    }
}
