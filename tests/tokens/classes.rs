//! The ways in which Google's tokenizer differs from Hugging Face's, and what a line must hold to show one.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use bertbench::text::SpecialTokens;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _};

/// A line, and what its mode says about it.
pub struct Evidence<'a> {
    pub line: &'a str,
    pub lower_case: bool,
    /// Characters that the two references' Unicode versions treat differently, one by one.
    pub unicode: &'a HashSet<char>,
}

/// A class's name and what a line of the class must hold.
pub type Class = (&'static str, fn(&Evidence<'_>) -> bool);

/// In the order of the bits in the golden files.
pub const CLASSES: [Class; 6] = [
    ("special", |of| SpecialTokens::NAMES.iter().any(|name| of.line.contains(name))),
    ("long", |of| lengths_of_words(of).any(|length| length > 100)),
    ("private", |of| of.line.chars().any(is_private)),
    ("cjk", |of| of.line.chars().any(is_in_the_hole)),
    ("sigma", |of| of.lower_case && of.line.contains('Σ')),
    ("unicode", |of| of.line.chars().any(|c| of.unicode.contains(&c))),
];

/// The three private-use areas (Unicode 17.0, §23.5).
const PRIVATE: [RangeInclusive<char>; 3] =
    ['\u{E000}'..='\u{F8FF}', '\u{F0000}'..='\u{FFFFD}', '\u{100000}'..='\u{10FFFD}'];

pub fn is_private(c: char) -> bool {
    PRIVATE.iter().any(|area| area.contains(&c))
}

/// A Chinese character to Google; Hugging Face's extension E begins 256 later.
pub fn is_in_the_hole(c: char) -> bool {
    ('\u{2B820}'..='\u{2B91F}').contains(&c)
}

/// How many characters each word has as Hugging Face sees it.
fn lengths_of_words(of: &Evidence<'_>) -> impl Iterator<Item = usize> {
    let mut text = NormalizedString::from(of.line);
    BertNormalizer::new(true, true, None, of.lower_case).normalize(&mut text).unwrap();
    let mut words = PreTokenizedString::from(text);
    BertPreTokenizer.pre_tokenize(&mut words).unwrap();
    let words = words.get_splits(OffsetReferential::Normalized, OffsetType::None);
    words.into_iter().map(|(word, ..)| word.chars().count()).collect::<Vec<_>>().into_iter()
}
