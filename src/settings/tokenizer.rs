//! What a tokenizer is told besides its vocabulary.

use serde::{Deserialize, Serialize};

/// A token that a tokenizer was given beside its vocabulary's own, such as `[E1]`: wherever it stands in a text, it is
/// one token. The names are those of Hugging Face's `tokenizers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the format has them so")]
pub struct AddedToken {
    /// Its id.
    pub id: u32,
    /// What it looks like in a text.
    pub content: String,
    /// Whether it must stand between characters that are no letters or digits.
    pub single_word: bool,
    /// Whether white space before it belongs to it.
    pub lstrip: bool,
    /// Whether white space after it belongs to it.
    pub rstrip: bool,
    /// Whether it is looked for in the text after that was lower-cased, if it is; else in the text as written.
    pub normalized: bool,
    /// Whether it is no part of what a text says.
    pub special: bool,
}

impl AddedToken {
    /// A special token as BERT's own are.
    #[must_use]
    pub fn special(id: u32, content: &str) -> Self {
        let content = content.to_owned();
        Self { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
    }
}
