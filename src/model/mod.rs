//! BERT on packed tokens: encoder, heads, and checkpoints in and out.

mod bert;
mod checkpoint;
mod config;
mod convert;
mod error;
mod fine_tuning;
mod head;
mod heads;
pub mod hub;
mod initialize;
mod labels;
mod pretraining;
mod save;
mod tagger;
mod weights;
mod write;

pub use bert::{Bert, Classifier, ForwardDropout, PackedInput};
pub use checkpoint::{Loaded, check_weights, load_classifier, load_encoder, load_trained_classifier};
pub use config::{Config, ConfigError};
pub use convert::{Conversion, folder_of};
pub use error::CheckpointError;
pub use fine_tuning::{WantedHead, checkpoint_head, load_to_train};
pub use head::Head;
pub use initialize::random_classifier;
pub use labels::{OutputOrder, check_head, output_names};
pub use pretraining::{
    PretrainingModel, PretrainingOutput, PretrainingStates, load_pretraining, random_pretraining, save_pretraining,
};
pub use save::{FilesBeside, save_classifier};
pub use tagger::{BiLstm, LstmLayer, Mixture, Scalars, Tagger};
pub use weights::Weights;
