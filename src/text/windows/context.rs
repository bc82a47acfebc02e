//! A paragraph in tokens, and where each of them stands in it.

use unicode_segmentation::UnicodeSegmentation;

use crate::diagnostic::Diagnostic;
use crate::text::tokenizer::Tokenizer;

/// A paragraph in tokens.
pub(super) struct Context<'a> {
    pub(super) text: &'a str,
    pub(super) ids: Vec<u32>,
    pub(super) offset_mapping: Vec<[u32; 2]>,
}

impl<'a> Context<'a> {
    pub(super) fn new(tokenizer: &Tokenizer, text: &'a str) -> Result<Self, Diagnostic> {
        let (ids, ranges) = tokenizer.encode_with_offsets(text)?;
        let mut offset_mapping: Vec<[u32; 2]> =
            ranges.iter().map(|range| [range.start as u32, range.end as u32]).collect();
        if !text.is_ascii() {
            keep_accents(text, &mut offset_mapping);
        }
        Ok(Self { text, ids, offset_mapping })
    }

    /// The first and the last token that overlap these characters.
    pub(super) fn covering(&self, [from, to]: [u32; 2]) -> Option<[usize; 2]> {
        let overlaps = |place: &[u32; 2]| place[0] < to && from < place[1];
        let first = self.offset_mapping.iter().position(overlaps)?;
        let last = self.offset_mapping.iter().rposition(overlaps)?;
        Some([first, last])
    }
}

/// Stretches each place over what its last character is written with. Accents that stand for themselves are dropped
/// before text is split, so that at the end of a word they belong to no token; of an answer they are a part.
fn keep_accents(text: &str, offset_mapping: &mut [[u32; 2]]) {
    let mut clusters = text.graphemes(true);
    let mut end = 0;
    for i in 0..offset_mapping.len() {
        let limit = offset_mapping.get(i + 1).map_or(u32::MAX, |next| next[0]);
        while end < offset_mapping[i][1] {
            let Some(cluster) = clusters.next() else { return };
            end += cluster.chars().count() as u32;
        }
        offset_mapping[i][1] = end.min(limit).max(offset_mapping[i][1]);
    }
}
