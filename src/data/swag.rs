//! SWAG (Zellers et al. 2018): a sentence, the beginning of the next, four endings, one of which is right.
//!
//! The files `train.csv`, `val.csv` and `test.csv` of the authors' repository. Columns are found by name, so
//! that others may stand between them.

use std::path::Path;

use super::example::BadRows;
use super::rfc4180::{Record, Records};
use super::text_file::{none_readable, without_mark};
use crate::diagnostic::Diagnostic;

/// The endings of one example.
pub const ENDINGS: usize = 4;

const CONTEXT: &str = "sent1";
const BEGINNING: &str = "sent2";
const ENDING_COLUMNS: [&str; ENDINGS] = ["ending0", "ending1", "ending2", "ending3"];
const LABEL: &str = "label";
/// Names of the column that numbers the rows; pandas writes it without one.
const ID_COLUMNS: [&str; 2] = ["", "index"];

const SKIPPING: &str = "`--skip-bad-rows` skips and counts such rows";

/// A question with several answers, one of which is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The file's row number, or the example's number from 0 where there is none.
    pub id: String,
    /// The first text of every pair: the sentence before.
    pub context: String,
    /// The second texts, [`ENDINGS`] of them: what the next sentence begins with, a space, an ending. The
    /// space stands there only where the beginning is not empty.
    pub endings: Vec<String>,
    /// The place of the right ending in `endings`, from 0, where it is published.
    pub label: Option<u32>,
}

/// The examples of one file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// At least one.
    pub choices: Vec<Choice>,
    /// Malformed rows left out under [`BadRows::Skip`].
    pub skipped: u64,
}

/// Reads a CSV file whose bytes are at hand; `path` is its name. As `labelled` says, it must have a label for every row
/// or labels are not read; where nothing is said, they are if there is a column of them.
///
/// # Errors
/// A file that is empty, is UTF-16, lacks a column or ends within quotes; with
/// [`BadRows::Refuse`], the first row with another number of fields than the header, an empty text, bytes
/// that are not UTF-8 or an unknown label; with [`BadRows::Skip`], a file without any other row.
pub fn choices_of(bytes: &[u8], path: &Path, labelled: Option<bool>, bad_rows: BadRows) -> Result<Choices, Diagnostic> {
    let mut records = Records::of(without_mark(bytes, path)?);
    let mut next = || {
        let unclosed = |line| {
            Diagnostic::new("a quote is opened that is never closed")
                .at_line(path, line)
                .hint("a quote within a field is written twice; was the download cut short?")
        };
        records.next().transpose().map_err(|found| unclosed(found.line))
    };
    let header = next()?.ok_or_else(|| Diagnostic::new("the file is empty").in_file(path))?;
    let labelled = labelled.unwrap_or_else(|| header.fields.iter().any(|field| field == LABEL.as_bytes()));
    let columns = Columns::find(&header, labelled, path)?;
    let mut read = Choices::default();
    while let Some(record) = next()? {
        match (columns.choice(&record, read.choices.len(), path), bad_rows) {
            (Ok(choice), _) => read.choices.push(choice),
            (Err(bad), BadRows::Refuse) => return Err(bad),
            (Err(_), BadRows::Skip) => read.skipped += 1,
        }
    }
    match (read.choices.is_empty(), read.skipped) {
        (false, _) => Ok(read),
        (true, 0) => Err(Diagnostic::new("the file has no rows").in_file(path).hint("was its download cut short?")),
        (true, skipped) => Err(none_readable(skipped, "rows", path)),
    }
}

/// Places of the columns that are read, from 0.
struct Columns {
    /// How many the header names.
    count: usize,
    id: Option<usize>,
    context: usize,
    beginning: usize,
    endings: [usize; ENDINGS],
    label: Option<usize>,
}

impl Columns {
    fn find(header: &Record, labelled: bool, path: &Path) -> Result<Self, Diagnostic> {
        let wrong = |message: String| Diagnostic::new(message).at_line(path, header.line);
        let places = |name: &str| {
            let named = |(place, field): (usize, &Vec<u8>)| (field.as_slice() == name.as_bytes()).then_some(place);
            header.fields.iter().enumerate().filter_map(named).collect::<Vec<_>>()
        };
        let place = |name: &str| match places(name)[..] {
            [place] => Ok(place),
            [] => Err(wrong(format!("the header has no column `{name}`")).hint(if name == LABEL {
                "test.csv has no labels; train.csv and val.csv have".to_owned()
            } else {
                let all = [&[CONTEXT, BEGINNING][..], &ENDING_COLUMNS].concat().join(", ");
                format!("bertbench reads train.csv, val.csv and test.csv, not their `_full` versions: {all}")
            })),
            _ => Err(wrong(format!("the header has several columns `{name}`"))),
        };
        let mut endings = [0; ENDINGS];
        for (ending, name) in endings.iter_mut().zip(ENDING_COLUMNS) {
            *ending = place(name)?;
        }
        Ok(Self {
            count: header.fields.len(),
            id: ID_COLUMNS.iter().find_map(|name| places(name).first().copied()),
            context: place(CONTEXT)?,
            beginning: place(BEGINNING)?,
            endings,
            label: labelled.then(|| place(LABEL)).transpose()?,
        })
    }

    /// The record as an example; `number` counts the examples before it.
    fn choice(&self, record: &Record, number: usize, path: &Path) -> Result<Choice, Diagnostic> {
        let wrong = |message: String, hint: &str| Diagnostic::new(message).at_line(path, record.line).hint(hint);
        let found = record.fields.len();
        if found != self.count {
            let message = format!("{found} fields where {} were expected", self.count);
            return Err(wrong(message, &format!("a comma in a text needs quotes around the text; {SKIPPING}")));
        }
        let text = |place: usize, name: &str| {
            let bytes = record.fields.get(place).map_or(&[][..], Vec::as_slice);
            std::str::from_utf8(bytes).map_err(|_| wrong(format!("`{name}` is not valid UTF-8"), SKIPPING))
        };
        let filled = |place: usize, name: &str| match text(place, name)? {
            blank if blank.trim().is_empty() => Err(wrong(format!("`{name}` is empty"), SKIPPING)),
            filled => Ok(filled),
        };
        let label = match self.label {
            Some(place) => Some(label(filled(place, LABEL)?).ok_or_else(|| {
                let excerpt: String = text(place, LABEL).unwrap_or_default().chars().take(40).collect();
                let hint = format!("the label is the number of the right ending, 0 to {}; {SKIPPING}", ENDINGS - 1);
                wrong(format!("unknown label `{excerpt}`"), &hint)
            })?),
            None => None,
        };
        let beginning = text(self.beginning, BEGINNING)?;
        let space = if beginning.is_empty() { "" } else { " " };
        let endings = self.endings.iter().zip(ENDING_COLUMNS);
        Ok(Choice {
            id: match self.id {
                Some(place) => text(place, "index")?.to_owned(),
                None => number.to_string(),
            },
            context: filled(self.context, CONTEXT)?.to_owned(),
            endings: endings
                .map(|(place, name)| Ok(format!("{beginning}{space}{}", filled(*place, name)?)))
                .collect::<Result<_, Diagnostic>>()?,
            label,
        })
    }
}

/// A label as it is written: one digit that names an ending.
fn label(text: &str) -> Option<u32> {
    let known = |label: &u32| label.to_string() == text;
    (0..ENDINGS as u32).find(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n";

    fn read(text: impl AsRef<[u8]>, labelled: bool, bad_rows: BadRows) -> Result<Choices, String> {
        choices_of(text.as_ref(), Path::new("val.csv"), Some(labelled), bad_rows).map_err(|error| error.to_string())
    }

    fn refused(text: impl AsRef<[u8]>) -> String {
        read(text, true, BadRows::Refuse).unwrap_err()
    }

    /// A row of the published columns.
    fn row(id: usize, fields: [&str; 7]) -> String {
        let [sent1, sent2, endings @ .., label] = fields;
        format!("{id},v,1,{sent1} {sent2},{sent1},{sent2},gold,{},{label}\n", endings.join(","))
    }

    #[test]
    fn endings_follow_the_beginning_that_they_share() {
        let text = HEADER.to_owned()
            + &row(7, ["He sits.", "She", "\"runs, \"\"fast\"\"\"", "\"walks\noff\"", "eats", "sings", "1"])
            + &row(8, ["It rains.", "", "A dog barks.", "b", "c", "d", "0"]);
        let read = read(text, true, BadRows::Refuse).unwrap();
        assert_eq!((read.choices.len(), read.skipped), (2, 0));
        let first = &read.choices[0];
        assert_eq!((&*first.id, &*first.context, first.label), ("7", "He sits.", Some(1)));
        assert_eq!(first.endings, ["She runs, \"fast\"", "She walks\noff", "She eats", "She sings"]);
        assert_eq!(read.choices[1].endings, ["A dog barks.", "b", "c", "d"], "no space where nothing begins");
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let text = "\u{feff}label,ending3,ending2,ending1,ending0,sent2,sent1,index\r\n3,d,c,b,a,S,C,x9\r\n";
        let read_as = |labelled| read(text, labelled, BadRows::Refuse).unwrap().choices.remove(0);
        let choice = read_as(true);
        assert_eq!((&*choice.id, choice.label, &*choice.endings[3]), ("x9", Some(3), "S d"));
        assert_eq!(read_as(false).label, None, "labels that are not asked for are not read");
        let unnumbered = "sent1,sent2,ending0,ending1,ending2,ending3\nC,S,a,b,c,d\nC,S,a,b,c,d\n";
        let ids: Vec<_> =
            read(unnumbered, false, BadRows::Refuse).unwrap().choices.into_iter().map(|choice| choice.id).collect();
        assert_eq!(ids, ["0", "1"]);
    }

    #[test]
    fn a_malformed_row_is_named_by_the_line_on_which_it_begins() {
        let good = row(0, ["\"One\r\n\r\ntwo.\"", "She", "a", "\"b\n\"", "c", "d", "2"]);
        let after = |bad: &str| refused(format!("{HEADER}{good}{bad}"));
        // The header is line 1; the good row takes lines 2 to 7: its first text stands in two columns.
        let bad = |fields| after(&row(1, fields));
        let place = "val.csv:8: ";
        let skipping = "`--skip-bad-rows` skips and counts such rows";
        let number = "the label is the number of the right ending, 0 to 3";
        assert_eq!(
            bad(["C", "S", "a", "b", "c", "d", "4"]),
            format!("{place}unknown label `4` ({number}; {skipping})")
        );
        assert_eq!(
            bad(["C", "S", "a", "b", "c", "d", "01"]),
            format!("{place}unknown label `01` ({number}; {skipping})")
        );
        assert_eq!(bad(["C", "S", "a", "b", "c", "d", ""]), format!("{place}`label` is empty ({skipping})"));
        assert_eq!(bad([" ", "S", "a", "b", "c", "d", "1"]), format!("{place}`sent1` is empty ({skipping})"));
        assert_eq!(bad(["C", "S", "a", "b", "", "d", "1"]), format!("{place}`ending2` is empty ({skipping})"));
        assert_eq!(
            after("1,2\n"),
            format!(
                "{place}2 fields where 12 were expected (a comma in a text needs quotes around the text; {skipping})"
            )
        );
        let mut bytes = format!("{HEADER}{good}").into_bytes();
        bytes.extend(b"1,v,1,x,caf\xe9,S,gold,a,b,c,d,1\n");
        assert_eq!(refused(&bytes), format!("{place}`sent1` is not valid UTF-8 ({skipping})"));
        let read = read(&bytes, true, BadRows::Skip).unwrap();
        assert_eq!((read.choices.len(), read.skipped), (1, 1));
    }

    #[test]
    fn files_that_are_not_swags_are_refused() {
        assert_eq!(refused(""), "val.csv: the file is empty");
        assert_eq!(refused(HEADER), "val.csv: the file has no rows (was its download cut short?)");
        assert_eq!(refused(b"\xff\xfes\0"), "val.csv: the file is UTF-16 (save it as UTF-8)");
        let test = HEADER.replace(",label", "");
        assert_eq!(
            refused(test.clone() + "0,v,1,x,C,S,gold,a,b,c,d\n"),
            "val.csv:1: the header has no column `label` (test.csv has no labels; train.csv and val.csv have)"
        );
        assert!(read(test + "0,v,1,x,C,S,gold,a,b,c,d\n", false, BadRows::Refuse).is_ok());
        assert_eq!(
            refused("video-id,gold-ending,distractor-0\n"),
            "val.csv:1: the header has no column `ending0` (bertbench reads train.csv, val.csv and test.csv, not their `_full` versions: sent1, sent2, ending0, ending1, ending2, ending3)"
        );
        let twice = HEADER.replace("video-id", "sent1");
        assert_eq!(refused(twice), "val.csv:1: the header has several columns `sent1`");
        assert_eq!(
            refused(format!("{HEADER}\n0,v,1,\"x,C,S\n")),
            "val.csv:3: a quote is opened that is never closed (a quote within a field is written twice; was the \
             download cut short?)"
        );
        let bad = read(format!("{HEADER}1\n2\n"), true, BadRows::Skip).unwrap_err();
        assert!(bad.starts_with("val.csv: none of the file's 2 rows can be read"), "{bad}");
    }
}
