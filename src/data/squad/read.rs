//! From the file to [`Questions`], and what makes a question malformed.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::{Answer, Question, Questions, SquadVersion};
use crate::data::BadRows;
use crate::data::text_file::{none_readable, without_mark};
use crate::diagnostic::Diagnostic;

pub(super) const SKIPPING: &str = "`--skip-bad-rows` skips and counts such questions";
pub(super) const LAYOUT: &str = "SQuAD's layout is data[].paragraphs[].{context, qas[]}";

/// Reads a file whose bytes are at hand, train, dev or test, of version 1.1 or 2.0; `path` is its name. Keys that it does not need, such as
/// `title` and `plausible_answers`, may be anything.
///
/// # Errors
/// Malformed JSON, with line and column; a layout other than SQuAD's above the
/// questions; no question at all; with [`BadRows::Refuse`], the first malformed question, by its id.
pub fn questions_of(
    bytes: &[u8],
    path: &Path,
    version: SquadVersion,
    bad_rows: BadRows,
) -> Result<Questions, Diagnostic> {
    let text = without_mark(bytes, path)?;
    let root = serde_json::from_slice(text).map_err(|error| malformed(&error, text, path))?;
    let mut reading = Reading {
        bad_rows,
        version,
        seen: HashSet::new(),
        says_impossible: false,
        read: Questions { unanswerable: version.unanswerable, ..Questions::default() },
    };
    reading.root(root).map_err(|found| found.in_file(path))?;
    let answered = |question: &Question| !question.answers.is_empty();
    if version.labelled.is_none() && !reading.says_impossible && !reading.read.questions.iter().any(answered) {
        // A file to be predicted, with empty lists in the places of answers.
        reading.read.questions.iter_mut().for_each(|question| question.impossible = false);
    }
    let Questions { questions, skipped, .. } = &reading.read;
    match (questions.is_empty(), skipped) {
        (false, _) => Ok(reading.read),
        (true, 0) => Err(Diagnostic::new("the file has no questions").hint(LAYOUT).in_file(path)),
        (true, skipped) => Err(none_readable(*skipped, "questions", path)),
    }
}

fn malformed(error: &serde_json::Error, text: &[u8], path: &Path) -> Diagnostic {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let mut found = Diagnostic::new(format!("malformed JSON: {message}")).at_line(path, error.line());
    // serde_json counts bytes; the bytes that go on with a character are no column of their own.
    let line = text.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before = &line[..error.column().min(line.len())];
    let characters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    if let Some(place) = &mut found.place {
        place.column = Some(characters.max(1));
    }
    found
}

/// A file while it is read.
struct Reading {
    bad_rows: BadRows,
    version: SquadVersion,
    seen: HashSet<String>,
    /// Whether `is_impossible` is true of some question.
    says_impossible: bool,
    read: Questions,
}

impl Reading {
    fn root(&mut self, root: Value) -> Result<(), Diagnostic> {
        let laid_out = |message: String| Diagnostic::new(message).hint(LAYOUT);
        let mut root = object(root, "the file").map_err(laid_out)?;
        for (a, article) in list(&mut root, "data", "the file").map_err(laid_out)?.into_iter().enumerate() {
            let place = format!("`data[{a}]`");
            let mut article = object(article, &place).map_err(laid_out)?;
            for (p, paragraph) in list(&mut article, "paragraphs", &place).map_err(laid_out)?.into_iter().enumerate() {
                let place = format!("data[{a}].paragraphs[{p}]");
                let mut paragraph = object(paragraph, &format!("`{place}`")).map_err(laid_out)?;
                let context = string(&mut paragraph, "context", &format!("`{place}`")).map_err(laid_out)?;
                let questions = list(&mut paragraph, "qas", &format!("`{place}`")).map_err(laid_out)?;
                self.read.paragraphs.push(context);
                for (q, question) in questions.into_iter().enumerate() {
                    self.question(question, &format!("{place}.qas[{q}]"))?;
                }
            }
        }
        Ok(())
    }

    /// Takes a question of the newest paragraph in, counts it, or refuses it.
    fn question(&mut self, question: Value, place: &str) -> Result<(), Diagnostic> {
        let paragraph = self.read.paragraphs.len().saturating_sub(1) as u32;
        let says_impossible = question.get("is_impossible") == Some(&Value::Bool(true));
        let read = read_question(question, place, paragraph, self.version).and_then(|question| {
            // An id that stands twice would make one prediction answer two questions.
            let new = self.seen.insert(question.id.clone());
            if new { Ok(question) } else { Err(format!("question `{}`: another has the same id", question.id)) }
        });
        match (read, self.bad_rows) {
            (Ok(question), _) => {
                self.says_impossible |= says_impossible;
                self.read.questions.push(question);
            }
            (Err(_), BadRows::Skip) => self.read.skipped += 1,
            (Err(message), BadRows::Refuse) => return Err(Diagnostic::new(message).hint(SKIPPING)),
        }
        Ok(())
    }
}

fn read_question(question: Value, place: &str, paragraph: u32, version: SquadVersion) -> Result<Question, String> {
    let mut question = object(question, &format!("`{place}`"))?;
    let id = string(&mut question, "id", &format!("`{place}`"))?;
    let named = format!("question `{id}`");
    let text = string(&mut question, "question", &named)?;
    let impossible = match question.remove("is_impossible") {
        None => false,
        Some(Value::Bool(impossible)) => impossible,
        Some(other) => return Err(format!("{named}: `is_impossible` is {}, not true or false", kind(&other))),
    };
    // Test files have no answers.
    let given = question.contains_key("answers");
    let answers = if given { list(&mut question, "answers", &named)? } else { Vec::new() };
    let answers = answers
        .into_iter()
        .enumerate()
        .map(|(i, answer)| read_answer(answer, &format!("{named}: answer {}", i + 1)))
        .collect::<Result<Vec<_>, String>>()?;
    let impossible = impossible || (given && answers.is_empty());
    if !version.unanswerable && version.labelled == Some(true) && (impossible || !given) {
        return Err(format!("{named} has no answer, which version 1.1 does not have: it is one for the task `squad2`"));
    }
    let impossible = impossible && version.unanswerable;
    Ok(Question { id, text, paragraph, answers, impossible })
}

fn read_answer(answer: Value, place: &str) -> Result<Answer, String> {
    let mut answer = object(answer, place)?;
    let text = string(&mut answer, "text", place)?;
    let start = match answer.remove("answer_start") {
        None => return Err(format!("{place} has no `answer_start`")),
        Some(Value::Number(number)) => number
            .as_u64()
            .and_then(|start| u32::try_from(start).ok())
            .ok_or_else(|| format!("{place}: an `answer_start` of {number} is not a position in the text"))?,
        Some(other) => return Err(format!("{place}: `answer_start` is {}, not a number", kind(&other))),
    };
    Ok(Answer { text, start })
}

fn object(value: Value, place: &str) -> Result<Map<String, Value>, String> {
    let kind = kind(&value);
    if let Value::Object(map) = value { Ok(map) } else { Err(format!("{place} is {kind}, not an object")) }
}

fn list(owner: &mut Map<String, Value>, key: &str, place: &str) -> Result<Vec<Value>, String> {
    match owner.remove(key) {
        Some(Value::Array(list)) => Ok(list),
        Some(other) => Err(format!("{place}: `{key}` is {}, not a list", kind(&other))),
        None => Err(format!("{place} has no `{key}`")),
    }
}

fn string(owner: &mut Map<String, Value>, key: &str, place: &str) -> Result<String, String> {
    match owner.remove(key) {
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("{place}: `{key}` is {}, not a string", kind(&other))),
        None => Err(format!("{place} has no `{key}`")),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
