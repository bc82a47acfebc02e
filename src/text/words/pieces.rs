//! The tokens of every word.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::text::Tokenizer;

/// The tokens of the words of all sentences, numbered through.
pub(super) struct Pieces {
    /// Of each different word; at least one token each, at most as many as a sequence has room for.
    different: Vec<Vec<u32>>,
    /// Which of these each word is.
    words: Vec<u32>,
    /// Where the tokens of each word end, counted from the first word's; with a 0 before the first word.
    ends: Vec<u64>,
    /// Words that were cut to the room.
    cut: u64,
}

impl Pieces {
    /// Tokenises each word by itself, and each spelling once: a corpus repeats its words, above all when they
    /// are characters.
    pub(super) fn new<'a>(
        tokenizer: &Tokenizer,
        sentences: impl Iterator<Item = &'a [String]>,
        room: usize,
    ) -> Result<Self, Diagnostic> {
        let (mut numbers, mut spellings, mut words) = (HashMap::new(), Vec::new(), Vec::new());
        for word in sentences.flatten() {
            words.push(*numbers.entry(word.as_str()).or_insert_with(|| {
                spellings.push(word.as_str());
                spellings.len() as u32 - 1
            }));
        }
        let encoded = spellings.into_par_iter().map(|word| tokenizer.encode(word));
        let mut different = encoded.collect::<Result<Vec<Vec<u32>>, Diagnostic>>()?;
        let too_long: Vec<bool> = different.iter().map(|ids| ids.len() > room).collect();
        for ids in &mut different {
            ids.truncate(room);
            if ids.is_empty() {
                ids.push(tokenizer.special().unk);
            }
        }
        let mut ends = vec![0];
        ends.extend(words.iter().scan(0, |end, word| {
            *end += different[*word as usize].len() as u64;
            Some(*end)
        }));
        let cut = words.iter().filter(|word| too_long[**word as usize]).count() as u64;
        Ok(Self { different, words, ends, cut })
    }

    /// The tokens of a word.
    pub(super) fn of(&self, word: usize) -> &[u32] {
        &self.different[self.words[word] as usize]
    }

    /// How many tokens the words from `start` up to `end` have.
    pub(super) fn tokens(&self, start: usize, end: usize) -> usize {
        (self.ends[end] - self.ends[start]) as usize
    }

    /// Words that were cut to the room.
    pub(super) fn cut(&self) -> u64 {
        self.cut
    }
}
