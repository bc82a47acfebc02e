//! A trained model in use: predictions of a test file, hidden states of texts.

mod error;
pub mod extract;
mod glue_answers;
mod input;
mod kept_model;
mod outputs;
mod predict;
mod trained_model;

pub use error::InferError;
pub use glue_answers::{GlueAnswers, GlueRequest, Source};
pub use input::{Open, PredictRequest};
pub use kept_model::KeptModel;
pub use outputs::OutputNames;
pub use predict::Predictions;
pub use trained_model::{TrainedModel, Use, precision_on, refused};
