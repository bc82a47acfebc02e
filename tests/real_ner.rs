//! The corpus `ResumeNER`, read, tokenised and tagged: sentences and entities as seqeval counts them
//! (`tests/golden/resume_ner.py`), and every character predicted exactly once.
//!
//! The data is not part of the project: without `BERTBENCH_REALDATA` these tests say so and pass.

use std::collections::BTreeMap;

use bertbench::checksum::sha256;
use bertbench::data::{BadRows, Columns, Sentences, sentences_of};
use bertbench::metric::entities;
use bertbench::settings::Context;
use bertbench::task::{TagSet, kinds_tsv, predictions, tag_scores};
use bertbench::text::{Parts, Tokenizer, Vocabulary, WordSentence};
use serde_json::{Value, json};

use super::realdata::real_data;

const SPLITS: [&str; 3] = ["train", "dev", "test"];

fn resume(split: &str) -> Option<Sentences> {
    let path = real_data(&format!("resume_ner/{split}.char.bmes"))?;
    Some(sentences_of(&std::fs::read(&path).unwrap(), &path, &Columns::default(), true, BadRows::Refuse).unwrap())
}

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/resume_ner.json")).unwrap()
}

#[test]
fn sentences_tags_and_entities_are_those_that_seqeval_counts() {
    for split in SPLITS {
        let Some(read) = resume(split) else { return };
        assert_eq!(read.skipped, 0, "{split}");
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        for entity in read.sentences.iter().flat_map(|one| entities(&one.tags)) {
            *kinds.entry(entity.kind.to_owned()).or_default() += 1;
        }
        let lengths = || read.sentences.iter().map(|one| one.words.len());
        let mut lines = String::new();
        for one in &read.sentences {
            for (character, tag) in one.words.iter().zip(&one.tags) {
                lines.extend([character, " ", tag, "\n"]);
            }
            lines.push('\n');
        }
        let found = json!({
            "sentences": read.sentences.len(), "characters": lengths().sum::<usize>(), "longest": lengths().max(),
            "entities": kinds, "sha256": sha256(lines.as_bytes()),
        });
        assert_eq!(found, golden()[split], "{split}");
    }
}

#[test]
fn every_character_is_predicted_exactly_once_whatever_fits_into_a_sequence() {
    let vocabulary = real_data("vocab/bert-base-chinese-vocab.txt");
    let (Some(vocabulary), Some(train), Some(dev)) = (vocabulary, resume("train"), resume("dev")) else { return };
    let tags = TagSet::of(&train.sentences);
    assert_eq!(tags.names().len(), 1 + 2 * 8);
    let vocabulary = Vocabulary::load(&vocabulary).unwrap();
    let tokenizer = Tokenizer::new(&vocabulary, true).unwrap();
    let classes: Vec<_> = dev.sentences.iter().map(|one| tags.classes(one)).collect();
    let given: Vec<WordSentence<'_>> = dev
        .sentences
        .iter()
        .zip(&classes)
        .map(|(one, classes)| WordSentence { words: &one.words, classes, document: one.document })
        .collect();
    let characters = golden()["dev"]["characters"].as_u64().unwrap() as usize;
    for (max_length, context) in
        [(16, Context::Sentence), (128, Context::Sentence), (512, Context::Sentence), (64, Context::Document)]
    {
        let features = Parts::of_words(&tokenizer, &given, max_length, context).unwrap();
        assert_eq!(features.labels.iter().filter(|label| !label.is_nan()).count(), characters);
        assert_eq!(features.truncated, 0);
        // A model that answers with the label, and one whose every answer is O.
        let width = tags.names().len();
        let mut outputs = vec![0.0; features.ids.len() * width];
        let none =
            tags.decode(&dev.sentences, &outputs, &features.offsets, &features.source_index, &features.offset_mapping);
        for (row, label) in outputs.chunks_exact_mut(width).zip(&features.labels) {
            row[if label.is_nan() { 1 } else { *label as usize }] = 1.0;
        }
        let all =
            tags.decode(&dev.sentences, &outputs, &features.offsets, &features.source_index, &features.offset_mapping);
        let scores = tag_scores(&dev.sentences, &all);
        assert_eq!((scores.overall.correct, scores.overall.found), (scores.overall.gold, scores.overall.gold));
        assert!(dev.sentences.iter().zip(&all).all(|(sentence, found)| sentence.tags == *found));
        assert_eq!(scores.kinds.len(), 8);
        assert_eq!(kinds_tsv(&scores).lines().count(), 10);
        assert_eq!(predictions(&dev.sentences, &all).lines().filter(|line| !line.is_empty()).count(), characters);
        assert!(tag_scores(&dev.sentences, &none).overall.f1().abs() < f64::EPSILON);
    }
}
