//! Encoders on packed tokens, their heads, and checkpoints in and out.

mod any;
mod bert;
mod checkpoint;
mod classifier;
mod config;
mod convert;
mod elmo;
mod encoder;
mod error;
mod fine_tuning;
mod gpt;
mod head;
mod heads;
pub mod hub;
mod initialize;
mod labels;
mod linear;
mod loading;
mod lstm;
mod pooling;
mod pretraining;
mod reader;
mod recurrent;
mod save;
mod table;
mod tagger;
mod weights;
mod word_vectors;
mod write;

pub use any::AnyEncoder;
pub use bert::{BERT, Bert};
pub use checkpoint::{check_weights, load_classifier, load_encoder, load_trained_classifier};
pub use classifier::{Classifier, random_classifier};
pub use config::{Config, ConfigError};
pub use convert::Conversion;
pub use elmo::ELMO;
pub use encoder::{Direction, Encoder, EncoderKind, ForwardDropout, PackedInput};
pub use error::CheckpointError;
pub use fine_tuning::{WantedHead, checkpoint_head, load_to_train};
pub use gpt::GPT;
pub use head::Head;
pub use labels::{OutputOrder, check_head, output_names};
pub use loading::Loaded;
pub use lstm::LSTM;
pub use pretraining::{
    LanguageModel, LanguageModelOutput, LanguageModelStates, load_pretraining, random_pretraining, save_pretraining,
};
pub use recurrent::{Recurrent, RecurrentLayer};
pub use save::save_classifier;
pub use table::ENCODERS;
pub use tagger::{BiLstm, LstmLayer, Mixture, Scalars, Tagger};
pub use weights::{Weights, folder_of};
pub use word_vectors::{WORD_VECTORS, WordVectors};
pub use write::FilesBeside;
