//! The rows of one file of a submission against what they must be.

use super::findings::{Finding, Gathered, Severity};
use super::{HEADER, SubmissionFile};
use crate::data::Labels;
use crate::data::text_file::{self, BYTE_ORDER_MARK, UTF_16};
use crate::diagnostic::suggest;

use Severity::{Rejected, Suspicious};

/// How much of a wrong field is shown.
const EXCERPT: usize = 40;

/// All that is wrong with the content of `file`.
pub(super) fn check_rows(file: &SubmissionFile, bytes: &[u8]) -> Vec<Finding> {
    let mut rows = Rows::of(file);
    if UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        rows.found.on_file(Rejected, "the file is UTF-16", Some("save it as UTF-8".into()));
        return rows.found.into_findings().collect();
    }
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if text.len() < bytes.len() {
        let hint = "a reader that does not skip it finds no column `index`";
        rows.found.on_file(Suspicious, "the file begins with a byte order mark", Some(hint.into()));
    }
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').zip(1..).peekable();
    if let Some((first, _)) = lines.peek()
        && !rows.header(first)
    {
        lines.next();
    }
    for (line, number) in lines {
        rows.line(line, number);
    }
    rows.finish()
}

/// What is known of a file while its lines come in.
struct Rows<'a> {
    labels: Labels,
    found: Gathered<'a>,
    /// Rows so far.
    count: u64,
    /// For each index that is asked for, whether a row has it.
    seen: Vec<bool>,
    largest: Option<usize>,
    /// The prediction of the first row, while all rows have it.
    constant: Option<Vec<u8>>,
}

impl<'a> Rows<'a> {
    fn of(file: &'a SubmissionFile) -> Self {
        let seen = vec![false; file.examples() as usize];
        Self { labels: file.labels(), found: Gathered::of(file.name), count: 0, seen, largest: None, constant: None }
    }

    /// Judges the first line. True when it is a row already.
    fn header(&mut self, line: &[u8]) -> bool {
        let fields: Vec<&[u8]> = without_return(line).split(|byte| *byte == b'\t').collect();
        if fields == HEADER.map(str::as_bytes) {
            self.carriage_return(line, 1);
            return false;
        }
        let is_row = fields.first().is_some_and(|index| index_of(index).is_some());
        let asked = format!("the first line is `{}`, a tab, `{}`", HEADER[0], HEADER[1]);
        self.found.on_line(Rejected, "header", 1, || {
            let message = if is_row { "no header".to_owned() } else { format!("the header is {}", excerpt(line)) };
            (message, Some(asked))
        });
        is_row
    }

    fn line(&mut self, whole: &[u8], number: u64) {
        self.carriage_return(whole, number);
        let line = without_return(whole);
        if line.is_empty() {
            self.found.on_line(Suspicious, "blank", number, || ("a blank line".into(), None));
            return;
        }
        self.count += 1;
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
        let [index, prediction] = fields[..] else {
            let count = fields.len();
            self.found.on_line(Rejected, "columns", number, || {
                let columns = text_file::columns(count);
                (format!("{columns} where 2 were expected"), Some("index and prediction, a tab between them".into()))
            });
            return;
        };
        self.index(index, number);
        self.prediction(prediction, number);
    }

    fn carriage_return(&mut self, line: &[u8], number: u64) {
        if without_return(line).len() < line.len() {
            let hint = "a reader that ends lines at LF alone takes the CR for a part of the prediction";
            self.found.on_line(Suspicious, "crlf", number, || ("the line ends with CR LF".into(), Some(hint.into())));
        }
    }

    fn index(&mut self, text: &[u8], number: u64) {
        let examples = self.seen.len();
        let Some(index) = index_of(text) else {
            self.found.on_line(Rejected, "index", number, || {
                (format!("the index {} is not a whole number", excerpt(text)), None)
            });
            return;
        };
        let Some(seen) = self.seen.get_mut(index) else {
            self.found.on_line(Rejected, "range", number, || {
                let hint = format!("it counts from 0 to {}", examples.saturating_sub(1));
                (format!("no example has the index {}", excerpt(text)), Some(hint))
            });
            return;
        };
        if std::mem::replace(seen, true) {
            self.found.on_line(Rejected, "twice", number, || (format!("the index {index} appears twice"), None));
        } else if self.largest.is_some_and(|largest| index < largest) {
            self.found.on_line(Rejected, "order", number, || {
                (
                    format!("the index {index} comes after larger ones"),
                    Some("the rows are in the order of the test file".into()),
                )
            });
        }
        self.largest = self.largest.max(Some(index));
    }

    fn prediction(&mut self, text: &[u8], number: u64) {
        if self.count == 1 {
            self.constant = Some(text.to_vec());
        } else if self.constant.as_deref() != Some(text) {
            self.constant = None;
        }
        match self.labels {
            Labels::Classes(words) if words.iter().any(|word| word.as_bytes() == text) => {}
            Labels::Classes(words) => self.found.on_line(Rejected, "label", number, || {
                (format!("unknown label {}", excerpt(text)), Some(known(&String::from_utf8_lossy(text), words)))
            }),
            Labels::Score { lowest, highest } => {
                let score = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
                match score.filter(|score| score.is_finite()) {
                    None => self.found.on_line(Rejected, "number", number, || {
                        (format!("the score {} is not a number", excerpt(text)), None)
                    }),
                    Some(score) if !(lowest.into()..=highest.into()).contains(&score) => {
                        self.found.on_line(Rejected, "scale", number, || {
                            let message = format!("the score {} is not between {lowest} and {highest}", excerpt(text));
                            (message, Some(format!("below the scale write {lowest}, above it {highest}")))
                        });
                    }
                    Some(_) => {}
                }
            }
            Labels::Hidden | Labels::Structured => {}
        }
    }

    fn finish(mut self) -> Vec<Finding> {
        let (count, examples) = (self.count, self.seen.len() as u64);
        if count != examples {
            let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
            self.found.on_file(Rejected, format!("{rows} where the test set has {examples}"), None);
        }
        let missing = self.seen.iter().filter(|seen| !**seen).count();
        if let Some(first) = self.seen.iter().position(|seen| !seen)
            && count > 0
        {
            let more = if missing == 1 { String::new() } else { format!(", nor have {} others", missing - 1) };
            self.found.on_file(Rejected, format!("the example with the index {first} has no prediction{more}"), None);
        }
        if let Some(constant) = self.constant.filter(|_| count > 1) {
            let message = format!("every prediction is {}", excerpt(&constant));
            self.found.on_file(Suspicious, message, Some("fine for a task that was not trained".into()));
        }
        self.found.into_findings().collect()
    }
}

/// An index as it is written: digits alone.
fn index_of(text: &[u8]) -> Option<usize> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    // A number that is too large for the machine is too large for every test set.
    Some(text.parse().unwrap_or(usize::MAX))
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn excerpt(text: &[u8]) -> String {
    // A character has at most four bytes.
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * EXCERPT)]).into_owned();
    format!("`{}`", text.chars().take(EXCERPT).collect::<String>())
}

/// The words, or the one that was probably meant. Digits are as near to one another as to anything.
fn known(wrong: &str, words: &'static [&'static str]) -> String {
    if wrong.len() <= EXCERPT && words.iter().all(|word| word.len() > 1) {
        suggest(wrong, words.iter().copied())
    } else {
        format!("known: {}", words.join(", "))
    }
}

#[cfg(test)]
mod tests;
