//! From files to classes, from outputs to files.

use std::path::Path;

use super::*;
use crate::data::{BadRows, Columns, sentences_of};
use crate::settings::Context;
use crate::text::{Parts, Tokenizer, Vocabulary, WordSentence};

const TRAIN: &str = "Peter B-PER\nin O\nNew B-LOC\nYork I-LOC\n\nthe O\nUN S-ORG\n";

fn read(text: &str, labelled: bool) -> Vec<Sentence> {
    let read = sentences_of(text.as_bytes(), Path::new("x"), &Columns::default(), labelled, BadRows::Refuse);
    read.unwrap().sentences
}

fn names(tags: &TagSet) -> Vec<&str> {
    tags.names().iter().map(|tag| &**tag).collect()
}

/// Cased, with words of one, two and three tokens.
fn tokenizer() -> Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocab.txt");
    let tokens = "[PAD] [UNK] [CLS] [SEP] [MASK] Peter in New York the UN Lond ##on ##der ##ry";
    std::fs::write(&path, tokens.replace(' ', "\n")).unwrap();
    Tokenizer::new(&Vocabulary::load(&path).unwrap(), false).unwrap()
}

fn features(sentences: &[Sentence], tags: &TagSet, max_length: u32, context: Context) -> Parts {
    let classes: Vec<_> = sentences.iter().map(|sentence| tags.classes(sentence)).collect();
    let given: Vec<WordSentence<'_>> = sentences
        .iter()
        .zip(&classes)
        .map(|(sentence, classes)| WordSentence { words: &sentence.words, classes, document: sentence.document })
        .collect();
    Parts::of_words(&tokenizer(), &given, max_length, context).unwrap()
}

/// Outputs of a model that says what the label is wherever there is one, and the last class everywhere else.
fn outputs_of(features: &Parts, classes: usize) -> Vec<f32> {
    let class = |label: f32| if label.is_nan() { classes - 1 } else { label as usize };
    let row = |label: &f32| (0..classes).map(|c| if c == class(*label) { 1.0 } else { -1.0 }).collect::<Vec<f32>>();
    features.labels.iter().flat_map(row).collect()
}

#[test]
fn classes_are_o_then_both_tags_of_every_type_of_the_training_split() {
    let train = read(TRAIN, true);
    let tags = TagSet::of(&train);
    assert_eq!(names(&tags), ["O", "B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER"]);
    assert_eq!(tags.classes(&train[0]), [Some(3), Some(0), Some(1), Some(4)]);
    let dev = read("x B-MISC\ny I-PER\n", true);
    assert_eq!(tags.classes(&dev[0]), [None, Some(3)]);
    assert_eq!(TagSet::from_names(&names(&tags)), tags);
    assert_eq!(names(&TagSet::of(&read("a O\n", true))), ["O"]);
    assert!(tags.classes(&read(TRAIN, false)[0]).is_empty());
}

#[test]
fn a_model_that_knows_the_labels_scores_one_however_sentences_are_divided() {
    let text = "-DOCSTART- O\n\nPeter B-PER\nLondonderry I-PER\nin O\nLondonderry B-LOC\nNew B-LOC\nYork I-LOC\nthe O\n\n\
                Londonderry B-LOC\n\n-DOCSTART- O\n\nthe O\nUN B-ORG\n\u{3000} I-ORG\nin O\n";
    let sentences = read(text, true);
    let tags = TagSet::of(&sentences);
    for max_length in [3, 5, 8, 32] {
        for context in [Context::Sentence, Context::Document] {
            let built = features(&sentences, &tags, max_length, context);
            let outputs = outputs_of(&built, tags.names().len());
            let found = tags.decode(&sentences, &outputs, &built.offsets, &built.source_index, &built.offset_mapping);
            let scores = tag_scores(&sentences, &found);
            assert_eq!((scores.overall.correct, scores.overall.found, scores.overall.gold), (5, 5, 5), "{max_length}");
            assert!(sentences.iter().zip(&found).all(|(sentence, found)| sentence.tags == *found));
        }
    }
}

#[test]
fn equal_outputs_answer_with_the_first_class_and_nan_never_wins() {
    let sentences = read("Peter B-PER\nLondonderry O\n", true);
    let tags = TagSet::of(&sentences);
    let built = features(&sentences, &tags, 8, Context::Sentence);
    // [CLS] Peter Lond ##on ##der ##ry [SEP]; only the second and the third row answer.
    assert_eq!(built.ids, [2, 5, 11, 12, 13, 14, 3]);
    let mut outputs = vec![9.0; 7 * 3];
    outputs[3..9].copy_from_slice(&[f32::NAN, -7.0, -7.0, 0.5, f32::NAN, 1.5]);
    let found = tags.decode(&sentences, &outputs, &built.offsets, &built.source_index, &built.offset_mapping);
    assert_eq!(found[0].join(" "), "B-PER I-PER");
    outputs[3..9].fill(f32::NAN);
    let found = tags.decode(&sentences, &outputs, &built.offsets, &built.source_index, &built.offset_mapping);
    assert_eq!(found[0].join(" "), "O O");
}

#[test]
#[should_panic(expected = "one row of outputs per token")]
fn outputs_of_another_head_are_a_mistake_of_the_caller() {
    let sentences = read(TRAIN, true);
    let _ = TagSet::of(&sentences).decode(&sentences, &[0.0; 12], &[0, 3], &[0], &[[0, 1]; 3]);
}

#[test]
fn predictions_have_the_columns_of_conlleval_and_every_word_is_one() {
    let text = "-DOCSTART- O\n\nNew\u{a0}York\tS-LOC\n \tO\n\u{3000}\tO\na b\tO\n\u{1f}\tO\n\nUN\tB-ORG\nis\tE-ORG\n";
    let sentences = read(text, true);
    let predicted = [vec!["B-LOC", "O", "O", "B-ORG", "O"], vec!["O", "B-ORG"]];
    assert_eq!(
        predictions(&sentences, &predicted),
        "New␣York B-LOC B-LOC\n␣ O O\n␣ O O\na␣b O B-ORG\n␣ O O\n\nUN B-ORG O\nis I-ORG B-ORG\n\n"
    );
    let without = read("New\u{a0}York\nUN\n", false);
    assert_eq!(predictions(&without, &[vec!["O", "B-ORG"]]), "New␣York O\nUN B-ORG\n\n");
}

#[test]
fn scores_of_types_are_a_table_with_a_sum() {
    let sentences = read("a B-LOC\nb I-LOC\nc O\nd B-PER\n", true);
    let scores = tag_scores(&sentences, &[vec!["B-LOC", "I-LOC", "B-ORG", "B-LOC"]]);
    assert_eq!(
        kinds_tsv(&scores),
        "entity\tprecision\trecall\tf1\tgold\tfound\tcorrect\n\
         LOC\t0.5\t1\t0.6666666666666666\t1\t2\t1\n\
         ORG\t0\t0\t0\t0\t1\t0\n\
         PER\t0\t0\t0\t1\t0\t0\n\
         (all)\t0.3333333333333333\t0.5\t0.4\t2\t3\t1\n"
    );
}
