//! Lines to sentences.

use std::borrow::Cow;
use std::path::Path;

use super::line::{cell, columns, is_blank, is_document, least_width, lines, width, without_digits};
use super::scheme::{Converter, OUTSIDE};
use super::{Columns, Scheme, Sentence, Sentences};
use crate::data::{BadRows, text_file};
use crate::diagnostic::Diagnostic;

const SKIPPING: &str = "`--skip-bad-rows` skips and counts the sentence";
/// How much of a word or a tag a message repeats.
const EXCERPT_CHARACTERS: usize = 40;

/// Reads a column file whose bytes are at hand; `path` is its name, and `labelled` says whether its tags are read too.
///
/// # Errors
/// A file that is in UTF-16 or has no sentence; a format whose columns are the same. With
/// [`BadRows::Refuse`], the first line that is not UTF-8 (unless the format is lossy), that holds a carriage
/// return, that has another number of columns than the first one, or whose tag is none.
pub fn sentences_of(
    bytes: &[u8],
    path: &Path,
    format: &Columns,
    labelled: bool,
    bad_rows: BadRows,
) -> Result<Sentences, Diagnostic> {
    let text = text_file::without_mark(bytes, path)?;
    if labelled && format.tag_column == Some(format.token_column) {
        let message = format!("column {} cannot be both the word and the tag", format.token_column);
        return Err(Diagnostic::new(message).in_file(path).hint("they are `token_column` and `tag_column`"));
    }
    let mut reader = Reader {
        path,
        format,
        labelled,
        width: 0,
        converter: Converter::default(),
        read: Sentences::default(),
        current: Sentence::default(),
        is_bad: false,
        in_document: false,
    };
    for (line, text) in (1..).zip(lines(text)) {
        match reader.line(text) {
            Err(bad) if bad_rows == BadRows::Refuse => return Err(bad.at_line(path, line)),
            // The rest of its sentence is read too, which costs little, and left out with it.
            Err(_) => reader.is_bad = true,
            Ok(()) => {}
        }
    }
    reader.finish()
}

/// Whether the first word of a file has a tag: its line has as many columns as that needs.
pub(in crate::data) fn is_labelled(bytes: &[u8], format: &Columns) -> bool {
    let text = bytes.strip_prefix(text_file::BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut lines = lines(text).filter(|line| !is_blank(line)).map(String::from_utf8_lossy);
    lines
        .find(|line| !is_document(line, format))
        .is_some_and(|line| columns(&line, format, 0).len() >= least_width(format, true))
}

/// A file while its lines come in.
struct Reader<'a> {
    path: &'a Path,
    format: &'a Columns,
    labelled: bool,
    /// How many columns a line has; 0 before the first one.
    width: usize,
    converter: Converter,
    read: Sentences,
    /// The sentence so far, with tags as they are written.
    current: Sentence,
    /// Whether a line of it is bad.
    is_bad: bool,
    /// Whether the current document has a sentence, be it left out.
    in_document: bool,
}

impl Reader<'_> {
    /// Takes a line in.
    fn line(&mut self, bytes: &[u8]) -> Result<(), Diagnostic> {
        if is_blank(bytes) {
            self.end_sentence();
            return Ok(());
        }
        if bytes.contains(&b'\r') {
            return Err(Diagnostic::new("a carriage return (CR) stands alone within the line")
                .hint(format!("lines end with LF or CRLF: save the file with such line ends; {SKIPPING}")));
        }
        let text = self.decoded(bytes)?;
        if is_document(&text, self.format) {
            self.end_sentence();
            self.current.document += u32::from(std::mem::take(&mut self.in_document));
            return Ok(());
        }
        if self.width == 0 {
            self.width = width(&text, self.format, self.labelled);
        }
        let columns = columns(&text, self.format, self.width);
        if columns.len() != self.width {
            return Err(self.wrong_width(columns.len()));
        }
        let word = self.word(columns[self.format.token_index()])?;
        if self.labelled {
            let tag = cell(columns[self.format.tag_index().unwrap_or(self.width - 1)]);
            // What is known has been checked.
            if !self.converter.knows(tag) {
                check(tag, self.format.scheme)?;
            }
            self.current.tags.push(self.converter.shared(tag));
        }
        self.current.words.push(word.to_owned());
        Ok(())
    }

    /// A line as text.
    fn decoded<'b>(&mut self, bytes: &'b [u8]) -> Result<Cow<'b, str>, Diagnostic> {
        let text = String::from_utf8_lossy(bytes);
        // Borrowed unless something was replaced.
        if let Cow::Owned(_) = text {
            if !self.format.lossy {
                return Err(Diagnostic::new("the line is not valid UTF-8")
                    .hint(format!("`--lossy` reads such bytes as U+FFFD; {SKIPPING}; or save the file as UTF-8")));
            }
            self.read.replaced += 1;
        }
        Ok(text)
    }

    fn word<'b>(&self, column: &'b str) -> Result<&'b str, Diagnostic> {
        if !self.format.segmentation_digit {
            return Ok(cell(column));
        }
        without_digits(column).map(cell).ok_or_else(|| {
            Diagnostic::new(format!("no number follows the character in `{}`", excerpt(column)))
                .hint(format!("segmentation_digit says that one does, as in `科0`; {SKIPPING}"))
        })
    }

    fn wrong_width(&self, found: usize) -> Diagnostic {
        let why = match self.format.tag_column {
            _ if self.width > least_width(self.format, self.labelled) => {
                "every line has as many columns as the file's first".to_owned()
            }
            Some(tag) if self.labelled => format!("the tag is column {tag}, counted from 1"),
            _ if self.labelled => "a line is a word and its tag, with a space or a tab between them".to_owned(),
            _ => "a line is a word".to_owned(),
        };
        let columns = text_file::columns(found);
        Diagnostic::new(format!("{columns} where {} were expected", self.width)).hint(format!("{why}; {SKIPPING}"))
    }

    /// Takes the current sentence over, if there is one, and begins another.
    fn end_sentence(&mut self) {
        let next = Sentence { document: self.current.document, ..Sentence::default() };
        let is_bad = std::mem::take(&mut self.is_bad);
        if is_bad {
            self.read.skipped += 1;
            self.in_document = true;
            self.current = next;
        } else if !self.current.words.is_empty() {
            let mut sentence = std::mem::replace(&mut self.current, next);
            sentence.tags = self.converter.convert(&sentence.tags);
            self.read.sentences.push(sentence);
            self.in_document = true;
        }
    }

    fn finish(mut self) -> Result<Sentences, Diagnostic> {
        self.end_sentence();
        if !self.read.sentences.is_empty() {
            return Ok(self.read);
        }
        Err(match self.read.skipped {
            0 => Diagnostic::new("the file has no sentences").hint("was its download cut short?"),
            skipped => Diagnostic::new(format!("none of the file's {skipped} sentences can be read"))
                .hint("without `--skip-bad-rows` the first bad line is explained"),
        }
        .in_file(self.path))
    }
}

/// Refuses a text that is no tag of `scheme`: without a hyphen after a prefix or a type after the hyphen, with white space,
/// or with a prefix of another scheme.
fn check(tag: &str, scheme: Scheme) -> Result<(), Diagnostic> {
    let prefix = match tag.split_once('-') {
        None if tag == OUTSIDE => return Ok(()),
        Some((prefix, kind)) if !prefix.is_empty() && !kind.is_empty() && !tag.contains(char::is_whitespace) => prefix,
        None | Some(_) => {
            return Err(Diagnostic::new(format!("`{}` is not a tag", excerpt(tag)))
                .hint(format!("a tag is O, or a prefix and a type such as B-PER; {SKIPPING}")));
        }
    };
    if scheme.prefixes().contains(&prefix) {
        return Ok(());
    }
    let wrong = match scheme {
        Scheme::Auto => "an unknown prefix".to_owned(),
        Scheme::Iob1 | Scheme::Iob2 | Scheme::Bioes => format!("a prefix that {} does not have", scheme.name()),
    };
    Err(Diagnostic::new(format!("the tag `{}` has {wrong}", excerpt(tag)))
        .hint(format!("prefixes are {}; {SKIPPING}", scheme.prefixes().join(", "))))
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARACTERS).collect()
}

#[cfg(test)]
mod tests;
