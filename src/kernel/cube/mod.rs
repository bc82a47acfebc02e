//! The fused operations on GPUs, written once in `CubeCL`'s language for every device that burn reaches through it: WGSL,
//! SPIR-V, Metal and CUDA. Matrix products are burn's, or cubek's fastest.
//!
//! A kernel reads dropout's masks from the Philox stream that the CPU reads ([`mask`]), and sums in a fixed order without
//! floating-point atomics: the same run on the same device has the same bits. Everything is in f32 but for the operands of
//! a layer's products, and the decoder's, in other precisions.

mod adam;
mod attention;
mod attention_back;
mod candidates;
mod decoder;
mod description;
mod embeddings;
mod gelu;
mod gradient_norm;
#[cfg(test)]
mod half_tests;
mod launches;
mod layer;
mod mask;
mod multiply;
mod norm;
mod norm_back;
mod product;
mod row;
mod rows;
mod sending;
mod sparse;
mod sums;
mod tensor;
#[cfg(test)]
mod tests;
mod tuning;

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Cube, DispatchDevice};
use burn::tensor::Device;

use super::fused::{EmbeddingCall, EmbeddingTensors, Fused, FusedBackend, LayerCall, LayerTensors, plain, tracked};

pub(super) use adam::adam_step;
pub(super) use candidates::CUBEK;
pub(super) use decoder::decoder_loss;
pub(super) use description::{describe, precisions};
pub(super) use gradient_norm::global_norm;
pub(super) use launches::{KernelTimer, LaunchCounter};
pub(super) use mask::mask_matrix;
pub(super) use sending::send;
pub(super) use sparse::release as release_memory;
pub(super) use tuning::Tuner;

/// Whether `device` is one of burn's `CubeCL` backend, with autodiff or without.
pub(super) fn runs_on(device: &Device) -> bool {
    let device = device.as_dispatch();
    if let DispatchDevice::Autodiff(device) = device {
        matches!(**device, DispatchDevice::Cube(_))
    } else {
        matches!(device, DispatchDevice::Cube(_))
    }
}

impl FusedBackend for Cube {
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        tensor::contiguous(tensor)
    }
}

impl Fused for Cube {
    fn fused_layer(tensors: LayerTensors<Self>, call: LayerCall) -> FloatTensor<Self> {
        plain::<Cube, _>(tensors.into_array(), &call)
    }

    fn fused_embeddings(tensors: EmbeddingTensors<Self>, call: EmbeddingCall) -> FloatTensor<Self> {
        plain::<Cube, _>(tensors.into_array(), &call)
    }
}

impl<C: CheckpointStrategy> Fused for Autodiff<Cube, C> {
    fn fused_layer(tensors: LayerTensors<Self>, call: LayerCall) -> FloatTensor<Self> {
        tracked::<Cube, C, _, _>(tensors.into_array(), call)
    }

    fn fused_embeddings(tensors: EmbeddingTensors<Self>, call: EmbeddingCall) -> FloatTensor<Self> {
        tracked::<Cube, C, _, _>(tensors.into_array(), call)
    }
}
