//! Text to numbers: WordPiece, features on disk, packed batches.

mod batch;
mod cache;
mod features;
mod format;
mod lines;
mod pair;
mod tokenizer;
mod vocabulary;

pub use batch::{PackedBatch, evaluation_batches, training_batches};
pub use cache::{CacheOutcome, FeatureCache, FeatureKey};
pub use features::{ExampleFeatures, FeatureSet, LeftOut, TextPair};
pub use lines::{TextLines, read_lines};
pub use tokenizer::Tokenizer;
pub use vocabulary::{SpecialTokens, Vocabulary};
