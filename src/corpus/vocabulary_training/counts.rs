//! How often each word of a corpus occurs.

use std::collections::HashMap;

use rayon::prelude::*;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

use crate::corpus::examples::{PassageSource, Passages, Step};
use crate::diagnostic::Diagnostic;
use crate::text::tokenizer::LONGEST_WORD_CHARACTERS;

/// Blocks of passages that are counted at a time. A fixed number, for rare words are dropped between two of them.
const BLOCKS_AT_ONCE: usize = 64;
/// Runs between spaces that memory has room for: a few gigabytes.
const MOST_RUNS: usize = 30_000_000;
/// What has no space for longer than this is tokenised in pieces, as by the tokeniser of corpora.
const LONGEST_RUN: usize = 1 << 16;

/// The words of a corpus, as BERT's rules cut them, with their numbers of occurrences.
#[derive(Clone, Debug, Default)]
pub struct WordCounts {
    words: HashMap<String, u64>,
    dropped: u64,
}

impl WordCounts {
    /// Counts the words of `source`; `said` gets the bytes of text after each piece. The result does not depend on
    /// the number of threads.
    ///
    /// # Errors
    /// What is wrong with the input.
    pub fn of(
        source: &mut impl PassageSource,
        lower_case: bool,
        said: &mut dyn FnMut(u64),
    ) -> Result<Self, Diagnostic> {
        Self::within(source, lower_case, MOST_RUNS, said)
    }

    pub(super) fn within(
        source: &mut impl PassageSource,
        lower_case: bool,
        most: usize,
        said: &mut dyn FnMut(u64),
    ) -> Result<Self, Diagnostic> {
        let mut runs: HashMap<Box<str>, u64> = HashMap::new();
        let mut dropped = 0;
        loop {
            let mut blocks = Vec::with_capacity(BLOCKS_AT_ONCE);
            while blocks.len() < BLOCKS_AT_ONCE
                && let Some(block) = source.next_block()?
            {
                blocks.push(block);
            }
            if blocks.is_empty() {
                break;
            }
            let counted: Vec<HashMap<&str, u64>> = blocks.par_iter().map(runs_of).collect();
            for (run, count) in counted.into_iter().flatten() {
                match runs.get_mut(run) {
                    Some(sum) => *sum += count,
                    None => drop(runs.insert(run.into(), count)),
                }
            }
            let mut least = 1;
            while runs.len() > most {
                runs.retain(|_, count| {
                    let kept = *count > least;
                    dropped += if kept { 0 } else { *count };
                    kept
                });
                least *= 2;
            }
            said(blocks.iter().map(|block| block.bytes() as u64).sum());
        }
        let mut counts = Self { words: words_of(&runs, lower_case)?, dropped };
        // Longer words are `[UNK]` whatever the vocabulary holds.
        counts.words.retain(|word, _| word.chars().count() <= LONGEST_WORD_CHARACTERS);
        Ok(counts)
    }

    /// Occurrences of rare words that were not counted, for memory holds no more.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The words and their numbers, sorted.
    #[must_use]
    pub fn words(&self) -> Vec<(String, u64)> {
        let mut words: Vec<(String, u64)> = self.words.iter().map(|(word, count)| (word.clone(), *count)).collect();
        words.sort_unstable();
        words
    }
}

/// The runs between spaces of a block. BERT's rules look at nothing beyond a space, so each has to be cut into words
/// only once.
fn runs_of(block: &Passages) -> HashMap<&str, u64> {
    let mut runs = HashMap::new();
    for step in block.steps() {
        let Step::Passage(text) = step else { continue };
        for mut run in text.split([' ', '\t', '\n', '\r']) {
            while !run.is_empty() {
                let (piece, rest) = run.split_at(run.floor_char_boundary(LONGEST_RUN));
                *runs.entry(piece).or_default() += 1;
                run = rest;
            }
        }
    }
    runs
}

fn words_of(runs: &HashMap<Box<str>, u64>, lower_case: bool) -> Result<HashMap<String, u64>, Diagnostic> {
    let normalizer = BertNormalizer::new(true, true, Some(lower_case), lower_case);
    let cut = |run: &str, count: u64, words: &mut HashMap<String, u64>| -> Result<(), tokenizers::Error> {
        let mut text = NormalizedString::from(run);
        normalizer.normalize(&mut text)?;
        let mut text = PreTokenizedString::from(text);
        BertPreTokenizer.pre_tokenize(&mut text)?;
        for (word, _, _) in text.get_splits(OffsetReferential::Normalized, OffsetType::None) {
            *words.entry(word.to_owned()).or_default() += count;
        }
        Ok(())
    };
    let folded = runs.par_iter().try_fold(HashMap::new, |mut words, (run, count)| {
        cut(run, *count, &mut words)?;
        Ok(words)
    });
    let summed = folded.try_reduce(HashMap::new, |mut all, more| {
        for (word, count) in more {
            *all.entry(word).or_default() += count;
        }
        Ok(all)
    });
    summed.map_err(|error: tokenizers::Error| Diagnostic::new(format!("text could not be cut into words: {error}")))
}
