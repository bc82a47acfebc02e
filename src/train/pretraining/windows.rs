//! The pairs of words that word vectors learn from (Mikolov et al. 2013): each word with those in a window around it, and
//! words drawn at random. Every draw comes from a stream keyed by the step, so that neither threads nor a resumption
//! change any.

use std::sync::OnceLock;

use crate::corpus::examples::{ExampleSet, TrainingInstance};
use crate::random::{Draws, Stream};
use crate::text::SpecialTokens;
use crate::train::error::TrainError;

/// The widest window; each word's is uniform between 1 and this (word2vec.c, `-window`).
const WINDOW: usize = 5;
/// Random words for each word of a window (word2vec.c, `-negative`).
const NEGATIVE: usize = 5;
/// Words more frequent than this are left out with probability 1 − √(t/f) − t/f at random (word2vec.c, `-sample`).
const SUBSAMPLE: f64 = 1e-3;
/// Random words are drawn in proportion to their counts to this power (Mikolov et al. 2013, §2.2).
const POWER: f64 = 0.75;
/// Parts of the whole in which a random word is looked for, so that it is found among few.
const PARTS: usize = 1 << 14;
/// Examples that are counted at a time.
const COUNTED: u64 = 4096;

/// How often words are in a corpus.
#[derive(Debug)]
pub(super) struct WordCounts {
    special: SpecialTokens,
    /// The probability that a word is kept.
    kept: Vec<f64>,
    /// Sums of counts to the power [`POWER`], up to and with each word.
    noise: Vec<f64>,
    /// Where each of [`PARTS`] equal parts of the last sum begins among the words, and the end.
    parts: Vec<u32>,
}

/// Pairs of words of one batch, and the random words for each.
#[derive(Debug, Default)]
pub(super) struct SkipGrams {
    /// `[pairs]`
    pub(super) centres: Vec<u32>,
    /// For each pair the word of the window, then the random ones: `[pairs × (1 + NEGATIVE)]`.
    pub(super) others: Vec<u32>,
    /// Pairs of the whole batch, over which the loss is a mean.
    pub(super) all: usize,
}

impl WordCounts {
    /// Counts the words of `set`.
    pub(super) fn of(set: &ExampleSet) -> Result<Self, TrainError> {
        let special = set.vocabulary().special();
        let mut counts = vec![0u64; set.vocabulary().len()];
        let mut next = 0;
        while next < set.len() {
            let end = set.len().min(next + COUNTED);
            for id in set.in_order(next..end)?.iter().flat_map(|example| &example.ids) {
                if !is_special(special, *id) {
                    counts[*id as usize] += 1;
                }
            }
            next = end;
        }
        Ok(Self::new(special, &counts))
    }

    pub(super) fn new(special: SpecialTokens, counts: &[u64]) -> Self {
        let all = counts.iter().sum::<u64>().max(1) as f64;
        let kept = counts.iter().map(|&count| {
            let share = SUBSAMPLE / (count as f64 / all);
            (share.sqrt() + share).min(1.0)
        });
        let noise = counts.iter().scan(0.0, |sum, &count| {
            *sum += (count as f64).powf(POWER);
            Some(*sum)
        });
        let noise: Vec<f64> = noise.collect();
        let total = noise.last().copied().unwrap_or_default();
        let first_above = |part: usize| noise.partition_point(|&sum| sum <= part as f64 / PARTS as f64 * total);
        let parts = (0..=PARTS).map(|part| match part {
            0 => 0,
            PARTS => noise.len() as u32,
            _ => first_above(part) as u32,
        });
        let parts = parts.collect();
        Self { special, kept: kept.collect(), noise, parts }
    }

    /// The pairs of `examples`, drawn from `draws`.
    pub(super) fn pairs(&self, examples: &[TrainingInstance], draws: &mut Draws) -> SkipGrams {
        let mut found = SkipGrams::default();
        for example in examples {
            let words = example.ids.iter().copied().filter(|&id| !is_special(self.special, id));
            let words: Vec<u32> =
                words.filter(|&id| draws.chance(self.kept.get(id as usize).copied().unwrap_or(1.0))).collect();
            for (at, &centre) in words.iter().enumerate() {
                let reach = 1 + draws.below(WINDOW);
                let window = at.saturating_sub(reach)..words.len().min(at + reach + 1);
                for &word in window.filter(|other| *other != at).map(|other| &words[other]) {
                    found.centres.push(centre);
                    found.others.push(word);
                    // A random word that is the word itself counts as any other; word2vec.c skips it.
                    found.others.extend((0..NEGATIVE).map(|_| self.random(draws)));
                }
            }
        }
        found.all = found.centres.len();
        found
    }

    /// With every word kept.
    #[cfg(test)]
    pub(super) fn without_subsampling(mut self) -> Self {
        self.kept.fill(1.0);
        self
    }

    fn random(&self, draws: &mut Draws) -> u32 {
        let total = self.noise.last().copied().unwrap_or_default();
        let uniform = draws.uniform();
        let point = uniform * total;
        // The first word whose sum is above the point: in the point's part of the whole, or, by rounding, the next beside it.
        let part = ((uniform * PARTS as f64) as usize).min(PARTS - 1);
        let from = (self.parts[part] as usize).saturating_sub(1);
        let to = (self.parts[part + 1] as usize + 1).min(self.noise.len());
        let at = from + self.noise[from..to].partition_point(|&sum| sum <= point);
        at.min(self.noise.len().saturating_sub(1)) as u32
    }
}

fn is_special(special: SpecialTokens, id: u32) -> bool {
    let SpecialTokens { pad, cls, sep, mask, .. } = special;
    [pad, cls, sep, mask].contains(&id)
}

/// The stream of the pairs of a run.
pub(super) fn stream(seed: u64) -> Stream {
    Stream::new(seed, "skip-gram")
}

/// Counts that are made when they are first asked for.
pub(super) fn counted<'a>(cell: &'a OnceLock<WordCounts>, set: &ExampleSet) -> Result<&'a WordCounts, TrainError> {
    if let Some(counts) = cell.get() {
        return Ok(counts);
    }
    let counts = WordCounts::of(set)?;
    Ok(cell.get_or_init(|| counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: SpecialTokens = SpecialTokens { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4, end: 3 };

    fn example(ids: Vec<u32>) -> TrainingInstance {
        let none = Vec::new;
        let segments = vec![0; ids.len()];
        TrainingInstance { ids, segments, masked_positions: none(), masked_labels: none(), next_is_random: None }
    }

    #[test]
    fn pairs_are_within_the_window_and_random_words_follow_the_counts() {
        // Rare enough that no word is left out: 2,000 words of one count each.
        let counts: Vec<u64> = (0..2000).map(|id| u64::from(id > 4)).collect();
        let words = WordCounts::new(SPECIAL, &counts);
        let ids: Vec<u32> = [2].into_iter().chain(100..140).chain([3]).collect();
        let found = words.pairs(&[example(ids)], &mut stream(1).at(0));
        let mut reach = [0; WINDOW + 1];
        for (&centre, others) in found.centres.iter().zip(found.others.chunks(1 + NEGATIVE)) {
            let distance = centre.abs_diff(others[0]) as usize;
            assert!((1..=WINDOW).contains(&distance) && (100..140).contains(&centre));
            assert!(others.iter().all(|&word| word > 4), "special tokens are never drawn");
            reach[distance] += 1;
        }
        assert!(reach[1] > reach[5] && reach[5] > 0, "near words are in more windows: {reach:?}");
        let again = words.pairs(&[example((100..140).collect())], &mut stream(1).at(1));
        assert_ne!(again.others, found.others, "another step, other draws");
        // One word a thousand times as frequent as the others is drawn 1000^0.75 = 178 times as often.
        let words = WordCounts::new(SPECIAL, &[0, 0, 0, 0, 0, 1000, 1]);
        let mut draws = stream(2).at(0);
        let rare = (0..20_000).filter(|_| words.random(&mut draws) == 6).count();
        assert!((60..180).contains(&rare), "{rare} of 20,000, 112 expected");
        assert!(words.kept[5] < 0.04 && words.kept[6] > 0.99, "{:?}", words.kept);
    }
}
