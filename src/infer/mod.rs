//! A trained model in use: predictions of a test file, hidden states of texts.

mod error;
pub mod extract;
mod kept_model;
mod outputs;
mod trained_model;

pub use error::InferError;
pub use kept_model::KeptModel;
pub use outputs::{OutputNames, order as output_order, tags as output_tags};
pub use trained_model::{TrainedModel, Use, precision_on, refused};
