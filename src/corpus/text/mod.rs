//! Corpora: files of text, read as a stream of documents.
//!
//! Memory holds a block of text and a line, or some pages of Parquet, however large a file is.

mod files;
mod format;
mod json_text;
mod lines;
mod parquet;
mod reader;
#[cfg(test)]
mod tests;

pub use crate::settings::TextFormat;
pub use files::input_files;
pub use format::{DocumentEnds, TEXT_FORMATS};
pub use lines::BadBytes;
pub use reader::{Corpus, CorpusFile, CorpusOptions};
