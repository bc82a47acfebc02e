//! Text to numbers: WordPiece, features on disk, packed batches.

mod batch;
mod byte_pair;
mod cache;
mod features;
mod files;
mod format;
mod lines;
mod pair;
mod settings;
pub(crate) mod tokenizer;
mod tokenizer_json;
mod vocabulary;
mod windows;
mod words;

pub use batch::{PackedBatch, evaluation_batches, training_batches};
pub use cache::{CacheOutcome, FeatureCache, FeatureKey};
pub use features::{ExampleFeatures, FeatureSet, LabelKind, NO_OFFSET, Parts, SkippedRows};
pub use files::TokenizerFiles;
pub use lines::read_lines;
pub use pair::TextPair;
pub use settings::{ModelTokenizer, vocabulary_file};
pub use tokenizer::Tokenizer;
pub use vocabulary::{SpecialTokens, Vocabulary};
pub use windows::{Asked, Purpose, SpanAnswer, WindowSettings, Windows};
pub use words::WordSentence;
