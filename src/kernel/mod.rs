//! The few tensor operations worth fusing, on packed `[tokens, hidden]` data.
//!
//! Each file is one operation behind one function. What stands here are the composed versions, made
//! of burn's own operations, so that they run on every backend, and the choice: on burn's CPU backend
//! `flex` an operation of `fused` runs instead, whose kernels are in `cpu`, and on GPUs one of `cube`. Nothing outside this
//! module knows how an operation is computed.

mod adam;
mod attention;
#[cfg(test)]
pub(crate) mod comparison;
#[expect(unsafe_code, reason = "vector instructions, recycled memory, and tasks that write rows of one slice")]
#[expect(clippy::inline_always, reason = "what `Isa::run` compiles for an instruction set has to be inlined in it")]
#[expect(unreachable_pub, reason = "its modules are each other's interface")]
mod cpu;
#[cfg(feature = "cube")]
#[expect(clippy::similar_names, reason = "gradients and arguments are called after what they are of")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a kernel gets its buffers as references")]
#[expect(clippy::used_underscore_binding, reason = "what `#[cube]` makes reads the type that a kernel is compiled for")]
mod cube;
mod decoder;
mod deferred;
mod device_peak;
mod dropout;
mod embeddings;
mod encoder_layer;
mod feed_forward;
#[expect(unsafe_code, reason = "burn's allocations are described by unsafe functions")]
mod fused;
mod indices;
mod kept_kernels;
mod layer_form;
mod layer_norm;
mod loss;
mod loss_scale;
mod lstm;
mod packing;
mod pair_attention;
mod product_tuning;
mod skip_gram;
#[cfg(test)]
mod slope_tests;
mod traffic;

use crate::units::Bytes;

pub use adam::{Adam, AdamRule, Clipping, Moments, StepNorm, Trained, adam_step, clipped_adam_step, global_norm};
pub use attention::attention;
pub use cpu::{Bf16Support, HugePages, Isa, IsaError, MatrixPeak, SkipGramPairs, matrix_peak};
pub use decoder::{Decoded, DecoderGradients, DecoderLoss, decoder_loss};
pub use deferred::{Deferred, DeviceFault};
pub use device_peak::matrix_peak_of;
pub use dropout::{Dropout, dropped};
pub use embeddings::{EmbeddingTables, embeddings};
pub use encoder_layer::{EncoderLayer, LayerSites, LayerWeights, encoder_layer};
pub use feed_forward::linear_gelu;
pub use indices::indices;
pub use kept_kernels::{KeptKernels, TimedKernels};
pub use layer_form::{AttentionHeads, Gelu, LAYER_NORM_EPSILON, LayerForm};
pub use layer_norm::residual_norm;
pub use loss::{cross_entropy, mean_squared_error, span_loss, token_loss};
pub use loss_scale::{LossScale, ScaledStep};
pub use lstm::{LSTM_DIRECTIONS, LSTM_GATES, lstm};
pub use packing::TokenRows;
pub use packing::{Packing, SequenceToken};
pub use pair_attention::pair_attention;
pub use product_tuning::ProductTuning;
pub use skip_gram::{SkipGramLoss, skip_gram_loss};
pub use traffic::{BusyTimer, Traffic, TrafficCounter};

/// The arithmetic of the training path. Operands of matrix products are rounded to it; sums, norms, softmax, loss,
/// parameters, moments and gradients stay in f32 (Micikevicius et al. 2018, arXiv 1710.03740). Float16 has more digits than
/// bfloat16 and less range, so that the loss is scaled ([`LossScale`]); it is of GPUs, and elsewhere f32.
pub use crate::settings::Precision;

/// A GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// As it names itself.
    pub name: String,
    /// What it is reached through, and what kernels are compiled to.
    pub backend: String,
    /// Of its adapter, where that is known.
    pub driver: Option<String>,
    /// What it holds, where its driver says so: of a GPU without memory of its own what it may use of the machine's.
    pub memory: Option<Bytes>,
}

/// What `device` is, if it is a GPU.
#[must_use]
pub fn describe_gpu(device: &burn::tensor::Device) -> Option<Gpu> {
    #[cfg(feature = "cube")]
    let found = cube::describe(device);
    #[cfg(not(feature = "cube"))]
    let found = None.filter(|_: &Gpu| is_gpu(device));
    found
}

/// The precisions of matrix products that `device` has, if it is a GPU.
#[must_use]
pub fn gpu_precisions(device: &burn::tensor::Device) -> Vec<Precision> {
    #[cfg(feature = "cube")]
    let found = cube::precisions(device);
    #[cfg(not(feature = "cube"))]
    let found = if is_gpu(device) { vec![Precision::F32] } else { Vec::new() };
    found
}

/// Where the kernels of a GPU's matrix products come from, with their version.
#[must_use]
pub fn product_kernels() -> &'static str {
    #[cfg(feature = "cube")]
    let from = cube::CUBEK;
    #[cfg(not(feature = "cube"))]
    let from = "";
    from
}

/// Whether `device` is one that the kernels of `cube` run on.
#[cfg(feature = "cube")]
fn is_gpu(device: &burn::tensor::Device) -> bool {
    cube::runs_on(device)
}

/// A build without GPUs has none.
#[cfg(not(feature = "cube"))]
fn is_gpu(_: &burn::tensor::Device) -> bool {
    false
}

/// Frees the memory that operations keep from step to step. For the end of a run.
pub fn release_memory() {
    fused::release_memory();
    #[cfg(feature = "cube")]
    cube::release_memory();
}
