//! The rows before the first one that is learned.

use crate::text::SpecialTokens;

/// Which rows stand at the beginning of a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialRows {
    /// As in BERT's uncased vocabulary: `[PAD]`, 99 unused rows, the other special tokens from row 100 on, unused
    /// rows up to row 998. They are free for words that a user wants to add to a model.
    Google,
    /// As in BERT's Chinese vocabulary: `[PAD]`, 99 unused rows, the other special tokens from row 100 on, and the
    /// marks `<S>` and `<T>`.
    GoogleChinese,
    /// The special tokens alone.
    SpecialOnly,
}

impl SpecialRows {
    /// The tokens of these rows.
    #[must_use]
    pub fn tokens(self) -> Vec<String> {
        let [pad, unk, cls, sep, mask] = SpecialTokens::NAMES.map(str::to_owned);
        let unused = |range: std::ops::Range<u32>| range.map(|number| format!("[unused{number}]"));
        match self {
            Self::Google => {
                let special = [unk, cls, sep, mask];
                std::iter::once(pad).chain(unused(0..99)).chain(special).chain(unused(99..994)).collect()
            }
            Self::GoogleChinese => {
                let special = [unk, cls, sep, mask, "<S>".to_owned(), "<T>".to_owned()];
                std::iter::once(pad).chain(unused(1..100)).chain(special).collect()
            }
            Self::SpecialOnly => vec![pad, unk, cls, sep, mask],
        }
    }
}
