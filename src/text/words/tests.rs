//! Sentences over the vocabulary of the tokeniser's own tests: `unaffable` is 5 6 7, `want` 8 9, `the` 15, `a` 18.

use proptest::prelude::*;

use super::*;
use crate::text::tokenizer::tests::small;

const CLS: u32 = 2;
const SEP: u32 = 3;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Features of sentences, each with its document; the class of a word is its index in the sentence.
fn build(sentences: &[(&str, u32)], max_length: u32, context: Context) -> Parts {
    let words: Vec<Vec<String>> = sentences.iter().map(|(text, _)| words(text)).collect();
    let classes: Vec<Vec<Option<u32>>> = words.iter().map(|one| (0..one.len() as u32).map(Some).collect()).collect();
    let sentences: Vec<WordSentence<'_>> = sentences
        .iter()
        .zip(words.iter().zip(&classes))
        .map(|((_, document), (words, classes))| WordSentence { words, classes, document: *document })
        .collect();
    Parts::of_words(&small(true), &sentences, max_length, context).unwrap()
}

/// The ids of each sequence.
fn ids(features: &Parts) -> Vec<&[u32]> {
    features.offsets.windows(2).map(|two| &features.ids[two[0] as usize..two[1] as usize]).collect()
}

/// The place and the class (99: none) of each token of sequence `at`.
fn answers(features: &Parts, at: usize) -> Vec<([u32; 2], u32)> {
    let tokens = features.offsets[at] as usize..features.offsets[at + 1] as usize;
    let class = |label: f32| if label.is_nan() { 99 } else { label as u32 };
    tokens.map(|token| (features.offset_mapping[token], class(features.labels[token]))).collect()
}

#[test]
fn the_first_token_of_a_word_is_the_one_that_is_scored() {
    let features = build(&[("the unaffable want", 0), ("a", 0)], 16, Context::Sentence);
    assert_eq!(ids(&features), [&[CLS, 15, 5, 6, 7, 8, 9, SEP][..], &[CLS, 18, SEP]]);
    assert_eq!(
        answers(&features, 0),
        [
            (NO_OFFSET, 99),
            ([0, 1], 0),
            ([1, 1], 1),
            ([1, 0], 99),
            ([1, 0], 99),
            ([2, 1], 2),
            ([2, 0], 99),
            (NO_OFFSET, 99)
        ]
    );
    assert_eq!(features.source_index, [0, 1]);
}

#[test]
fn words_without_a_token_or_a_class_are_predicted_all_the_same() {
    let words = ["the", "\u{3000}", "\0", "\u{200b}", "zebra"].map(str::to_owned);
    let classes = [Some(3), None, Some(0), None, None];
    let sentences = [WordSentence { words: &words, classes: &classes, document: 0 }];
    let features = Parts::of_words(&small(true), &sentences, 16, Context::Sentence).unwrap();
    assert_eq!(ids(&features), [&[CLS, 15, 1, 1, 1, 1, SEP]]);
    let found: Vec<_> = answers(&features, 0)[1..6].to_vec();
    assert_eq!(found, [([0, 1], 3), ([1, 1], 99), ([2, 1], 0), ([3, 1], 99), ([4, 1], 99)]);
    let without = [WordSentence { words: &words, classes: &[], document: 0 }];
    let features = Parts::of_words(&small(true), &without, 16, Context::Sentence).unwrap();
    assert!(features.labels.iter().all(|label| label.is_nan()));
}

#[test]
fn long_sentences_are_divided_evenly_and_each_part_shows_its_neighbours() {
    // Nine tokens in a room of four: three parts of three, each with what fits of the others.
    let features = build(&[("the a the a the a the a the", 7)], 6, Context::Sentence);
    assert_eq!((&features.source_index[..], features.truncated), (&[0, 0, 0][..], 0));
    let scored = |at: usize| -> Vec<u32> {
        answers(&features, at).iter().filter(|(place, _)| place[1] == 1).map(|(place, _)| place[0]).collect()
    };
    assert_eq!([scored(0), scored(1), scored(2)], [[0, 1, 2], [3, 4, 5], [6, 7, 8]]);
    assert_eq!(
        ids(&features),
        [&[CLS, 15, 18, 15, 18, SEP][..], &[CLS, 18, 15, 18, 15, SEP], &[CLS, 18, 15, 18, 15, SEP]]
    );
    // A word is never torn: the second does not fit beside the first.
    let features = build(&[("want unaffable a", 0)], 6, Context::Sentence);
    assert_eq!(ids(&features), [&[CLS, 8, 9, SEP][..], &[CLS, 5, 6, 7, 18, SEP]]);
}

#[test]
fn a_word_that_is_longer_than_a_sequence_keeps_its_beginning() {
    let features = build(&[("a unaffable a", 0)], 4, Context::Sentence);
    assert_eq!(ids(&features), [&[CLS, 18, SEP][..], &[CLS, 5, 6, SEP], &[CLS, 18, SEP]]);
    assert_eq!(features.truncated, 1);
    let refused = Parts::of_words(&small(true), &[], 2, Context::Sentence).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a max_length of 2 leaves no token of a word (2 tokens of each sequence are [CLS] and [SEP])"
    );
}

#[test]
fn a_document_fills_both_sides() {
    let sentences = [("the the the", 0), ("a", 0), ("want want", 0), ("unaffable", 1)];
    let features = build(&sentences, 7, Context::Document);
    // Room for five. Two before and two after; the words of the other document are never shown.
    assert_eq!(
        ids(&features),
        [
            &[CLS, 15, 15, 15, 18, SEP][..],
            &[CLS, 15, 15, 18, 8, 9, SEP],
            &[CLS, 18, 8, 9, 8, 9, SEP],
            &[CLS, 5, 6, 7, SEP],
        ]
    );
    assert_eq!(
        answers(&features, 1),
        [
            (NO_OFFSET, 99),
            (NO_OFFSET, 99),
            (NO_OFFSET, 99),
            ([0, 1], 0),
            (NO_OFFSET, 99),
            (NO_OFFSET, 99),
            (NO_OFFSET, 99)
        ]
    );
    // At the end of a document all of the room goes to the words before.
    let features = build(&[("the a the a the", 0), ("a", 0)], 7, Context::Document);
    assert_eq!(ids(&features)[1], [CLS, 18, 15, 18, 15, 18, SEP].as_slice());
    assert_eq!(features.source_index, [0, 1]);
}

#[test]
fn nothing_gives_nothing() {
    let none = Parts::of_words(&small(true), &[], 8, Context::Document).unwrap();
    assert!(none.source_index.is_empty() && none.offsets == [0]);
}

proptest! {
    /// Whatever the lengths: every word is scored exactly once, in order, and nothing is longer than allowed.
    #[test]
    fn every_word_is_scored_exactly_once(
        sentences in prop::collection::vec(
            (prop::collection::vec(prop::sample::select(vec!["the", "want", "unaffable", "\0"]), 0..30), 0_u32..3), 0..8),
        max_length in 3_u32..20,
        document in any::<bool>(),
    ) {
        let words: Vec<Vec<String>> =
            sentences.iter().map(|(words, _)| words.iter().map(|word| (*word).to_owned()).collect()).collect();
        let context = if document { Context::Document } else { Context::Sentence };
        let given: Vec<WordSentence<'_>> = words
            .iter()
            .zip(&sentences)
            .map(|(words, (_, document))| WordSentence { words, classes: &[], document: *document })
            .collect();
        let features = Parts::of_words(&small(true), &given, max_length, context).unwrap();
        let mut scored = vec![Vec::new(); words.len()];
        for (at, owner) in features.source_index.iter().enumerate() {
            let tokens = features.offsets[at] as usize..features.offsets[at + 1] as usize;
            prop_assert!(tokens.len() <= max_length as usize && tokens.len() > 2);
            prop_assert_eq!((features.ids[tokens.start], features.ids[tokens.end - 1]), (CLS, SEP));
            scored[*owner as usize].extend(tokens.filter(|token| features.offset_mapping[*token][1] == 1).map(|token| features.offset_mapping[token][0]));
        }
        for (scored, words) in scored.iter().zip(&words) {
            prop_assert_eq!(scored, &(0..words.len() as u32).collect::<Vec<_>>());
        }
        prop_assert!(features.source_index.is_sorted());
        // One thread gives the same.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let same = alone.install(|| Parts::of_words(&small(true), &given, max_length, context)).unwrap();
        prop_assert_eq!(&same.ids, &features.ids);
        prop_assert_eq!(&same.offset_mapping, &features.offset_mapping);
    }
}
