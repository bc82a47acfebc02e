//! Encoders on packed tokens, their heads, and checkpoints in and out.

mod bert;
mod checkpoint;
mod classifier;
mod config;
mod convert;
mod encoder;
mod error;
mod fine_tuning;
mod head;
mod heads;
pub mod hub;
mod initialize;
mod labels;
mod linear;
mod pretraining;
mod reader;
mod save;
mod table;
mod tagger;
mod weights;
mod write;

pub use bert::{BERT, Bert};
pub use checkpoint::{check_weights, load_classifier, load_encoder, load_trained_classifier};
pub use classifier::{Classifier, random_classifier};
pub use config::{Config, ConfigError};
pub use convert::Conversion;
pub use encoder::{Direction, Encoder, EncoderKind, ForwardDropout, PackedInput};
pub use error::CheckpointError;
pub use fine_tuning::{WantedHead, checkpoint_head, load_to_train};
pub use head::Head;
pub use labels::{OutputOrder, check_head, output_names};
pub use pretraining::{
    LanguageModel, LanguageModelOutput, LanguageModelStates, load_pretraining, random_pretraining, save_pretraining,
};
pub use reader::Loaded;
pub use save::save_classifier;
pub use table::ENCODERS;
pub use tagger::{BiLstm, LstmLayer, Mixture, Scalars, Tagger};
pub use weights::{Weights, folder_of};
pub use write::FilesBeside;
