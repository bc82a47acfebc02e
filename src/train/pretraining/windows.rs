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
/// Examples that are counted at a time.
const COUNTED: u64 = 4096;

/// How often words are in a corpus.
#[derive(Debug)]
pub(super) struct WordCounts {
    special: SpecialTokens,
    /// The probability that a word is kept.
    kept: Vec<f64>,
    /// From which random words are drawn ([`alias_table`]).
    noise: Vec<(u32, u32)>,
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
        let noise: Vec<f64> = counts.iter().map(|&count| (count as f64).powf(POWER)).collect();
        Self { special, kept: kept.collect(), noise: alias_table(&noise) }
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

    /// Walker's alias method (1977; tables as Vose 1991 makes them), by 32 random bits: which part they fall into, and where
    /// in it.
    #[inline]
    fn random(&self, draws: &mut Draws) -> u32 {
        let product = u64::from(draws.next_u32()) * self.noise.len() as u64;
        let part = (product >> 32) as usize;
        let Some(&(own, other)) = self.noise.get(part) else { return 0 };
        if (product as u32) < own { part as u32 } else { other }
    }
}

/// For each of as many equal parts of a whole as there are words: how much of it is the word of the same number's, of 2³², and
/// the word that has the rest.
fn alias_table(weights: &[f64]) -> Vec<(u32, u32)> {
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    let mut left: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..left.len()).partition(|&word| left[word] < 1.0);
    let mut table: Vec<(u32, u32)> = (0..left.len() as u32).map(|word| (u32::MAX, word)).collect();
    while let (Some(word), Some(&rich)) = (small.pop(), large.last()) {
        table[word] = ((left[word] * 4_294_967_296.0) as u32, rich as u32);
        left[rich] -= 1.0 - left[word];
        if left[rich] < 1.0 {
            large.pop();
            small.push(rich);
        }
    }
    // What rounding left over has about its own share; of a word that is never drawn, nothing.
    let heaviest = (0..weights.len()).max_by(|a, b| weights[*a].total_cmp(&weights[*b])).unwrap_or_default();
    for word in small {
        table[word] = ((left[word] * 4_294_967_296.0) as u32, heaviest as u32);
    }
    table
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
    fn the_alias_table_gives_each_word_its_share() {
        let mut draws = Stream::new(1, "weights").at(0);
        let weights: Vec<f64> = (0..3000).map(|word| if word < 5 { 0.0 } else { draws.uniform().powi(4) }).collect();
        let total: f64 = weights.iter().sum();
        let mut shares = vec![0.0; weights.len()];
        for (word, (own, other)) in alias_table(&weights).into_iter().enumerate() {
            let own = f64::from(own) / 4_294_967_296.0;
            shares[word] += own / 3000.0;
            shares[other as usize] += (1.0 - own) / 3000.0;
        }
        for (share, weight) in shares.iter().zip(&weights) {
            assert!((share - weight / total).abs() < 1e-9, "{share} {}", weight / total);
        }
        assert!(shares[..5].iter().all(|share| *share == 0.0), "{:?}", &shares[..5]);
        assert!(alias_table(&[]).is_empty());
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
