//! Corpora: files of text, read as a stream of documents.
//!
//! Memory holds a block of text and a line, however large a file is.

mod files;
mod format;
mod json_text;
mod lines;
mod reader;

pub use files::input_files;
pub use format::{CORPUS_FORMATS, CorpusFormat, DocumentEnds};
pub use lines::BadBytes;
pub use reader::{Corpus, CorpusFile, CorpusOptions};
