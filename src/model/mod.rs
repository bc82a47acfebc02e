//! BERT on packed tokens: encoder, heads, and checkpoints in and out.

mod bert;
mod checkpoint;
mod config;
mod initialize;
mod inspect;
mod labels;
mod save;

pub use bert::{Bert, Classifier, ForwardDropout, PackedInput};
pub use checkpoint::{CheckpointError, Loaded, load_classifier, load_encoder, load_trained_classifier, weights_file};
pub use config::{Config, ConfigError, HeadLabels};
pub use initialize::random_classifier;
pub use inspect::check_weights;
pub use labels::{OutputOrder, check_head, output_names};
pub use save::save_classifier;
