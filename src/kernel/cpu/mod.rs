//! The fused kernels of the training path on plain slices, for processors.
//!
//! Everything here works on packed `[tokens, width]` rows and names no tensor library;
//! `super::fused` makes burn operations of it.

mod element;
mod isa;
mod product;
mod scratch;

pub use element::Element;
pub use isa::Isa;
pub use product::*;
