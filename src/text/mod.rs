//! Text to numbers: WordPiece, features on disk, packed batches.

mod batch;
mod cache;
mod features;
mod files;
mod format;
mod lines;
mod pair;
pub mod pretraining;
mod settings;
mod tokenizer;
mod tokenizer_json;
mod vocabulary;
pub mod vocabulary_training;

pub use batch::{PackedBatch, evaluation_batches, training_batches};
pub use cache::{CacheOutcome, FeatureCache, FeatureKey};
pub use features::{ExampleFeatures, FeatureSet, LeftOut, TextPair};
pub use files::TokenizerFiles;
pub use lines::{TextLines, read_lines};
pub use settings::lower_case_of;
pub use tokenizer::Tokenizer;
pub use tokenizer_json::vocabulary_file;
pub use vocabulary::{SpecialTokens, Vocabulary};
