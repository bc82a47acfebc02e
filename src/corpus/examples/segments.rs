//! One document → the segments of its examples, by the rules of google-research/bert's
//! `create_pretraining_data.py`.
//!
//! Sentences of a document stand one after the other in the token file, and truncation takes tokens off the ends
//! of a segment only. So every segment is one range of the token file, and is kept as such.

use std::io;
use std::ops::Range;

use super::settings::ExampleSettings;
use crate::random::Draws;

/// The cuts of one example. Ranges are of tokens, counted over the whole corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) first: Range<u64>,
    pub(super) second: Second,
}

/// The second segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Second {
    /// What follows the first in its document.
    Next(Range<u64>),
    /// A piece of another document.
    Random(Range<u64>),
    /// There is none.
    Absent,
}

/// The pairs of a document, in its order. Sentence `i` is the tokens from `bounds[i]` to `bounds[i + 1]`;
/// `random_next` draws whole sentences of another document, one at least, until they have so many tokens.
pub(super) fn pairs(
    bounds: &[u64],
    settings: &ExampleSettings,
    draws: &mut Draws,
    mut random_next: impl FnMut(&mut Draws, u64) -> io::Result<Range<u64>>,
    found: &mut Vec<Planned>,
) -> io::Result<()> {
    let sentences = bounds.len().saturating_sub(1);
    let target = target(settings, draws);
    let (mut begin, mut last) = (0, 0);
    while last < sentences {
        if last + 1 == sentences || bounds[last + 1] - bounds[begin] >= target {
            let chunk = last + 1 - begin;
            let split = begin + if chunk >= 2 { 1 + draws.below(chunk - 1) } else { 1 };
            let mut first = bounds[begin]..bounds[split];
            // Google's order of the conditions: a chunk of one sentence draws nothing here.
            let is_random = chunk == 1 || draws.chance(0.5);
            let mut second = if is_random {
                let length = first.end - first.start;
                random_next(draws, target.saturating_sub(length))?
            } else {
                bounds[split]..bounds[last + 1]
            };
            if is_random {
                // The sentences that were not used go into the next chunk.
                last = split - 1;
            }
            truncate(&mut first, &mut second, settings.room(), draws);
            let second = if is_random { Second::Random(second) } else { Second::Next(second) };
            found.push(Planned { first, second });
            begin = last + 1;
        }
        last += 1;
    }
    Ok(())
}

/// The single segments of a document: its tokens one after the other, none left out, the last segment shorter.
pub(super) fn singles(bounds: &[u64], settings: &ExampleSettings, draws: &mut Draws, found: &mut Vec<Planned>) {
    let (Some(&start), Some(&end)) = (bounds.first(), bounds.last()) else { return };
    let target = target(settings, draws);
    let mut at = start;
    while at < end {
        let next = end.min(at + target);
        found.push(Planned { first: at..next, second: Second::Absent });
        at = next;
    }
}

/// The length that a document's chunks aim at: the longest, or with `short_seq_prob` one from 2 tokens on.
fn target(settings: &ExampleSettings, draws: &mut Draws) -> u64 {
    let room = settings.room();
    if draws.chance(settings.short_sequence_probability) {
        return 2 + draws.below(room.saturating_sub(1) as usize) as u64;
    }
    room
}

/// `truncate_seq_pair`: token by token from the longer segment, from the second when they are equally long, each
/// time from its front or its back with equal chances. Which end a token is taken from does not change from which
/// segment the next one is, so the numbers are computed at once.
fn truncate(first: &mut Range<u64>, second: &mut Range<u64>, room: u64, draws: &mut Draws) {
    let (a, b) = (first.end - first.start, second.end - second.start);
    let excess = (a + b).saturating_sub(room);
    let of_longer = excess.min(a.abs_diff(b));
    let of_both = excess - of_longer;
    let (from_a, from_b) = (of_both / 2, of_both.div_ceil(2));
    let (from_a, from_b) = if a > b { (from_a + of_longer, from_b) } else { (from_a, from_b + of_longer) };
    for (segment, excess) in [(first, from_a), (second, from_b)] {
        let front = heads(excess, draws);
        segment.start += front;
        segment.end -= excess - front;
    }
}

/// How many of so many fair coins show heads: one random bit a coin.
fn heads(coins: u64, draws: &mut Draws) -> u64 {
    let mut heads = 0;
    let mut left = coins;
    while left > 0 {
        let used = left.min(32);
        heads += u64::from((u64::from(draws.next_u32()) & ((1 << used) - 1)).count_ones());
        left -= used;
    }
    heads
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::settings::Segments;
    use super::*;
    use crate::random::Stream;

    /// `truncate_seq_pair` as it is written in the reference, counting instead of deleting.
    fn truncate_step_by_step(mut a: u64, mut b: u64, room: u64) -> (u64, u64) {
        while a + b > room {
            if a > b {
                a -= 1;
            } else {
                b -= 1;
            }
        }
        (a, b)
    }

    proptest! {
        #[test]
        fn truncation_leaves_what_the_reference_leaves(a in 1u64..90, b in 1u64..90, room in 2u64..60, seed: u64) {
            let (mut first, mut second) = (1000..1000 + a, 5000..5000 + b);
            truncate(&mut first, &mut second, room, &mut Stream::new(seed, "test").at(0));
            prop_assert_eq!((first.end - first.start, second.end - second.start), truncate_step_by_step(a, b, room));
            prop_assert!(first.start >= 1000 && first.end <= 1000 + a && second.start >= 5000 && second.end <= 5000 + b);
        }
    }

    #[test]
    fn both_ends_are_cut_equally_often() {
        let mut draws = Stream::new(1, "test").at(0);
        let (mut front, rounds, coins) = (0, 1000, 101);
        for _ in 0..rounds {
            let (mut first, mut second) = (0..coins + 5, 0..5);
            truncate(&mut first, &mut second, 10, &mut draws);
            front += first.start;
        }
        // Five standard deviations of a binomial distribution.
        let (n, found) = (f64::from(rounds) * coins as f64, front as f64);
        assert!((found - n / 2.0).abs() < 5.0 * (n / 4.0).sqrt(), "{found} of {n}");
    }

    #[test]
    fn single_segments_lose_no_token() {
        let settings = ExampleSettings {
            max_length: 12,
            segments: Segments::Single,
            short_sequence_probability: 0.0,
            ..ExampleSettings::default()
        };
        let mut found = Vec::new();
        singles(&[100, 107, 131], &settings, &mut Stream::new(1, "test").at(0), &mut found);
        let ranges: Vec<_> = found.into_iter().map(|planned| planned.first).collect();
        assert_eq!(ranges, [100..110, 110..120, 120..130, 130..131]);
    }

    #[test]
    fn unused_sentences_go_into_the_next_chunk() {
        // Ten sentences of 10 tokens; chunks of 4 sentences reach the target of 37.
        let bounds: Vec<u64> = (0..=10).map(|i| i * 10).collect();
        let settings =
            ExampleSettings { max_length: 40, short_sequence_probability: 0.0, ..ExampleSettings::default() };
        for seed in 0..200 {
            let mut found = Vec::new();
            let mut draws = Stream::new(seed, "test").at(0);
            pairs(&bounds, &settings, &mut draws, |_, needed| Ok(500..500 + needed.max(1)), &mut found).unwrap();
            let mut expected = 0;
            for planned in &found {
                // Truncation moves an edge by three tokens at most here: 40 tokens are cut to 37.
                assert!(planned.first.start.abs_diff(expected) <= 3, "{found:?}");
                let end = match &planned.second {
                    Second::Next(second) => second.end,
                    Second::Random(second) => {
                        assert!(second.start >= 500);
                        planned.first.end
                    }
                    Second::Absent => panic!("pairs were asked for"),
                };
                expected = end.next_multiple_of(10);
            }
            assert_eq!(expected, 100, "{found:?}");
        }
    }
}
