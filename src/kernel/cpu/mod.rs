//! The fused kernels of the training path on plain slices, for processors.
//!
//! Everything here works on packed `[tokens, width]` rows and names no tensor library;
//! `super::fused` makes burn operations of it.

mod bf16_support;
mod element;
mod isa;
mod mask;
mod math;
mod norm;
mod product;
mod scratch;

pub use bf16_support::Bf16Support;
pub use element::Element;
pub use isa::Isa;
pub use mask::{Mask, Site};
pub use norm::LAYER_NORM_EPSILON;
pub use product::*;
