//! Google's rules, each held against thousands of examples whose tokens tell where they come from.

use std::ops::Range;

use super::world::{FIRST, World};
use crate::corpus::examples::segments::{Planned, Second, pairs};
use crate::corpus::examples::{
    Drawn, ExampleSet, ExampleSettings, MaskingRules, Replacement, Segments, Targets, TrainingInstance,
};
use crate::random::Stream;

const CLS: u32 = 2;
const SEP: u32 = 3;
const MASK: u32 = 4;
/// What binomial counts may be off, in standard deviations: one test in two million fails by chance.
const DEVIATIONS: f64 = 5.0;

fn about(found: u64, trials: u64, probability: f64) {
    let (found, trials) = (found as f64, trials as f64);
    let deviation = (trials * probability * (1.0 - probability)).sqrt();
    let expected = trials * probability;
    assert!((found - expected).abs() <= DEVIATIONS * deviation, "{found} of {trials}, expected {expected}");
}

/// The ids before masking.
fn unmasked(example: &TrainingInstance) -> Vec<u32> {
    let mut ids = example.ids.clone();
    for (at, label) in example.masked_positions.iter().zip(&example.masked_labels) {
        ids[*at as usize] = *label;
    }
    ids
}

/// Where a segment stands in the corpus: its tokens must follow each other there, in one document.
fn place(world: &World, segment: &[u32]) -> Range<usize> {
    let start = (segment[0] - FIRST) as usize;
    assert!(segment.iter().zip(start..).all(|(id, at)| (*id - FIRST) as usize == at), "{segment:?}");
    let place = start..start + segment.len();
    assert_eq!(world.document_of[place.start], world.document_of[place.end - 1]);
    place
}

/// The segments of an example, after its special tokens and segment ids were checked.
fn places(world: &World, example: &TrainingInstance) -> (Range<usize>, Option<Range<usize>>) {
    let ids = unmasked(example);
    let separators: Vec<usize> = (0..ids.len()).filter(|at| ids[*at] == SEP).collect();
    assert_eq!((ids[0], ids.iter().filter(|id| **id == CLS).count()), (CLS, 1));
    assert_eq!(separators.last(), Some(&(ids.len() - 1)));
    let first = place(world, &ids[1..separators[0]]);
    let expected: Vec<u8> = (0..ids.len()).map(|at| u8::from(at > separators[0])).collect();
    assert_eq!(example.segments, expected);
    let second = (separators.len() == 2).then(|| place(world, &ids[separators[0] + 1..separators[1]]));
    (first, second)
}

fn all(set: &ExampleSet, epoch: u64) -> Vec<TrainingInstance> {
    (0..set.len()).map(|number| set.example(number, epoch).unwrap()).collect()
}

fn masked(rules: MaskingRules) -> ExampleSettings {
    ExampleSettings { targets: Targets::Masked(rules), ..ExampleSettings::default() }
}

#[test]
fn ten_thousand_examples_keep_every_rule() {
    let world = World::of(400);
    let settings = ExampleSettings { dupe_factor: 30, ..ExampleSettings::default() };
    let (_folder, set) = world.examples(&settings);
    assert!(set.len() >= 10_000, "{}", set.len());
    let (mut predictions, mut mask, mut same, mut full) = (0, 0, 0, 0);
    for example in all(&set, 0) {
        let (first, second) = places(&world, &example);
        let second = second.unwrap();
        assert!(!first.is_empty() && !second.is_empty() && example.ids.len() <= 128);
        full += u64::from(example.ids.len() == 128);
        let (a, b) = (world.document_of[first.start], world.document_of[second.start]);
        if example.next_is_random.unwrap() {
            assert_ne!(a, b);
        } else {
            assert_eq!(a, b);
            assert!(first.end <= second.start, "{first:?} {second:?}");
            // Nothing but what truncation took is between the two.
            assert!(example.ids.len() == 128 || first.end == second.start, "{first:?} {second:?}");
        }
        if example.ids.len() < 128 {
            let begins = |at: usize| at == 0 || world.sentence_of.get(at) != Some(&world.sentence_of[at - 1]);
            let ends = [first.start, first.end, second.start, second.end];
            assert!(ends.into_iter().all(begins), "segments are whole sentences: {first:?} {second:?}");
        }
        let expected = ((example.ids.len() as f64 * 0.15).round_ties_even() as usize).clamp(1, 20);
        assert_eq!(example.masked_positions.len(), expected);
        assert_eq!(example.masked_labels.len(), expected);
        assert!(example.masked_positions.is_sorted_by(|a, b| a < b));
        for (at, label) in example.masked_positions.iter().zip(&example.masked_labels) {
            // A token of the text: neither [CLS] nor [SEP].
            assert!(*label >= FIRST);
            let seen = example.ids[*at as usize];
            predictions += 1;
            mask += u64::from(seen == MASK);
            same += u64::from(seen == *label);
        }
    }
    about(mask, predictions, 0.8);
    about(same, predictions, 0.1);
    assert!(full > set.len() / 3, "{full} of {}", set.len());
}

#[test]
fn every_position_is_masked_equally_often() {
    let world = World::of(400);
    let settings = ExampleSettings { dupe_factor: 10, ..ExampleSettings::default() };
    let (_folder, set) = world.examples(&settings);
    let mut counts = [0; 128];
    let mut examples = 0;
    for example in (0..3).flat_map(|epoch| all(&set, epoch)).filter(|example| example.ids.len() == 128) {
        example.masked_positions.iter().for_each(|at| counts[*at as usize] += 1);
        examples += 1;
    }
    let separators = counts.iter().filter(|count| **count == 0).count();
    assert_eq!((counts[0], counts[127], separators), (0, 0, 2));
    // 19 of 125 candidates; the middle [SEP] stands at each of the others now and then.
    for count in counts[1..20].iter().chain(&counts[108..127]) {
        let (found, expected) = (f64::from(*count), f64::from(examples) * 19.0 / 125.0);
        assert!((found / expected - 1.0).abs() < 0.1, "{counts:?}");
    }
}

#[test]
fn random_tokens_are_of_the_whole_vocabulary() {
    let world = World::of(60);
    let replacement = Replacement { mask: 0.0, same: 0.0, random: 1.0 };
    let rules = MaskingRules { replacement, ..MaskingRules::default() };
    let (_folder, set) = world.examples(&masked(rules));
    let drawn: Vec<u32> = all(&set, 0)
        .iter()
        .flat_map(|example| example.masked_positions.iter().map(|at| example.ids[*at as usize]).collect::<Vec<_>>())
        .collect();
    let size = world.vocabulary.len() as f64;
    let mean = drawn.iter().map(|id| f64::from(*id)).sum::<f64>() / drawn.len() as f64;
    // The standard deviation of a uniform number is its range over the root of 12.
    assert!((mean - size / 2.0).abs() < DEVIATIONS * size / (12.0 * drawn.len() as f64).sqrt());
    assert!(drawn.iter().all(|id| f64::from(*id) < size));
}

#[test]
fn rates_of_table_8_are_followed() {
    let world = World::of(100);
    for (mask, same, random) in [(1.0, 0.0, 0.0), (0.8, 0.0, 0.2), (0.8, 0.2, 0.0), (0.0, 0.2, 0.8), (0.0, 0.0, 1.0)] {
        let rules = MaskingRules { replacement: Replacement { mask, same, random }, ..MaskingRules::default() };
        let (_folder, set) = world.examples(&masked(rules));
        let (mut total, mut masks, mut kept) = (0, 0, 0);
        for example in all(&set, 0) {
            for (at, label) in example.masked_positions.iter().zip(&example.masked_labels) {
                let seen = example.ids[*at as usize];
                total += 1;
                masks += u64::from(seen == MASK);
                kept += u64::from(seen == *label);
            }
        }
        // A random token is the mask or the same by chance once in 12,000 times: less than the tolerance.
        about(masks, total, if random > 0.0 { mask.max(1e-4) } else { mask });
        about(kept, total, if random > 0.0 { same.max(1e-4) } else { same });
    }
}

#[test]
fn whole_words_are_masked_whole() {
    let world = World::of(200);
    let rules = MaskingRules { whole_words: true, ..MaskingRules::default() };
    let (_folder, set) = world.examples(&masked(rules));
    let continues = |id: u32| world.vocabulary.token(id).unwrap().starts_with("##");
    let (mut predictions, mut wanted) = (0, 0);
    for example in all(&set, 0) {
        let ids = unmasked(&example);
        let chosen = |at: usize| example.masked_positions.contains(&(at as u32));
        for at in 2..ids.len() {
            if continues(ids[at]) && ids[at - 1] >= FIRST {
                assert_eq!(chosen(at), chosen(at - 1), "{:?} at {at}", example.masked_positions);
            }
        }
        let most = ((ids.len() as f64 * 0.15).round_ties_even() as usize).clamp(1, 20);
        assert!(example.masked_positions.len() <= most);
        predictions += example.masked_positions.len();
        wanted += most;
    }
    // Words that are too long for what is left are passed over for shorter ones, so nearly all that may be is used.
    assert!(predictions as f64 > 0.99 * wanted as f64, "{predictions} of {wanted}");
}

/// 4,000 documents of 300 sentences of one token: chunks are as long as they aim to be.
#[test]
fn half_of_the_segments_are_random_and_a_tenth_of_the_documents_aim_short() {
    let settings = ExampleSettings { max_length: 35, ..ExampleSettings::default() };
    let bounds: Vec<u64> = (0..=300).collect();
    let (mut random, mut chunks, mut short, mut lengths) = (0, 0, 0, 0);
    let documents = 4000;
    for document in 0..documents {
        let mut found = Vec::new();
        let mut draws = Stream::new(1, "test").at(document);
        pairs(&bounds, &settings, &mut draws, |_, needed| Ok(1000..1000 + needed.max(1)), &mut found).unwrap();
        let length = |planned: &Planned| match &planned.second {
            Second::Next(second) | Second::Random(second) => {
                planned.first.end - planned.first.start + second.end - second.start
            }
            Second::Absent => panic!("pairs were asked for"),
        };
        let target = length(&found[0]);
        assert!((2..=32).contains(&target));
        short += u64::from(target < 32);
        lengths += if target < 32 { target } else { 0 };
        for planned in &found {
            let whole = planned.first.start + target <= 300;
            assert!(!whole || length(planned) == target, "the target is drawn once a document");
            // The last sentence alone has no next one; its chunk draws no coin.
            if planned.first.end < 300 {
                random += u64::from(matches!(planned.second, Second::Random(_)));
                chunks += 1;
            }
        }
    }
    // Of the lengths from 2 to 32 the last one is the full length.
    about(short, documents, 0.1 * 30.0 / 31.0);
    about(random, chunks, 0.5);
    let mean = lengths as f64 / short as f64;
    assert!((mean - 16.5).abs() < DEVIATIONS * 8.7 / (short as f64).sqrt(), "{mean}");
}

#[test]
fn masks_change_with_the_epoch_or_do_not() {
    let world = World::of(50);
    for (drawn, same) in [(Drawn::EachEpoch, false), (Drawn::Once, true)] {
        let (_folder, set) = world.examples(&ExampleSettings { drawn, dupe_factor: 1, ..ExampleSettings::default() });
        let (one, two) = (all(&set, 0), all(&set, 1));
        assert_eq!(one, all(&set, 0));
        assert_eq!(one == two, same);
        assert!(one.iter().zip(&two).all(|(one, two)| unmasked(one) == unmasked(two)));
    }
}

/// Section 5.1 of the paper: without next-sentence prediction, and left to right.
#[test]
fn single_segments_cover_the_corpus_and_next_tokens_are_labels() {
    let world = World::of(50);
    let settings = ExampleSettings {
        segments: Segments::Single,
        targets: Targets::Next,
        dupe_factor: 1,
        short_sequence_probability: 0.0,
        ..ExampleSettings::default()
    };
    let (_folder, set) = world.examples(&settings);
    let mut next = 0;
    for example in all(&set, 0) {
        assert_eq!(example.next_is_random, None);
        assert_eq!(example.masked_labels, example.ids[1..]);
        assert_eq!(example.masked_positions, (0..example.ids.len() as u32 - 1).collect::<Vec<_>>());
        assert!(example.segments.iter().all(|segment| *segment == 0));
        let (ids, last) = (&example.ids, example.ids.len() - 1);
        assert_eq!((ids[0], ids[last]), (CLS, SEP));
        let place = place(&world, &ids[1..last]);
        assert_eq!(place.start, next);
        next = place.end;
        let document_ends = world.document_of.get(next) != Some(&world.document_of[place.start]);
        assert!(document_ends || ids.len() == 128);
    }
    assert_eq!(next, world.document_of.len());
}
