//! The fused kernels of the training path on plain slices, for processors.
//!
//! Everything here works on packed `[tokens, width]` rows and names no tensor library;
//! `super::fused` makes burn operations of it.

pub mod adam;
mod element;
pub mod embeddings;
mod isa;
pub mod layer;
pub mod mask;
pub mod pool;
mod product;
mod scratch;

pub use element::Element;
pub use isa::Isa;
pub use product::*;
