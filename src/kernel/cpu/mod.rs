//! The fused kernels of the training path on plain slices, for processors.
//!
//! Everything here works on packed `[tokens, width]` rows and names no tensor library;
//! `super::fused` makes burn operations of it.

pub(super) mod adam;
mod attention;
mod bf16_support;
mod cross_entropy;
mod decoder;
mod element;
pub(super) mod embeddings;
mod gelu;
mod gemm;
mod huge_pages;
pub(super) mod isa;
mod layer;
pub(super) mod lstm;
mod mask;
mod math;
mod norm;
mod peak;
mod pool;
mod scratch;
mod skip_gram;
mod softmax;
mod stored;
mod tasks;

pub use bf16_support::Bf16Support;
pub use cross_entropy::cross_entropy_rows;
pub use decoder::{DECODED_ROWS, Decoder, DecoderBuffers};
pub use huge_pages::HugePages;
pub use isa::{Isa, IsaError};
pub use layer::{Layer, LayerDropout, LayerGradients, LayerShape, PerParameter, Saved};
pub use mask::{Mask, Site};
pub use peak::{LARGE_PRODUCT, LONGEST, MatrixPeak, REPETITIONS, matrix_peak};
pub use pool::{Buffer, release};
pub use skip_gram::SkipGramPairs;
