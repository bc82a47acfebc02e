//! The most frequent pair of neighbours becomes a token, again and again (Sennrich et al. 2016, algorithm 1).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

type Pair = (u32, u32);

/// Words in pieces, and where each pair of neighbours stands.
struct Words {
    spelled: Vec<(Vec<u32>, u64)>,
    counts: HashMap<Pair, u64>,
    /// The words in which a pair stands or stood.
    places: HashMap<Pair, Vec<u32>>,
}

/// Appends merged tokens to `tokens` until there are `size`, or no pair occurs `min_frequency` times. `words` are
/// in ids of `tokens`, with their numbers of occurrences.
pub(super) fn merge(words: Vec<(Vec<u32>, u64)>, tokens: &mut Vec<String>, size: usize, min_frequency: u64) {
    let mut known: HashMap<String, u32> = tokens.iter().cloned().zip(0..).collect();
    let mut words = Words::new(words);
    let mut queue: BinaryHeap<(u64, Reverse<Pair>)> =
        words.counts.iter().map(|(pair, count)| (*count, Reverse(*pair))).collect();
    while tokens.len() < size {
        let Some((count, Reverse(pair))) = queue.pop() else { return };
        let now = words.counts.get(&pair).copied().unwrap_or(0);
        if now != count {
            // The pair has become rarer since it was queued; when it became more frequent it was queued again.
            if now > 0 && now < count {
                queue.push((now, Reverse(pair)));
            }
            continue;
        }
        if count < min_frequency.max(1) {
            return;
        }
        let (first, second) = (&tokens[pair.0 as usize], &tokens[pair.1 as usize]);
        let joined = format!("{first}{}", second.strip_prefix("##").unwrap_or(second));
        // Two ways of merging may lead to one token.
        let token = *known.entry(joined.clone()).or_insert_with(|| {
            tokens.push(joined);
            tokens.len() as u32 - 1
        });
        for pair in words.join(pair, token) {
            queue.push((words.counts.get(&pair).copied().unwrap_or(0), Reverse(pair)));
        }
    }
}

impl Words {
    fn new(spelled: Vec<(Vec<u32>, u64)>) -> Self {
        let (mut counts, mut places): (HashMap<Pair, u64>, HashMap<Pair, Vec<u32>>) = Default::default();
        for (at, (pieces, count)) in (0..).zip(&spelled) {
            for pair in pieces.windows(2) {
                let pair = (pair[0], pair[1]);
                *counts.entry(pair).or_default() += count;
                let places = places.entry(pair).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
        Self { spelled, counts, places }
    }

    /// Joins `pair` to `token` in every word, and gives the pairs that occur more often now.
    fn join(&mut self, pair: Pair, token: u32) -> Vec<Pair> {
        let mut grown = Vec::new();
        for at in self.places.remove(&pair).unwrap_or_default() {
            let (pieces, count) = &mut self.spelled[at as usize];
            let joined = replaced(pieces, pair, token);
            if joined.len() == pieces.len() {
                // The pair stood here once, until another merge took one of its parts.
                continue;
            }
            for old in pieces.windows(2) {
                if let Some(sum) = self.counts.get_mut(&(old[0], old[1])) {
                    *sum -= *count;
                }
            }
            for new in joined.windows(2) {
                let new = (new[0], new[1]);
                *self.counts.entry(new).or_default() += *count;
                if new.0 == token || new.1 == token {
                    let places = self.places.entry(new).or_default();
                    if places.last() != Some(&at) {
                        places.push(at);
                    }
                    grown.push(new);
                }
            }
            *pieces = joined;
        }
        self.counts.remove(&pair);
        grown.sort_unstable();
        grown.dedup();
        grown
    }
}

/// `pieces` with `token` in the place of `pair`, from left to right.
fn replaced(pieces: &[u32], pair: Pair, token: u32) -> Vec<u32> {
    let mut joined = Vec::with_capacity(pieces.len());
    let mut at = 0;
    while at < pieces.len() {
        if pieces[at] == pair.0 && pieces.get(at + 1) == Some(&pair.1) {
            joined.push(token);
            at += 2;
        } else {
            joined.push(pieces[at]);
            at += 1;
        }
    }
    joined
}
