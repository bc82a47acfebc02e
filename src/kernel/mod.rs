//! The few tensor operations worth fusing, on packed `[tokens, hidden]` data.
//!
//! Each file is one operation behind one function. What stands here are the composed versions, made
//! of burn's own operations, so that they run on every backend; nothing outside this module knows how
//! an operation is computed.

mod adam;
mod attention;
mod dropout;
mod embeddings;
mod feed_forward;
mod layer_norm;
mod loss;
mod packing;
mod precision;

pub use adam::{Adam, Moments, adamw, bert_adam, squared_norm};
pub use attention::attention;
pub use dropout::Dropout;
pub use embeddings::{EmbeddingTables, embeddings};
pub use feed_forward::linear_gelu;
pub use layer_norm::{LAYER_NORM_EPSILON, residual_norm};
pub use loss::{cross_entropy, mean_squared_error};
pub use packing::Packing;
pub use precision::{Bf16Support, Precision, bf16_support};
