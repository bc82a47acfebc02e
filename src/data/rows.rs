//! The rows of a tab-separated file, and what makes one malformed.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::dataset::{Dataset, Labels, Layout};
use super::example::{Example, Label};
use super::text_file::{self, BYTE_ORDER_MARK};
use crate::diagnostic::{Diagnostic, suggest};

/// A row with its place. Its number of columns is whatever the line has.
pub(super) struct Row<'a> {
    path: &'a Path,
    /// From 1.
    line: usize,
    layout: &'a Layout,
    fields: &'a ByteRecord,
}

/// Calls `visit` for every row of the file at `path` below its header; blank lines are no rows.
///
/// # Errors
/// A file that cannot be read; a header that is not the layout's; what `visit` answers.
pub(super) fn for_each_row(
    path: &Path,
    layout: &Layout,
    visit: impl FnMut(&Row<'_>) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    for_each_row_of(&text_file::read(path)?, path, layout, visit)
}

/// As [`for_each_row`], of a file whose bytes are at hand; `path` is its name.
pub(super) fn for_each_row_of(
    bytes: &[u8],
    path: &Path,
    layout: &Layout,
    mut visit: impl FnMut(&Row<'_>) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    text_file::without_mark(bytes, path)?;
    // A lone CR is text: only LF ends a line, and the CR of CRLF is cut from the last field.
    let mut reader = ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .flexible(true)
        .has_headers(false)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(bytes);
    let mut fields = ByteRecord::new();
    let mut header = layout.header;
    // The reader passes over a byte order mark, once, and over blank lines before a row without telling.
    let (mut line, mut counted) = (1, if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 });
    while reader.read_byte_record(&mut fields).map_err(|error| text_file::unreadable(&error, path))? {
        let mut start = fields.position().map_or(0, |position| position.byte() as usize).max(counted);
        start += bytes[start..].iter().take_while(|byte| **byte == b'\n').count();
        line += bytes[counted..start].split(|byte| *byte == b'\n').count() - 1;
        counted = start;
        let row = Row { path, line, layout, fields: &fields };
        if fields.len() == 1 && row.bytes(0).is_empty() {
            continue;
        }
        if header {
            header = false;
            row.is_header()?;
        } else {
            visit(&row)?;
        }
    }
    if header { Err(Diagnostic::new("the file is empty").in_file(path)) } else { Ok(()) }
}

/// The fields of the first line that is not blank, and its number; `path` is the name for messages.
///
/// # Errors
/// Bytes without such a line, or in UTF-16.
pub(super) fn first_line<'a>(bytes: &'a [u8], path: &Path) -> Result<(usize, Vec<&'a [u8]>), Diagnostic> {
    let mut lines = text_file::without_mark(bytes, path)?
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    match lines.by_ref().enumerate().find(|(_, line)| !line.is_empty()) {
        Some((at, line)) => Ok((at + 1, line.split(|byte| *byte == b'\t').collect())),
        None => Err(Diagnostic::new("the file is empty").in_file(path)),
    }
}

impl Row<'_> {
    /// The row as an example; `None` when it has no gold label. `number` counts the examples before it.
    ///
    /// # Errors
    /// A number of columns other than the layout's, text that is empty or not UTF-8, an unknown label.
    pub(super) fn example(&self, dataset: &Dataset, number: usize) -> Result<Option<Example>, Diagnostic> {
        self.has_all_columns()?;
        let label = match self.layout.label {
            None => None,
            Some(column) => {
                let text = self.text(column)?;
                if dataset.no_gold == Some(text) {
                    return Ok(None);
                }
                Some(self.label(text, dataset.labels)?)
            }
        };
        Ok(Some(Example {
            id: self.layout.id.map_or_else(|| Ok(number.to_string()), |column| self.text(column).map(str::to_owned))?,
            first: self.text(self.layout.first)?.to_owned(),
            second: self.layout.second.map(|column| self.text(column).map(str::to_owned)).transpose()?,
            label,
        }))
    }

    /// The text of a column, which is not blank.
    pub(super) fn text(&self, column: usize) -> Result<&str, Diagnostic> {
        let name = self.layout.columns.get(column).copied().unwrap_or_default();
        let text = std::str::from_utf8(self.bytes(column))
            .map_err(|_| self.malformed(format!("column {} ({name}) is not valid UTF-8", column + 1), SKIPPING))?;
        if text.trim().is_empty() {
            return Err(self.malformed(format!("column {} ({name}) is empty", column + 1), SKIPPING));
        }
        Ok(text)
    }

    pub(super) fn has_all_columns(&self) -> Result<(), Diagnostic> {
        let (found, columns) = (self.fields.len(), self.layout.columns);
        if found == columns.len() {
            return Ok(());
        }
        let message = format!("{} where {} were expected", text_file::columns(found), columns.len());
        Err(self.malformed(message, &format!("tab-separated: {}; {SKIPPING}", columns.join(", "))))
    }

    /// Whether the columns that are read have their published names here.
    fn is_header(&self) -> Result<(), Diagnostic> {
        let Layout { columns, first, second, label, .. } = *self.layout;
        let hint = format!("the first line names the columns, tab-separated: {}", columns.join(", "));
        if self.fields.len() != columns.len() {
            let found = text_file::columns(self.fields.len());
            let message = format!("the header has {found} where {} were expected", columns.len());
            return Err(self.malformed(message, &hint));
        }
        for column in [Some(first), second, label].into_iter().flatten() {
            let found = String::from_utf8_lossy(self.bytes(column));
            if found != columns[column] {
                let excerpt: String = found.chars().take(40).collect();
                let message = format!(
                    "the header has `{excerpt}` in column {} where `{}` was expected",
                    column + 1,
                    columns[column]
                );
                return Err(self.malformed(message, &hint));
            }
        }
        Ok(())
    }

    fn label(&self, text: &str, labels: Labels) -> Result<Label, Diagnostic> {
        match labels {
            Labels::Classes(classes) => {
                if let Some(class) = classes.iter().position(|class| *class == text) {
                    return Ok(Label::Class(class as u32));
                }
                let suggestion = suggest(text, classes.iter().copied());
                // A question ends itself.
                let stop = if suggestion.ends_with('?') { "" } else { ";" };
                Err(self.malformed(format!("unknown label `{text}`"), &format!("{suggestion}{stop} {SKIPPING}")))
            }
            Labels::Score { lowest, highest } => match text.parse::<f32>() {
                Ok(score) if (lowest..=highest).contains(&score) => Ok(Label::Score(score)),
                Ok(score) if !score.is_nan() => {
                    Err(self.malformed(format!("the score `{text}` is not between {lowest} and {highest}"), SKIPPING))
                }
                Ok(_) | Err(_) => Err(self.malformed(format!("the score `{text}` is not a number"), SKIPPING)),
            },
            Labels::Hidden | Labels::Structured => {
                Err(self.malformed("a label in a dataset that has none".to_owned(), SKIPPING))
            }
        }
    }

    fn malformed(&self, message: String, hint: &str) -> Diagnostic {
        Diagnostic::new(message).at_line(self.path, self.line).hint(hint)
    }

    /// A column without the CR of a CRLF; nothing where there is no such column.
    fn bytes(&self, column: usize) -> &[u8] {
        let bytes = self.fields.get(column).unwrap_or_default();
        match bytes {
            [text @ .., b'\r'] if column + 1 == self.fields.len() => text,
            _ => bytes,
        }
    }
}

const SKIPPING: &str = "`--skip-bad-rows` skips and counts such rows";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAYOUT: Layout =
        Layout { header: false, columns: &["a", "b"], id: None, first: 0, second: Some(1), label: None };

    /// Line numbers and columns, as a plain reading of the format gives them.
    fn plainly(bytes: &[u8]) -> Vec<(usize, Vec<Vec<u8>>)> {
        let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let rows = lines.enumerate().filter(|(_, line)| !line.is_empty());
        rows.map(|(i, line)| (i + 1, line.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect())).collect()
    }

    fn ours(bytes: &[u8]) -> Vec<(usize, Vec<Vec<u8>>)> {
        let mut rows = Vec::new();
        for_each_row_of(bytes, Path::new("x.tsv"), &LAYOUT, |row| {
            rows.push((row.line, (0..row.fields.len()).map(|column| row.bytes(column).to_vec()).collect()));
            // Whatever the row is, asking for an example answers.
            let _ = row.example(crate::data::DATASETS[0], 0);
            Ok(())
        })
        .unwrap();
        rows
    }

    #[test]
    fn only_the_first_byte_order_mark_is_none_of_the_text() {
        for bytes in [&b"\xef\xbb\xbf\xef\xbb\xbfa\tb"[..], b"\xef\xbb\xbf\n\na\tb\n", b"a\t\xef\xbb\xbf"] {
            assert_eq!(ours(bytes), plainly(bytes));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_lines_and_tabs_and_nothing_else(
            parts in prop::collection::vec(prop::sample::select(vec![
                &b"a"[..], b"\"", b"\"", b"'", b"\\", b",", b" ", b"\t", b"\t", b"\n", b"\n", b"\r\n", b"\r",
                b"\0", b"\xe9", b"\xc3\xa9", b"\xef\xbb\xbf", b"#", b"\x0b", b"\xe2\x80\xa8",
            ]), 0..40),
        ) {
            let bytes = parts.concat();
            prop_assert_eq!(ours(&bytes), plainly(&bytes));
        }
    }
}
