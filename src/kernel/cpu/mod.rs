//! The fused kernels of the training path on plain slices, for processors.
//!
//! Everything here works on packed `[tokens, width]` rows and names no tensor library;
//! `super::fused` makes burn operations of it.

pub(super) mod adam;
mod attention;
mod bf16_support;
mod element;
pub(super) mod embeddings;
mod gelu;
mod isa;
mod layer;
mod mask;
mod math;
mod norm;
mod pool;
mod product;
mod scratch;
mod softmax;
mod stored;

pub use bf16_support::Bf16Support;
pub use element::Element;
pub use isa::Isa;
pub use layer::{LayerDropout, LayerGradients, LayerParameters, LayerShape, Saved, backward, forward};
pub use mask::{Mask, Site};
pub use norm::LAYER_NORM_EPSILON;
pub use pool::{Buffer, release};
pub use product::*;
