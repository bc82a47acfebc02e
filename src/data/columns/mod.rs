//! Column files: a word and its tag a line, an empty line between sentences. CoNLL-2003's four columns and the
//! two of Chinese corpora, whatever the tagging scheme: `docs/ner.md`.

mod line;
mod read;
mod scheme;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(super) use read::is_labelled;
pub use read::{read_sentences, sentences_of};

/// The separator between the columns of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// A tab where the line has one, else spaces.
    #[default]
    Any,
    /// One space or several; a tab is text.
    Space,
    /// One tab; a space is text.
    Tab,
}

/// How tags say where an entity begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// The one of the others that the fewest tags of the file contradict; of equal ones the earlier of IOB2,
    /// IOB1 and BIOES.
    #[default]
    Auto,
    /// `I` in an entity; `B` only where one begins right after another of its type. CoNLL-2003's own files.
    Iob1,
    /// `B` on the first word of an entity, `I` on the others. Also called BIO.
    Iob2,
    /// As IOB2, with `E` on the last word and `S` on the only one. Also BMES, where `M` stands for `I`, and
    /// BILOU, where `L` and `U` stand for `E` and `S`.
    Bioes,
}

/// What a column file looks like. The default reads CoNLL-2003 and most Chinese corpora.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnFormat {
    /// The separator between columns.
    pub separator: Separator,
    /// How tags mark entities.
    pub scheme: Scheme,
    /// The column of the word, from 0.
    pub token_column: usize,
    /// The column of the tag, from 0; `None` is the last one of the line.
    pub tag_column: Option<usize>,
    /// Whether a number stands right after each word and is cut off: Weibo's characters are followed by their
    /// place in the segmented word, as in `科0`.
    pub segmentation_digit: bool,
    /// Whether bytes that are not UTF-8 are read as U+FFFD instead of refused.
    pub lossy: bool,
}

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Its words as they are spelled; at least one, none of them empty.
    pub words: Vec<String>,
    /// The tag of each word in IOB2, whatever the file's scheme; empty when the file was read without tags.
    pub tags: Vec<Arc<str>>,
    /// The document that it belongs to, from 0. Documents end at `-DOCSTART-` lines; sentences of one document
    /// follow each other.
    pub document: u32,
    /// The line of its first word, from 1.
    pub line: usize,
}

/// What a column file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentences {
    /// In the order of the file; at least one.
    pub sentences: Vec<Sentence>,
    /// Its `-DOCSTART-` lines. 0 says that the file marks no documents: all its sentences then are in one.
    pub documents: u32,
    /// The scheme that was asked for or found; [`Scheme::Auto`] when the file was read without tags.
    pub scheme: Scheme,
    /// Tags in entities that `scheme` would have written otherwise, such as an `I` of IOB2 that begins an
    /// entity. They are read as conlleval reads them.
    pub irregular: u64,
    /// Sentences left out because of a bad line.
    pub skipped: u64,
    /// Lines in which bytes were replaced by U+FFFD.
    pub replaced: u64,
}
