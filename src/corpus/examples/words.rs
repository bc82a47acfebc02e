//! Fast tokenisation of much text: what stands between two spaces is tokenised once and remembered.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::text::Tokenizer;

/// Longer runs without a space are rare words, or text that has no spaces: not worth remembering.
const LONGEST_REMEMBERED: usize = 32;
/// The memory is emptied when it holds so many runs: about 60 MB.
const MOST_REMEMBERED: usize = 1 << 20;
/// Runs without a space that are longer than this many bytes are no text; they are tokenised in pieces, for the
/// tokeniser keeps about a hundred bytes for each of theirs.
const LONGEST_AT_ONCE: usize = 1 << 16;

/// A [`Tokenizer`] with a memory. BERT's rules look at nothing beyond a space: characters are cleaned, lowered
/// and stripped of accents one by one, a space separates words before anything else does, and no special token
/// holds one. So the ids of a text are those of its runs between spaces, one after the other.
pub(super) struct WordCache<'a> {
    tokenizer: &'a Tokenizer,
    /// Where the ids of a run stand in `ids`.
    known: HashMap<Box<str>, (u32, u32)>,
    ids: Vec<u32>,
}

impl<'a> WordCache<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer) -> Self {
        Self { tokenizer, known: HashMap::new(), ids: Vec::new() }
    }

    /// Appends the ids of `text` to `ids`: those of [`Tokenizer::encode`].
    pub(super) fn encode(&mut self, text: &str, ids: &mut Vec<u32>) -> Result<(), Diagnostic> {
        // Other white space is not split at: some of it is a control character to BERT, which is dropped.
        for run in text.split([' ', '\t', '\n', '\r']).filter(|run| !run.is_empty()) {
            if let Some(&(start, end)) = self.known.get(run) {
                ids.extend_from_slice(&self.ids[start as usize..end as usize]);
            } else if run.len() <= LONGEST_REMEMBERED {
                let found = match self.tokenizer.encode_plain_word(run)? {
                    Some(found) => found,
                    None => self.tokenizer.encode(run)?,
                };
                self.remember(run, &found);
                ids.extend(found);
            } else {
                self.encode_long(run, ids)?;
            }
        }
        Ok(())
    }

    fn remember(&mut self, run: &str, found: &[u32]) {
        if self.known.len() >= MOST_REMEMBERED {
            self.known.clear();
            self.ids.clear();
        }
        let start = self.ids.len() as u32;
        self.ids.extend_from_slice(found);
        self.known.insert(run.into(), (start, self.ids.len() as u32));
    }

    fn encode_long(&self, mut run: &str, ids: &mut Vec<u32>) -> Result<(), Diagnostic> {
        while !run.is_empty() {
            let (piece, rest) = run.split_at(run.floor_char_boundary(LONGEST_AT_ONCE));
            ids.extend(self.tokenizer.encode(piece)?);
            run = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::tokenizer::tests::small;

    proptest! {
        #[test]
        fn ids_are_the_tokenizers(
            text in "(un|Un|UNAFFABLE|aff|able|able7|wa|résumé|re\u{301}sume\u{301}|,|中|国|[SEP]|\\[MASK\\]|[ \t\n\r\u{b}\u{a0}\u{200b}\u{301}]| |THE|the|s|zz|\\PC){0,40}",
            lower_case: bool,
        ) {
            let tokenizer = small(lower_case);
            let mut cache = WordCache::new(&tokenizer);
            // Twice: what is computed, and what is remembered.
            for _ in 0..2 {
                let mut ids = Vec::new();
                cache.encode(&text, &mut ids).unwrap();
                prop_assert_eq!(ids, tokenizer.encode(&text).unwrap());
            }
        }
    }

    #[test]
    fn runs_that_are_no_text_are_tokenised_in_pieces() {
        let tokenizer = small(true);
        let mut ids = Vec::new();
        WordCache::new(&tokenizer).encode(&"中".repeat(100_000), &mut ids).unwrap();
        assert_eq!(ids, [13].repeat(100_000));
    }
}
