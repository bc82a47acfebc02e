use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::data::{Answer, Question};
use crate::metric::squad::{NullOdds, score_v1, score_v2};
use crate::text::{Parts, Purpose, Tokenizer, Vocabulary, WindowSettings, Windows};

/// The paper's and `run_squad.py`'s.
const WINDOWS: WindowSettings = WindowSettings { max_length: 384, doc_stride: 128, max_query_length: 64 };

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../tests/golden/squad_decode.json")).unwrap()
}

fn tokenizer(golden: &Value) -> Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocab.txt");
    let lines: Vec<&str> = golden["vocabulary"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    Tokenizer::new(&Vocabulary::load(&path).unwrap(), true).unwrap()
}

fn whole(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

#[expect(clippy::cast_possible_truncation, reason = "multiples of 1/8")]
fn small(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}

/// One question about each context.
fn questions(contexts: Vec<(String, String, String, Vec<Answer>)>) -> Questions {
    let (mut paragraphs, mut questions) = (Vec::new(), Vec::new());
    for (context, id, text, answers) in contexts {
        questions.push(Question {
            id,
            text,
            paragraph: u32::try_from(paragraphs.len()).unwrap(),
            answers,
            impossible: false,
        });
        paragraphs.push(context);
    }
    Questions { paragraphs, questions, unanswerable: false, skipped: 0 }
}

fn questions_of(case: &Value) -> Questions {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |one: &Value| {
        let answer = Answer { text: text(&one["answer"]), start: whole(&one["start"]) };
        (text(&one["context"]), text(&one["id"]), text(&one["question"]), vec![answer])
    };
    let questions = questions(case["questions"].as_array().unwrap().iter().map(one).collect());
    Questions { unanswerable: case["threshold"].is_number(), ..questions }
}

fn window_settings(case: &Value) -> WindowSettings {
    let setting = |i: usize| whole(&case["settings"][i]);
    WindowSettings { max_length: setting(0), doc_stride: setting(1), max_query_length: setting(2) }
}

fn options(case: &Value) -> SpanOptions {
    let setting = |i: usize| whole(&case["settings"][i]);
    SpanOptions {
        doc_stride: setting(1),
        max_query_length: setting(2),
        n_best_size: setting(3),
        max_answer_length: setting(4),
        null_score_diff_threshold: case["threshold"].as_f64().unwrap_or_default(),
    }
}

fn build(tokenizer: &Tokenizer, questions: &Questions, settings: WindowSettings) -> Parts {
    Windows::build(tokenizer, &questions.paragraphs, &questions.asked(), settings, Purpose::Evaluation).unwrap().parts
}

fn outputs<'a>(windows: &'a Parts, logits: &'a [f32]) -> SpanOutputs<'a> {
    SpanOutputs {
        logits,
        offsets: &windows.offsets,
        source_index: &windows.source_index,
        offset_mapping: &windows.offset_mapping,
    }
}

/// Starts and ends of each window, one after the other, as token-major pairs.
fn logits_of(case: &Value) -> Vec<f32> {
    let pairs = |window: &Value| -> Vec<f32> {
        let [starts, ends] = [0, 1].map(|side| window[side].as_array().unwrap());
        starts.iter().zip(ends).flat_map(|(start, end)| [small(start), small(end)]).collect()
    };
    case["logits"].as_array().unwrap().iter().flat_map(pairs).collect()
}

#[test]
fn windows_are_those_of_the_reference() {
    let golden = golden();
    let tokenizer = tokenizer(&golden);
    let mut compared = 0;
    for case in golden["cases"].as_array().unwrap() {
        let windows = build(&tokenizer, &questions_of(case), window_settings(case));
        let theirs = case["windows"].as_array().unwrap().iter().enumerate();
        let theirs: Vec<_> =
            theirs.flat_map(|(i, list)| list.as_array().unwrap().iter().map(move |w| (i, w))).collect();
        assert_eq!(windows.source_index.len(), theirs.len());
        for (at, (owner, window)) in theirs.into_iter().enumerate() {
            let tokens = windows.offsets[at] as usize..windows.offsets[at + 1] as usize;
            let integers = |key: &str| window[key].as_array().unwrap().iter().map(whole).collect::<Vec<_>>();
            assert_eq!(windows.source_index[at] as usize, owner);
            assert_eq!(windows.ids[tokens.clone()], integers("ids"));
            let segments: Vec<u32> = windows.segments[tokens].iter().map(|segment| u32::from(*segment)).collect();
            assert_eq!(segments, integers("segments"));
            let labels = windows.labels[2 * at..2 * at + 2].iter().map(|label| *label as u32).collect::<Vec<_>>();
            assert_eq!(labels, integers("label"), "window {at} of {}", case["questions"][owner]);
            compared += usize::from(labels != [0, 0]);
        }
    }
    assert!(compared > 50, "{compared} windows with an answer");
}

/// The reference's `exp` may be another than ours in the last digit.
fn agree(ours: &str, theirs: &str) {
    let [ours, theirs]: [Value; 2] = [ours, theirs].map(|json| serde_json::from_str(json).unwrap());
    let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
    assert!(ours.keys().eq(theirs.keys()));
    for (id, theirs) in theirs {
        let (ours, theirs) = (ours[id].as_array().unwrap(), theirs.as_array().unwrap());
        assert_eq!(ours.len(), theirs.len(), "{id}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!(ours.as_object().unwrap().keys().eq(theirs.as_object().unwrap().keys()));
            for key in ["text", "start_logit", "end_logit"] {
                assert_eq!(ours[key], theirs[key], "{id}");
            }
            let [ours, theirs] = [ours, theirs].map(|candidate| candidate["probability"].as_f64().unwrap());
            assert!((ours - theirs).abs() <= 1e-14 * theirs, "{id}: {ours} {theirs}");
        }
    }
}

#[test]
fn answers_and_files_are_those_of_the_reference() {
    let golden = golden();
    let tokenizer = tokenizer(&golden);
    let (mut never, mut above) = (0, 0);
    for case in golden["cases"].as_array().unwrap() {
        let questions = questions_of(case);
        let windows = build(&tokenizer, &questions, window_settings(case));
        let logits = logits_of(case);
        let decoded = decode(&questions, &outputs(&windows, &logits), &options(case));
        let files: Vec<&str> = case["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
        assert_eq!(predictions_json(&questions, &decoded), files[0]);
        agree(&n_best_json(&questions, &decoded), files[1]);
        if let Some(odds) = files.get(2) {
            assert_eq!(null_odds_json(&questions, &decoded), *odds);
            above += decoded.iter().filter(|one| one.text.is_empty()).count();
        } else {
            assert!(decoded.iter().all(|one| one.null_odds.is_none()));
            never += decoded.iter().filter(|one| one.text == "empty").count();
        }
    }
    assert!(never > 3 && above > 10, "{never} {above}");
}

/// Logits that want this span of the context of a question without words.
fn wanting(windows: &Parts, [first, last]: [usize; 2]) -> Vec<f32> {
    let mut logits = vec![-9.0; 2 * windows.ids.len()];
    logits[2 * (first + 2)] = 9.0;
    logits[2 * (last + 2) + 1] = 9.0;
    logits
}

#[test]
fn an_answer_is_the_contexts_own_characters() {
    let golden = golden();
    let tokenizer = tokenizer(&golden);
    let check = |context: &str, span: [usize; 2], expected: &str| {
        let questions = questions(vec![(context.into(), "q".into(), String::new(), vec![])]);
        let windows = build(&tokenizer, &questions, WINDOWS);
        let logits = wanting(&windows, span);
        let decoded = decode(&questions, &outputs(&windows, &logits), &SpanOptions::default());
        assert_eq!(decoded[0].text, expected, "{context}");
    };
    for case in golden["differ"].as_array().unwrap() {
        let span = [0, 1].map(|i| whole(&case["span"][i]) as usize);
        check(case["context"].as_str().unwrap(), span, case["characters"].as_str().unwrap());
        assert_ne!(case["google"], case["characters"]);
    }
    check("won 🙂 cafe\u{301}.", [2, 2], "cafe\u{301}");
}

/// Two questions of one and two windows, and one without any.
fn three() -> (Questions, Parts) {
    let answer = |text: &str, start| vec![Answer { text: text.into(), start }];
    let contexts = [("the game", answer("game", 4)), ("the broncos won the game", answer("won", 12)), ("", vec![])];
    let one =
        |(i, (context, answers)): (usize, (&str, Vec<Answer>))| (context.into(), i.to_string(), "who".into(), answers);
    let questions = questions(contexts.into_iter().enumerate().map(one).collect());
    let settings = WindowSettings { max_length: 8, doc_stride: 2, max_query_length: 4 };
    let windows = build(&tokenizer(&golden()), &questions, settings);
    assert_eq!(windows.source_index, [0, 1, 1]);
    (questions, windows)
}

#[test]
fn logits_that_are_no_numbers_win_nothing_and_break_nothing() {
    let (mut questions, windows) = three();
    let options = SpanOptions { doc_stride: 2, ..SpanOptions::default() };
    for nothing in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        questions.unanswerable = true;
        let decoded = decode(&questions, &outputs(&windows, &vec![nothing; 2 * windows.ids.len()]), &options);
        for one in decoded {
            assert_eq!((&*one.text, one.null_odds), ("", Some(1_000_000.0)));
            assert!(one.n_best.iter().all(|candidate| (candidate.probability - 0.5).abs() < 1e-15));
        }
        let mut logits = vec![0.5; 2 * windows.ids.len()];
        // [CLS], the start of "the" and the end of "game" of the first question.
        (logits[0], logits[2 * 3], logits[2 * 4 + 1]) = (nothing, nothing, nothing);
        questions.unanswerable = false;
        let decoded = decode(&questions, &outputs(&windows, &logits), &options);
        // "game" has no end, and "the" no start.
        assert_eq!([&*decoded[0].text, &decoded[1].text, &decoded[2].text], ["empty", "the", "empty"]);
    }
}

#[test]
fn predictions_are_scored_against_every_answer() {
    let (mut questions, windows) = three();
    questions.unanswerable = true;
    let mut logits = vec![0.0; 2 * windows.ids.len()];
    // "game" of the first question; "broncos won" of the second, in its first window.
    for at in [2 * 4, 2 * 4 + 1, 2 * 10, 2 * 11 + 1] {
        logits[at] = 5.0;
    }
    let options = SpanOptions { doc_stride: 2, ..SpanOptions::default() };
    let decoded = decode(&questions, &outputs(&windows, &logits), &options);
    let judged = judged(&questions, &decoded);
    assert_eq!(judged[0], Judged { prediction: Some("game"), references: vec!["game"] });
    // As the official scripts print them (with tests/golden/squad.py's functions).
    assert_eq!(scores_v1_json(&score_v1(&judged[..2])), "{\"exact_match\": 50.0, \"f1\": 83.33333333333333}\n");
    let odds: Vec<f64> = decoded.iter().filter_map(|one| one.null_odds).collect();
    assert_eq!(odds, [-10.0, -10.0, 1_000_000.0]);
    let tallies = score_v2(&judged, Some(NullOdds { odds: &odds, threshold: 1.0 }));
    assert_eq!(
        scores_v2_json(&tallies),
        "{\n  \"exact\": 66.66666666666667,\n  \"f1\": 88.88888888888887,\n  \"total\": 3,\n  \"HasAns_exact\": 50.0,\n  \
         \"HasAns_f1\": 83.33333333333333,\n  \"HasAns_total\": 2,\n  \"NoAns_exact\": 100.0,\n  \
         \"NoAns_f1\": 100.0,\n  \"NoAns_total\": 1,\n  \"best_exact\": 66.66666666666667,\n  \
         \"best_exact_thresh\": -10.0,\n  \"best_f1\": 88.88888888888887,\n  \"best_f1_thresh\": -10.0\n}\n"
    );
}

proptest! {
    #[test]
    fn any_logits_give_the_same_answer_on_any_number_of_threads(
        logits in prop::collection::vec(prop_oneof![-4.0_f32..4.0, Just(f32::NAN), Just(1.0)], 2 * 21), n_best_size in 0_u32..5
    ) {
        let (mut questions, windows) = three();
        questions.unanswerable = true;
        prop_assert_eq!(windows.ids.len(), 21);
        let options = SpanOptions { n_best_size, max_answer_length: 3, doc_stride: 2, ..SpanOptions::default() };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| decode(&questions, &outputs(&windows, &logits), &options))
        };
        let one = on(1);
        for decoded in &one {
            let sum: f64 = decoded.n_best.iter().map(|candidate| candidate.probability).sum();
            prop_assert!((sum - 1.0).abs() < 1e-12 && decoded.null_odds.is_some_and(f64::is_finite));
        }
        prop_assert_eq!(one, on(2));
    }
}
