//! Real questions: two halves of SQuAD's official dev set, read, cut into windows, decoded and scored.
//!
//! The data is not part of the project: without `BERTBENCH_REALDATA` these tests say so and pass.

use std::time::Instant;

use bertbench::checksum::sha256;
use bertbench::data::{BadRows, Questions, SquadVersion, questions_of};

const VERSION: SquadVersion = SquadVersion { unanswerable: false, labelled: Some(true) };
use bertbench::metric::squad::{BestThresholds, Judged, NullOdds, Tally, normalize, score_v1, score_v2};
use bertbench::settings::SpanOptions;
use bertbench::task::spans::{Decoded, SpanOutputs, decode, judged};
use bertbench::text::{Purpose, Tokenizer, Vocabulary, WindowSettings, Windows};
use serde_json::Value;

use super::realdata::real_data;

/// The paper's and `run_squad.py`'s.
const WINDOWS: WindowSettings = WindowSettings { max_length: 384, doc_stride: 128, max_query_length: 64 };

fn half(name: &str) -> Option<Questions> {
    let path = real_data("squad")?.join(name);
    Some(questions_of(&std::fs::read(&path).unwrap(), &path, VERSION, BadRows::Refuse).unwrap())
}

fn tokenizer() -> Option<Tokenizer> {
    let vocabulary = Vocabulary::load(&real_data("vocab/bert-base-uncased-vocab.txt")?).unwrap();
    Some(Tokenizer::new(&vocabulary, true).unwrap())
}

fn windows(questions: &Questions, tokenizer: &Tokenizer) -> Windows {
    let settings = WINDOWS;
    Windows::build(tokenizer, &questions.paragraphs, &questions.asked(), settings, Purpose::Training).unwrap()
}

/// Counted with Python's `json`.
#[test]
fn every_question_is_read_and_every_answer_is_where_it_is_said_to_be() {
    for (name, paragraphs, count) in [("halfA.json", 913, 4961), ("halfB.json", 1154, 5609)] {
        let Some(questions) = half(name) else { return };
        assert_eq!((questions.paragraphs.len(), questions.questions.len(), questions.skipped), (paragraphs, count, 0));
        for (i, question) in questions.questions.iter().enumerate() {
            assert!(!question.answers.is_empty() && !question.impossible);
            for answer in &question.answers {
                let characters = questions.context(i).chars().skip(answer.start as usize);
                assert!(characters.take(answer.text.chars().count()).eq(answer.text.chars()), "{answer:?}");
            }
        }
    }
}

#[test]
fn windows_are_those_of_hugging_faces_tokenizer() {
    let golden: Value = serde_json::from_str(include_str!("golden/squad_windows.json")).unwrap();
    for name in ["halfA", "halfB"] {
        let (Some(questions), Some(tokenizer)) = (half(&format!("{name}.json")), tokenizer()) else { return };
        let windows = windows(&questions, &tokenizer);
        let golden = |key: &str| golden[name][key].as_u64().unwrap();
        assert_eq!(windows.parts.source_index.len() as u64, golden("windows"));
        assert_eq!((windows.unfindable, windows.unanswered), (0, 0));
        assert_eq!(windows.parts.truncated, golden("truncated_questions"));
        let labels = windows.parts.labels.as_chunks::<2>().0;
        assert_eq!(labels.iter().filter(|label| label[1] > 0.0).count() as u64, golden("labelled"));
        let mut rows = String::new();
        for (i, label) in labels.iter().enumerate() {
            let tokens = windows.parts.offsets[i] as usize..windows.parts.offsets[i + 1] as usize;
            rows.push_str(&windows.parts.source_index[i].to_string());
            let numbers = windows.parts.ids[tokens.clone()].iter().copied();
            let numbers = numbers.chain(windows.parts.segments[tokens].iter().map(|segment| u32::from(*segment)));
            for number in numbers.chain(label.iter().map(|label| *label as u32)) {
                rows.push(' ');
                rows.push_str(&number.to_string());
            }
            rows.push('\n');
        }
        let digest: Value = serde_json::from_str(include_str!("golden/squad_windows.json")).unwrap();
        assert_eq!(sha256(rows.as_bytes()), digest[name]["sha256"].as_str().unwrap());
    }
}

/// Logits that want the labels give the labelled tokens back; what they spell is the answer, up to the words that the
/// answer starts or ends within.
#[test]
fn labels_decode_to_the_answers() {
    let (Some(questions), Some(tokenizer)) = (half("halfB.json"), tokenizer()) else { return };
    let windows = windows(&questions, &tokenizer);
    let mut logits = vec![-5.0; 2 * windows.parts.ids.len()];
    for (label, offset) in windows.parts.labels.as_chunks::<2>().0.iter().zip(&windows.parts.offsets) {
        for side in [0, 1] {
            logits[2 * (*offset as usize + label[side] as usize) + side] = 5.0;
        }
    }
    let outputs = SpanOutputs {
        logits: &logits,
        offsets: &windows.parts.offsets,
        source_index: &windows.parts.source_index,
        offset_mapping: &windows.parts.offset_mapping,
    };
    let decoded = decode(&questions, &outputs, &SpanOptions::default());
    let tally = score_v1(&judged(&questions, &decoded));
    println!("EM {} F1 {}", tally.exact_percent(), tally.f1_percent());
    assert!(tally.exact_percent() > 97.0 && tally.f1_percent() > 98.0, "{tally:?}");
    let long = |one: &&Decoded| normalize(&one.text).split(' ').count() > 30;
    assert_eq!(decoded.iter().filter(long).count(), 0);
}

/// The predictions that `tests/golden/squad.py` makes up, as its `fake` says.
fn fake(number: usize, questions: &Questions) -> Option<String> {
    let answers = &questions.questions[number].answers;
    let (first, start) = (&answers[0].text, answers[0].start as usize);
    let words: Vec<&str> = first.split(' ').collect();
    Some(match number % 8 {
        0 => first.clone(),
        1 => words[1..].join(" "),
        2 => words[..words.len() - 1].join(" "),
        3 => format!("The {}.", first.to_lowercase()),
        4 => {
            let end = start + first.chars().count() + 5;
            let start = start.saturating_sub(7);
            questions.context(number).chars().skip(start).take(end - start).collect()
        }
        5 => String::new(),
        6 => return None,
        _ => answers[answers.len() - 1].text.clone(),
    })
}

fn same_tally(tally: Tally, golden: &Value, [exact, f1]: [&str; 2]) {
    assert_eq!(tally.exact_percent().to_bits(), golden[exact].as_f64().unwrap().to_bits(), "{exact}");
    assert_eq!(tally.f1_percent().to_bits(), golden[f1].as_f64().unwrap().to_bits(), "{f1}");
}

#[test]
fn half_b_scores_have_the_official_bits() {
    let Some(questions) = half("halfB.json") else { return };
    let golden: Value = serde_json::from_str(include_str!("golden/squad.json")).unwrap();
    let golden = &golden["half_b"];
    let count = questions.questions.len();
    let predictions: Vec<Option<String>> = (0..count).map(|i| fake(i, &questions)).collect();
    let references =
        |i: usize| questions.questions[i].answers.iter().map(|answer| answer.text.as_str()).collect::<Vec<_>>();
    let answered: Vec<Judged<'_>> =
        (0..count).map(|i| Judged { prediction: predictions[i].as_deref(), references: references(i) }).collect();
    same_tally(score_v1(&answered), &golden["v1"], ["exact_match", "f1"]);
    let some: Vec<Judged<'_>> = (0..count)
        .map(|i| Judged {
            prediction: Some(predictions[i].as_deref().unwrap_or_default()),
            references: if i % 5 == 0 { Vec::new() } else { references(i) },
        })
        .collect();
    let odds: Vec<f64> = (0..count).map(|i| (i * 7919 % 1000) as f64 / 100.0 - 3.0).collect();
    for (key, null_odds) in [("v2", None), ("v2 with odds", Some(NullOdds { odds: &odds, threshold: 4.0 }))] {
        let (tallies, golden) = (score_v2(&some, null_odds), &golden[key]);
        same_tally(tallies.all, golden, ["exact", "f1"]);
        same_tally(tallies.has_answer.unwrap(), golden, ["HasAns_exact", "HasAns_f1"]);
        same_tally(tallies.no_answer.unwrap(), golden, ["NoAns_exact", "NoAns_f1"]);
        if let Some(BestThresholds { exact_threshold, f1_threshold, .. }) = tallies.best {
            assert_eq!(exact_threshold.to_bits(), golden["best_exact_thresh"].as_f64().unwrap().to_bits());
            assert_eq!(f1_threshold.to_bits(), golden["best_f1_thresh"].as_f64().unwrap().to_bits());
            let best = tallies.best.unwrap();
            assert_eq!(best.exact_percent().to_bits(), golden["best_exact"].as_f64().unwrap().to_bits());
            assert_eq!(best.f1_percent().to_bits(), golden["best_f1"].as_f64().unwrap().to_bits());
        }
    }
}

/// A file of the size of the official training set, made of the halves: 87,599 questions about 18,896 paragraphs.
#[test]
#[ignore = "a measurement: cargo test --release --test integration squad_data:: -- --ignored --nocapture"]
fn how_long_a_file_of_the_size_of_the_training_set_takes() {
    let (Some(half), Some(tokenizer)) = (real_data("squad/halfB.json"), tokenizer()) else { return };
    let text = std::fs::read_to_string(half).unwrap();
    let half: Value = serde_json::from_str(&text).unwrap();
    let mut data = Vec::new();
    for copy in 0..16 {
        for article in half["data"].as_array().unwrap() {
            let mut article = article.clone();
            for paragraph in article["paragraphs"].as_array_mut().unwrap() {
                for question in paragraph["qas"].as_array_mut().unwrap() {
                    question["id"] = format!("{copy}-{}", question["id"].as_str().unwrap()).into();
                    question["answers"].as_array_mut().unwrap().truncate(1);
                }
            }
            data.push(article);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.json");
    std::fs::write(&path, serde_json::json!({"version": "1.1", "data": data}).to_string()).unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len();
    for _ in 0..3 {
        let start = Instant::now();
        let questions = questions_of(&std::fs::read(&path).unwrap(), &path, VERSION, BadRows::Refuse).unwrap();
        println!("{} questions, {bytes} bytes read in {:?}", questions.questions.len(), start.elapsed());
        let start = Instant::now();
        let windows = windows(&questions, &tokenizer);
        println!(
            "{} windows, {} tokens in {:?}",
            windows.parts.source_index.len(),
            windows.parts.ids.len(),
            start.elapsed()
        );
        let logits: Vec<f32> = (0..2 * windows.parts.ids.len()).map(|i| (i * 7919 % 1013) as f32 / 100.0).collect();
        let start = Instant::now();
        let outputs = SpanOutputs {
            logits: &logits,
            offsets: &windows.parts.offsets,
            source_index: &windows.parts.source_index,
            offset_mapping: &windows.parts.offset_mapping,
        };
        let decoded = decode(&questions, &outputs, &SpanOptions::default());
        println!("{} answers in {:?}", decoded.len(), start.elapsed());
    }
}
