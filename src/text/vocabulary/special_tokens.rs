//! The tokens that BERT gives a meaning of their own.

/// The ids of the tokens that BERT gives a meaning of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialTokens {
    /// `[PAD]`, which packed batches never need but padded exports do.
    pub pad: u32,
    /// `[UNK]`, a word that the vocabulary cannot spell.
    pub unk: u32,
    /// `[CLS]`, the first token of every sequence.
    pub cls: u32,
    /// `[SEP]`, after every segment.
    pub sep: u32,
    /// `[MASK]`, for masked language modelling.
    pub mask: u32,
    /// The last token of every sequence: BERT's is `[SEP]`, the published GPT has one of its own for it.
    pub end: u32,
}

impl SpecialTokens {
    /// How `vocab.txt` spells them, in the order of the fields.
    pub const NAMES: [&'static str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
}
