//! Encoders on packed tokens, their heads, and checkpoints in and out.

mod checkpoint;
mod classifier;
mod config;
mod config_error;
mod config_fields;
mod config_file;
mod convert;
mod encoder;
mod encoders;
mod error;
mod fine_tuning;
mod head;
mod heads;
pub mod hub;
mod initialize;
mod labels;
mod linear;
mod loading;
mod pooling;
mod pretraining;
mod reader;
mod save;
mod tagger;
mod token_head;
mod vectors;
mod weights;
mod write;

pub use checkpoint::{check_weights, load_classifier, load_encoder, load_trained_classifier};
pub use classifier::{Classifier, random_classifier};
pub use config::{AddedRows, Config};
pub use config_error::ConfigError;
pub use convert::Conversion;
pub use encoder::{Direction, Encoder, ForwardDropout, PackedInput};
pub use encoders::{AnyEncoder, Bert, ENCODERS, EncoderKind, OpenaiGpt, Recurrent, RecurrentLayer, WordVectors};
pub use error::CheckpointError;
pub use fine_tuning::{WantedHead, checkpoint_head, load_to_train};
pub use head::Head;
pub use labels::{OutputOrder, check_head, output_names};
pub use loading::Loaded;
pub use pretraining::{
    LanguageModel, LanguageModelOutput, LanguageModelStates, load_pretraining, random_pretraining, save_pretraining,
};
pub use save::save_classifier;
pub use tagger::{BiLstm, LstmLayer, Mixture, Scalars, Tagger};
pub use token_head::TokenHead;
pub use vectors::{VECTOR_POSITIONS, VectorTable, read_vectors, write_vectors};
pub use weights::{Weights, folder_of};
pub use write::FilesBeside;
