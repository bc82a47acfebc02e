//! The files that `run_squad.py` and the official scripts write, byte for byte as Python's `json` does: indented by
//! four (the scores: by nothing or two), other characters than ASCII as `\u` and their UTF-16.

use std::fmt::Write;

use super::Decoded;
use crate::data::{Question, Questions};
use crate::metric::squad::{Tallies, Tally};

/// `predictions.json`: the answer to each question by its id, in the order of the file. The official scripts read it.
///
/// # Panics
/// When there is not one answer per question.
#[must_use]
pub fn predictions_json(questions: &Questions, decoded: &[Decoded]) -> String {
    by_id(questions, decoded, |json, one| quote(json, &one.text))
}

/// `null_odds.json` of SQuAD 2.0: by how much no answer scores better than the best one; `evaluate-v2.0.py` takes it
/// for its `na_prob.json`.
///
/// # Panics
/// As [`predictions_json`].
#[must_use]
pub fn null_odds_json(questions: &Questions, decoded: &[Decoded]) -> String {
    by_id(questions, decoded, |json, one| number(json, one.null_odds.unwrap_or(f64::NAN)))
}

/// `nbest_predictions.json`: the candidates of each question, best first.
///
/// # Panics
/// As [`predictions_json`].
#[must_use]
pub fn n_best_json(questions: &Questions, decoded: &[Decoded]) -> String {
    by_id(questions, decoded, |json, one| {
        for (i, candidate) in one.n_best.iter().enumerate() {
            json.push_str(if i == 0 {
                "[\n        {\n            \"text\": "
            } else {
                ",\n        {\n            \"text\": "
            });
            quote(json, &candidate.text);
            for (key, value) in [
                ("probability", candidate.probability),
                ("start_logit", candidate.start_logit),
                ("end_logit", candidate.end_logit),
            ] {
                // Writing to a String cannot fail, here and below.
                let _ = write!(json, ",\n            \"{key}\": ");
                number(json, value);
            }
            json.push_str("\n        }");
        }
        json.push_str(if one.n_best.is_empty() { "[]" } else { "\n    ]" });
    })
}

/// What `evaluate-v1.1.py` prints.
#[must_use]
pub fn scores_v1_json(tally: &Tally) -> String {
    let mut json = String::from("{\"exact_match\": ");
    number(&mut json, tally.exact_percent());
    json.push_str(", \"f1\": ");
    number(&mut json, tally.f1_percent());
    json.push_str("}\n");
    json
}

/// What `evaluate-v2.0.py` prints.
#[must_use]
pub fn scores_v2_json(tallies: &Tallies) -> String {
    let mut json = String::from("{");
    let mut line = |key: &str, value: f64, whole: bool| {
        let _ = write!(json, "{}\n  \"{key}\": ", if json.len() > 1 { "," } else { "" });
        if whole {
            let _ = write!(json, "{value}");
        } else {
            number(&mut json, value);
        }
    };
    let parts = [("", Some(tallies.all)), ("HasAns_", tallies.has_answer), ("NoAns_", tallies.no_answer)];
    for (prefix, tally) in parts.into_iter().filter_map(|(prefix, tally)| Some((prefix, tally?))) {
        line(&format!("{prefix}exact"), tally.exact_percent(), false);
        line(&format!("{prefix}f1"), tally.f1_percent(), false);
        line(&format!("{prefix}total"), tally.total as f64, true);
    }
    if let Some(best) = tallies.best {
        line("best_exact", best.exact_percent(), false);
        line("best_exact_thresh", best.exact_threshold, false);
        line("best_f1", best.f1_percent(), false);
        line("best_f1_thresh", best.f1_threshold, false);
    }
    json.push_str("\n}\n");
    json
}

/// An object with an entry per question.
fn by_id(questions: &Questions, decoded: &[Decoded], value: impl Fn(&mut String, &Decoded)) -> String {
    assert_eq!(questions.questions.len(), decoded.len(), "one answer per question");
    let mut json = String::from("{");
    for (Question { id, .. }, one) in questions.questions.iter().zip(decoded) {
        json.push_str(if json.len() > 1 { ",\n    " } else { "\n    " });
        quote(&mut json, id);
        json.push_str(": ");
        value(&mut json, one);
    }
    json.push_str(if json.len() > 1 { "\n}\n" } else { "}\n" });
    json
}

/// A string as Python's `json.dumps` writes it.
fn quote(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            ' '..='~' => json.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(json, "\\u{unit:04x}");
                }
            }
        }
    }
    json.push('"');
}

/// A number as Python's `repr` writes a float: the fewest digits that read back as it, with an exponent below 1e-4 and
/// from 1e16 on. (`json` writes NaN and infinities too, though they are no JSON.)
fn number(json: &mut String, value: f64) {
    if !value.is_finite() {
        json.push_str(match value {
            _ if value.is_nan() => "NaN",
            _ if value > 0.0 => "Infinity",
            _ => "-Infinity",
        });
        return;
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let _ = if (-4..16).contains(&exponent) {
        write!(json, "{value:?}")
    } else {
        write!(json, "{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python 3.11: `json.dumps([…])`.
    #[test]
    fn numbers_and_strings_are_written_as_python_writes_them() {
        let numbers = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-4, "0.0001"),
            (1.234e-5, "1.234e-05"),
            (1e-5, "1e-05"),
            (-5e-324, "-5e-324"),
            (1e15, "1000000000000000.0"),
            (123_456_789_012_345_678.0, "1.2345678901234568e+17"),
            (1e16, "1e+16"),
            (1e300, "1e+300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in numbers {
            let mut json = String::new();
            number(&mut json, value);
            assert_eq!(json, expected);
        }
        let mut json = String::new();
        quote(&mut json, "a\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}é\u{ffff}🙂");
        assert_eq!(json, r#""a\"\\/\n\r\t\b\f\u0001\u007f\u00e9\uffff\ud83d\ude42""#);
    }
}
