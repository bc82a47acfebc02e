//! The rows of one file of a submission against what they must be.

use super::findings::{Finding, Gathered, Severity};
use super::{Answers, HEADER, SubmissionFile};
use crate::data::rows::{BYTE_ORDER_MARK, UTF_16};
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
        let hint = "a reader that does not pass over it finds no column `index`";
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
    file: &'a SubmissionFile,
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
        Self { file, found: Gathered::of(file.name), count: 0, seen, largest: None, constant: None }
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
                let columns = if count == 1 { "1 column".to_owned() } else { format!("{count} columns") };
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
                (format!("the index {} is no whole number", excerpt(text)), None)
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
            self.found.on_line(Rejected, "twice", number, || (format!("the index {index} is there twice"), None));
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
        match self.file.answers {
            Answers::Words(words) if words.iter().any(|word| word.as_bytes() == text) => {}
            Answers::Words(words) => self.found.on_line(Rejected, "label", number, || {
                (format!("unknown label {}", excerpt(text)), Some(known(&String::from_utf8_lossy(text), words)))
            }),
            Answers::Score { lowest, highest } => {
                let score = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
                match score.filter(|score| score.is_finite()) {
                    None => self.found.on_line(Rejected, "number", number, || {
                        (format!("the score {} is not a number", excerpt(text)), None)
                    }),
                    Some(score) if !(lowest..=highest).contains(&score) => {
                        self.found.on_line(Rejected, "scale", number, || {
                            let message = format!("the score {} is not between {lowest} and {highest}", excerpt(text));
                            (message, Some(format!("below the scale write {lowest}, above it {highest}")))
                        });
                    }
                    Some(_) => {}
                }
            }
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
mod tests {
    use super::*;
    use crate::data::submission::FILES;

    fn file(name: &str) -> &'static SubmissionFile {
        FILES.iter().find(|file| file.name == name).unwrap()
    }

    /// WNLI's 146 rows, every third a 1.
    fn wnli() -> Vec<String> {
        let rows = (0..146).map(|index| format!("{index}\t{}", u8::from(index % 3 == 0)));
        std::iter::once("index\tprediction".to_owned()).chain(rows).collect()
    }

    /// What is said of WNLI's file after a change of its lines.
    fn said(change: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
        let mut lines = wnli();
        change(&mut lines);
        said_of("WNLI.tsv", (lines.join("\n") + "\n").as_bytes())
    }

    fn said_of(name: &str, bytes: &[u8]) -> Vec<String> {
        let findings = check_rows(file(name), bytes);
        findings.iter().map(|finding| format!("{}: {finding}", finding.severity.name())).collect()
    }

    #[test]
    fn a_right_file_is_right_with_and_without_the_last_line_break() {
        assert_eq!(said(|_| {}), [""; 0]);
        assert_eq!(said_of("WNLI.tsv", wnli().join("\n").as_bytes()), [""; 0]);
    }

    #[test]
    fn a_wrong_header_is_shown() {
        let asked = "(the first line is `index`, a tab, `prediction`)";
        assert_eq!(said(|lines| drop(lines.remove(0))), [format!("rejected: WNLI.tsv:1: no header {asked}")]);
        for wrong in
            ["id\tlabel", "prediction\tindex", "index,prediction", "index\tprediction\tlabel", "Index\tprediction"]
        {
            let found = said(|lines| lines[0] = wrong.to_owned());
            assert_eq!(found, [format!("rejected: WNLI.tsv:1: the header is `{wrong}` {asked}")]);
        }
    }

    #[test]
    fn wrong_indices_are_told_apart() {
        let shifted = said(|lines| {
            for (index, line) in lines.iter_mut().skip(1).enumerate() {
                *line = format!("{}\t{}", index + 1, index % 2);
            }
        });
        assert_eq!(
            shifted,
            [
                "rejected: WNLI.tsv:147: no example has the index `146` (it counts from 0 to 145)",
                "rejected: WNLI.tsv: the example with the index 0 has no prediction",
            ]
        );
        assert_eq!(
            said(|lines| lines[7] = "3\t0".into()),
            [
                "rejected: WNLI.tsv:8: the index 3 is there twice",
                "rejected: WNLI.tsv: the example with the index 6 has no prediction",
            ]
        );
        assert_eq!(
            said(|lines| lines.swap(4, 5)),
            ["rejected: WNLI.tsv:6: the index 3 comes after larger ones (the rows are in the order of the test file)"]
        );
        for wrong in ["", " 4", "4.0", "-4", "+4", "four", "\u{664}"] {
            let found = said(|lines| lines[5] = format!("{wrong}\t0"));
            assert_eq!(found[0], format!("rejected: WNLI.tsv:6: the index `{wrong}` is no whole number"));
        }
        let found = said(|lines| lines[5] = "99999999999999999999999\t0".into());
        assert!(found[0].starts_with("rejected: WNLI.tsv:6: no example has the index `99999"), "{found:?}");
    }

    #[test]
    fn missing_and_superfluous_rows_are_counted() {
        assert_eq!(
            said(|lines| lines.truncate(100)),
            [
                "rejected: WNLI.tsv: 99 rows where the test set has 146",
                "rejected: WNLI.tsv: the example with the index 99 has no prediction, nor have 46 others",
            ]
        );
        let found = said(|lines| lines.push("146\t1".into()));
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[1], "rejected: WNLI.tsv: 147 rows where the test set has 146");
        assert_eq!(said_of("AX.tsv", b"index\tprediction\n"), ["rejected: AX.tsv: 0 rows where the test set has 1104"]);
        let found = said_of("AX.tsv", b"");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("rejected: AX.tsv:1: the header is `` ("), "{found:?}");
    }

    #[test]
    fn labels_of_another_kind_are_named_once_with_their_number() {
        let found = said(|lines| {
            for line in &mut lines[3..] {
                line.push_str(".0");
            }
        });
        assert_eq!(
            found,
            ["rejected: WNLI.tsv:4: unknown label `0.0`, and 143 more such lines (known: 0, 1)"],
            "counted from line 4"
        );
        let rows: String =
            (0..3000).map(|index| format!("{index}\t{}\n", ["entailment", "Not_Entailment"][index % 2])).collect();
        assert_eq!(
            said_of("RTE.tsv", format!("index\tprediction\n{rows}").as_bytes()),
            [
                "rejected: RTE.tsv:3: unknown label `Not_Entailment`, and 1499 more such lines (did you mean `not_entailment`?)"
            ]
        );
        let found = said_of("RTE.tsv", b"index\tprediction\n0\t0\n1\t\xff\n");
        assert!(
            found[0].ends_with(":2: unknown label `0`, and one more such line (known: entailment, not_entailment)")
        );
    }

    #[test]
    fn scores_are_numbers_on_the_scale() {
        let check = |scores: [&str; 3]| {
            let rows = (0..1379).map(|index| format!("{index}\t{}\n", scores[index % 3])).collect::<String>();
            said_of("STS-B.tsv", format!("index\tprediction\n{rows}").as_bytes())
        };
        assert_eq!(check(["0.0", "5", "3.25e0"]), [""; 0]);
        let found = check(["5.01", "-0.5", "1"]);
        assert_eq!(
            found,
            [
                "rejected: STS-B.tsv:2: the score `5.01` is not between 0 and 5, and 919 more such lines (below the scale write 0, above it 5)"
            ]
        );
        for wrong in ["nan", "inf", "", "1,5", "entailment", " 1"] {
            let found = check([wrong, "1", "2"]);
            assert_eq!(
                found,
                [format!("rejected: STS-B.tsv:2: the score `{wrong}` is not a number, and 459 more such lines")]
            );
        }
    }

    #[test]
    fn what_only_some_readers_take_is_suspicious() {
        let crlf = wnli().join("\r\n") + "\r\n";
        let found = said_of("WNLI.tsv", crlf.as_bytes());
        assert!(
            found.len() == 1 && found[0].starts_with("suspicious: WNLI.tsv:1: the line ends with CR LF, and 146 more"),
            "{found:?}"
        );
        let marked = format!("\u{feff}{}", wnli().join("\n"));
        let found = said_of("WNLI.tsv", marked.as_bytes());
        assert!(found.len() == 1 && found[0].starts_with("suspicious: WNLI.tsv: the file begins with a byte order"));
        assert_eq!(said(|lines| lines.insert(9, String::new())), ["suspicious: WNLI.tsv:10: a blank line"]);
        let constant: Vec<String> = (0..146).map(|index| format!("{index}\t0")).collect();
        let found = said_of("WNLI.tsv", format!("index\tprediction\n{}", constant.join("\n")).as_bytes());
        assert_eq!(found, ["suspicious: WNLI.tsv: every prediction is `0` (fine for a task that was not trained)"]);
        let found = said_of("WNLI.tsv", b"\xff\xfei\0n\0");
        assert_eq!(found, ["rejected: WNLI.tsv: the file is UTF-16 (save it as UTF-8)"]);
        let found = said(|lines| lines[2].push_str("\tmore"));
        assert!(found[0].starts_with("rejected: WNLI.tsv:3: 3 columns where 2 were expected"), "{found:?}");
    }
}
