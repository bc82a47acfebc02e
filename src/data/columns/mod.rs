//! Column files: a word and its tag a line, an empty line between sentences. CoNLL-2003's four columns and the
//! two of Chinese corpora, whatever the tagging scheme: `docs/ner.md`.

mod line;
mod read;
mod scheme;

use std::sync::Arc;

pub use crate::settings::{Columns, Scheme, Separator};

pub(super) use read::is_labelled;
pub use read::sentences_of;

/// One sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// Its words as they are spelled; at least one, none of them empty.
    pub words: Vec<String>,
    /// The tag of each word in IOB2, whatever the file's scheme, as conlleval reads its tags; empty when the file was read
    /// without tags.
    pub tags: Vec<Arc<str>>,
    /// The document that it belongs to, from 0. Documents end at `-DOCSTART-` lines, without which a file is one;
    /// sentences of one document follow each other.
    pub document: u32,
}

/// What a column file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentences {
    /// In the order of the file; at least one.
    pub sentences: Vec<Sentence>,
    /// Sentences left out because of a bad line.
    pub skipped: u64,
    /// Lines in which bytes were replaced by U+FFFD.
    pub replaced: u64,
}
