use std::path::Path;

use super::read::{LAYOUT, SKIPPING};
use super::*;
use crate::data::BadRows;
use crate::text::SpanAnswer::{At, Nowhere, Unknown};

fn read(content: impl AsRef<[u8]>, bad_rows: BadRows) -> Result<Questions, String> {
    let version = SquadVersion { unanswerable: true, labelled: None };
    questions_of(content.as_ref(), Path::new("/dev.json"), version, bad_rows).map_err(|found| found.to_string())
}

/// A file with one paragraph and these questions.
fn file(questions: &str) -> String {
    format!(r#"{{"data": [{{"paragraphs": [{{"context": "é b", "qas": [{questions}]}}]}}]}}"#)
}

const GOOD: &str = r#"{"id": "a", "question": "?", "answers": [{"text": "b", "answer_start": 2}]}"#;

#[test]
fn both_versions_are_read_and_unknown_keys_passed_over() {
    let text = "\u{feff}{\"version\": \"v2.0\", \"extra\": [null], \"data\": [
        {\"title\": 7, \"paragraphs\": [{\"qas\": [], \"context\": \"\"}, {\"context\": \"é b\", \"qas\": [
            {\"id\": \"a\", \"question\": \"?\", \"answers\": [{\"text\": \"b\", \"answer_start\": 2},
                {\"text\": \"\\u00e9\", \"answer_start\": 0, \"more\": {}}]},
            {\"id\": \"b\", \"question\": \"\", \"answers\": [], \"is_impossible\": true,
                \"plausible_answers\": [{\"text\": 5}]},
            {\"id\": \"c\", \"question\": \"!\"}]}]}]}\r\n";
    let read = read(text, BadRows::Refuse).unwrap();
    let question = |id: &str, text: &str, answers: &[(&str, u32)], impossible| Question {
        id: id.into(),
        text: text.into(),
        paragraph: 1,
        answers: answers.iter().map(|(text, start)| Answer { text: (*text).into(), start: *start }).collect(),
        impossible,
    };
    let expected = Questions {
        paragraphs: vec![String::new(), "é b".into()],
        questions: vec![
            question("a", "?", &[("b", 2), ("é", 0)], false),
            question("b", "", &[], true),
            question("c", "!", &[], false),
        ],
        unanswerable: true,
        skipped: 0,
    };
    assert_eq!(read, expected);
    let answers: Vec<_> = expected.asked().iter().map(|asked| asked.answer).collect();
    assert_eq!(answers, [At { text: "b", start: 2 }, Nowhere, Unknown]);
    assert_eq!(expected.context(0), "é b");
}

#[test]
fn malformed_json_is_refused_at_its_line_and_column() {
    let deep = format!("{{\"data\": {}", "[".repeat(100_000));
    let long = format!("{{\"é\": \"{}\", oops", "é".repeat(100_000));
    let cases = [
        (&b""[..], "/dev.json:1:1: malformed JSON: EOF while parsing a value"),
        (b"\xef\xbb\xbf", "/dev.json:1:1: malformed JSON: EOF while parsing a value"),
        (b"{\"data\":\n  [\0]}", "/dev.json:2:4: malformed JSON: expected value"),
        ("{\"é\": 1,\n \"éé\" 5}".as_bytes(), "/dev.json:2:7: malformed JSON: expected `:`"),
        (b"{\"a\": \"\xff\"}", "/dev.json:1:8: malformed JSON: invalid unicode code point"),
        (b"{\"a\": \"\\ud800\"}", "/dev.json:1:14: malformed JSON: unexpected end of hex escape"),
        (b"{} {}", "/dev.json:1:4: malformed JSON: trailing characters"),
        (deep.as_bytes(), "/dev.json:1:136: malformed JSON: recursion limit exceeded"),
        (long.as_bytes(), "/dev.json:1:100011: malformed JSON: key must be a string"),
        (b"\xff\xfe{\0}\0", "/dev.json: the file is UTF-16 (save it as UTF-8)"),
    ];
    let found = cases.map(|(content, _)| read(content, BadRows::Skip).unwrap_err());
    assert_eq!(found, cases.map(|(_, expected)| expected));
}

#[test]
fn another_layout_is_refused_whatever_is_skipped() {
    for (content, expected) in [
        ("[]", "the file is a list, not an object"),
        ("{\"version\": \"1.1\"}", "the file has no `data`"),
        ("{\"data\": {}}", "the file: `data` is an object, not a list"),
        ("{\"data\": [5]}", "`data[0]` is a number, not an object"),
        ("{\"data\": [{\"title\": \"\"}]}", "`data[0]` has no `paragraphs`"),
        ("{\"data\": [{\"paragraphs\": [null]}]}", "`data[0].paragraphs[0]` is null, not an object"),
        ("{\"data\": [{\"paragraphs\": [{\"qas\": []}]}]}", "`data[0].paragraphs[0]` has no `context`"),
        ("{\"data\": [{\"paragraphs\": [{\"context\": \"\"}]}]}", "`data[0].paragraphs[0]` has no `qas`"),
        ("{\"data\": []}", "the file has no questions"),
        ("{\"data\": [{\"paragraphs\": []}]}", "the file has no questions"),
    ] {
        for bad_rows in [BadRows::Refuse, BadRows::Skip] {
            assert_eq!(read(content, bad_rows).unwrap_err(), format!("/dev.json: {expected} ({LAYOUT})"));
        }
    }
}

#[test]
fn a_malformed_question_is_named_or_left_out_and_counted() {
    let answer = |answer: &str| format!(r#"{{"id": "q", "question": "?", "answers": {answer}}}"#);
    for (bad, expected) in [
        ("5".to_owned(), "`data[0].paragraphs[0].qas[1]` is a number, not an object"),
        (r#"{"question": "?"}"#.to_owned(), "`data[0].paragraphs[0].qas[1]` has no `id`"),
        (r#"{"id": 7}"#.to_owned(), "`data[0].paragraphs[0].qas[1]`: `id` is a number, not a string"),
        (r#"{"id": "q"}"#.to_owned(), "question `q` has no `question`"),
        (GOOD.to_owned(), "question `a`: another has the same id"),
        (
            r#"{"id": "q", "question": "", "is_impossible": "no"}"#.to_owned(),
            "question `q`: `is_impossible` is a string, not true or false",
        ),
        (answer("null"), "question `q`: `answers` is null, not a list"),
        (answer("[[]]"), "question `q`: answer 1 is a list, not an object"),
        (answer(r#"[{"answer_start": 1}]"#), "question `q`: answer 1 has no `text`"),
        (answer(r#"[{"text": "b"}]"#), "question `q`: answer 1 has no `answer_start`"),
        (
            answer(r#"[{"text": "b", "answer_start": -5}]"#),
            "question `q`: answer 1: an `answer_start` of -5 is not a position in the text",
        ),
        (
            answer(r#"[{"text": "b", "answer_start": 1}, {"text": "b", "answer_start": 4294967296}]"#),
            "question `q`: answer 2: an `answer_start` of 4294967296 is not a position in the text",
        ),
        (
            answer(r#"[{"text": "b", "answer_start": 1.0}]"#),
            "question `q`: answer 1: an `answer_start` of 1.0 is not a position in the text",
        ),
        (
            answer(r#"[{"text": "b", "answer_start": "1"}]"#),
            "question `q`: answer 1: `answer_start` is a string, not a number",
        ),
    ] {
        let content = file(&format!("{GOOD}, {bad}"));
        let refused = read(&content, BadRows::Refuse).unwrap_err();
        assert_eq!(refused, format!("/dev.json: {expected} ({SKIPPING})"));
        let read = read(&content, BadRows::Skip).unwrap();
        assert_eq!((read.questions.len(), read.skipped), (1, 1), "{bad}");
    }
    assert_eq!(
        read(file("5, 6"), BadRows::Skip).unwrap_err(),
        "/dev.json: none of the file's 2 questions can be read \
         (without `--skip-bad-rows` the first one is explained)"
    );
}
