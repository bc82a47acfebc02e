//! A paragraph in tokens, and where each of them stands in it.

use unicode_segmentation::UnicodeSegmentation;

use crate::diagnostic::Diagnostic;
use crate::text::tokenizer::Tokenizer;

/// A paragraph in tokens.
pub(super) struct Context<'a> {
    pub(super) text: &'a str,
    pub(super) ids: Vec<u32>,
    pub(super) places: Vec<[u32; 2]>,
}

impl<'a> Context<'a> {
    pub(super) fn new(tokenizer: &Tokenizer, text: &'a str) -> Result<Self, Diagnostic> {
        let (ids, ranges) = tokenizer.encode_with_offsets(text)?;
        let mut places: Vec<[u32; 2]> = ranges.iter().map(|range| [range.start as u32, range.end as u32]).collect();
        if !text.is_ascii() {
            keep_accents(text, &mut places);
        }
        Ok(Self { text, ids, places })
    }

    /// The first and the last token that overlap these characters.
    pub(super) fn covering(&self, [from, to]: [u32; 2]) -> Option<[usize; 2]> {
        let overlaps = |place: &[u32; 2]| place[0] < to && from < place[1];
        let first = self.places.iter().position(overlaps)?;
        let last = self.places.iter().rposition(overlaps)?;
        Some([first, last])
    }
}

/// Stretches each place over what its last character is written with. Accents that stand for themselves are dropped
/// before text is split, so that at the end of a word they belong to no token; of an answer they are a part.
fn keep_accents(text: &str, places: &mut [[u32; 2]]) {
    let mut clusters = text.graphemes(true);
    let mut end = 0;
    for i in 0..places.len() {
        let limit = places.get(i + 1).map_or(u32::MAX, |next| next[0]);
        while end < places[i][1] {
            let Some(cluster) = clusters.next() else { return };
            end += cluster.chars().count() as u32;
        }
        places[i][1] = end.min(limit).max(places[i][1]);
    }
}
