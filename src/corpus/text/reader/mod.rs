//! Files → passages and documents.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use super::format::{DocumentEnds, heading_level};
use super::json_text::{Cell, column_of};
use super::lines::{BadBytes, Lines};
use super::parquet::ParquetTexts;
use crate::corpus::examples::{PassageKind, PassageSource, Passages};
use crate::diagnostic::{Diagnostic, suggest};
use crate::settings::TextFormat;

/// A block of passages has about so much text.
const BLOCK: usize = 256 << 10;
/// A paragraph of running text is ended after so much of it, at the end of a line.
const LONGEST_PARAGRAPH: usize = 1 << 20;

/// How files are read.
#[derive(Clone, Debug)]
pub struct CorpusOptions {
    /// The format of all files; `None` to tell it file by file.
    pub format: Option<TextFormat>,
    /// The column of JSON lines and Parquet.
    pub column: String,
    /// Where documents end in running text.
    pub documents: DocumentEnds,
    /// What is done with bytes that are not UTF-8.
    pub bad_bytes: BadBytes,
}

impl Default for CorpusOptions {
    fn default() -> Self {
        Self { format: None, column: "text".into(), documents: DocumentEnds::default(), bad_bytes: BadBytes::default() }
    }
}

/// A file of a corpus and the format that it is read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusFile {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: TextFormat,
    /// How many bytes there are to read; of Parquet the text column's, before it was compressed.
    pub bytes: u64,
}

/// Files of text, read one after the other. A document ends with its file at the latest.
pub struct Corpus {
    options: CorpusOptions,
    waiting: VecDeque<CorpusFile>,
    open: Option<OpenFile>,
    remarks: BTreeMap<&'static str, u64>,
}

struct OpenFile {
    input: Input,
    parser: Parser,
}

enum Input {
    Lines(Lines),
    Rows(Box<ParquetTexts>),
}

/// What a format's rules have to remember from line to line.
struct Parser {
    format: TextFormat,
    /// Running text since the last blank line, its lines joined by spaces.
    paragraph: String,
    /// Whether anything was read since the last end of a document.
    in_document: bool,
    /// Whether the line before was blank, as it is before a title.
    after_blank: bool,
    any_text: bool,
    headings: u64,
}

impl Corpus {
    /// The corpus of these files, each of which is looked at if its format is to be told.
    ///
    /// # Errors
    /// A file that cannot be read; Parquet without such a column of text.
    pub fn open(files: &[PathBuf], options: CorpusOptions) -> Result<Self, Diagnostic> {
        let waiting = files.iter().map(|path| {
            let format = match options.format {
                Some(format) => format,
                None => TextFormat::detect(path, options.bad_bytes)?,
            };
            let bytes = if format == TextFormat::Parquet {
                ParquetTexts::open(path, &options.column, options.bad_bytes)?.bytes()
            } else {
                let about = std::fs::metadata(path);
                about.map_err(|error| Diagnostic::new(error.to_string()).in_file(path))?.len()
            };
            Ok(CorpusFile { path: path.clone(), format, bytes })
        });
        let waiting = waiting.collect::<Result<_, _>>()?;
        Ok(Self { options, waiting, open: None, remarks: BTreeMap::new() })
    }

    /// The files that were not begun yet, with their formats.
    pub fn files(&self) -> impl Iterator<Item = &CorpusFile> {
        self.waiting.iter()
    }

    fn close(&mut self, file: &OpenFile) {
        let (lines, rows) = match &file.input {
            Input::Lines(lines) => (lines.replaced, 0),
            Input::Rows(rows) => (0, rows.replaced),
        };
        let found = [
            ("files without text", u64::from(!file.parser.any_text)),
            ("headings, left out", file.parser.headings),
            ("lines with bytes that are not UTF-8", lines),
            ("rows with bytes that are not UTF-8", rows),
        ];
        for (name, count) in found.into_iter().filter(|(_, count)| *count > 0) {
            *self.remarks.entry(name).or_default() += count;
        }
    }
}

impl PassageSource for Corpus {
    fn next_block(&mut self) -> Result<Option<Passages>, Diagnostic> {
        loop {
            let mut file = match self.open.take() {
                Some(file) => file,
                None => match self.waiting.pop_front() {
                    Some(file) => OpenFile::open(&file, &self.options)?,
                    None => return Ok(None),
                },
            };
            let (block, at_end) = file.block(&self.options)?;
            if at_end {
                self.close(&file);
            } else {
                self.open = Some(file);
            }
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
    }

    fn remarks(&self) -> BTreeMap<String, u64> {
        self.remarks.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }
}

impl OpenFile {
    fn open(file: &CorpusFile, options: &CorpusOptions) -> Result<Self, Diagnostic> {
        let input = match file.format {
            TextFormat::Parquet => {
                Input::Rows(Box::new(ParquetTexts::open(&file.path, &options.column, options.bad_bytes)?))
            }
            TextFormat::Sentences | TextFormat::Text | TextFormat::Wikitext | TextFormat::Jsonl => {
                Input::Lines(Lines::open(&file.path, options.bad_bytes)?)
            }
        };
        Ok(Self { input, parser: Parser::new(file.format) })
    }

    /// The next block, and whether the file ends with it.
    fn block(&mut self, options: &CorpusOptions) -> Result<(Passages, bool), Diagnostic> {
        let mut block = Passages::new(match self.parser.format {
            TextFormat::Sentences => PassageKind::Sentence,
            TextFormat::Text | TextFormat::Wikitext | TextFormat::Jsonl | TextFormat::Parquet => PassageKind::Running,
        });
        while block.bytes() < BLOCK {
            let more = match &mut self.input {
                Input::Lines(lines) => match lines.next()? {
                    Some(line) => {
                        let taken = self.parser.line(line.trim(), options, &mut block);
                        taken.map_err(|found| found.at_line(lines.path(), lines.number()))?;
                        true
                    }
                    None => false,
                },
                Input::Rows(rows) => rows.next()?.map(|text| self.parser.document(text, &mut block)).is_some(),
            };
            if !more {
                self.parser.end_paragraph(&mut block);
                self.parser.end_document(&mut block);
                return Ok((block, true));
            }
        }
        Ok((block, false))
    }
}

impl Parser {
    fn new(format: TextFormat) -> Self {
        let paragraph = String::new();
        Self { format, paragraph, in_document: false, after_blank: true, any_text: false, headings: 0 }
    }

    /// Takes a line without the white space at its ends.
    fn line(&mut self, line: &str, options: &CorpusOptions, block: &mut Passages) -> Result<(), Diagnostic> {
        self.any_text |= !line.is_empty();
        match self.format {
            TextFormat::Sentences => self.sentence(line, block),
            TextFormat::Text => self.running(line, options.documents, block),
            TextFormat::Wikitext => self.wikitext(line, block),
            TextFormat::Jsonl | TextFormat::Parquet if line.is_empty() => {}
            TextFormat::Jsonl | TextFormat::Parquet => {
                self.document(&text_of(line, &options.column)?, block);
            }
        }
        Ok(())
    }

    /// Takes the text of a row, which is a document.
    fn document(&mut self, text: &str, block: &mut Passages) {
        self.any_text = true;
        text.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| block.push(line));
        block.end_document();
    }

    fn sentence(&mut self, line: &str, block: &mut Passages) {
        if line.is_empty() {
            self.end_document(block);
        } else {
            block.push(line);
            self.in_document = true;
        }
    }

    fn running(&mut self, line: &str, documents: DocumentEnds, block: &mut Passages) {
        if line.is_empty() {
            self.end_paragraph(block);
            if documents == DocumentEnds::BlankLine {
                self.end_document(block);
            }
            return;
        }
        self.paragraph.push_str(line);
        self.paragraph.push(' ');
        if self.paragraph.len() > LONGEST_PARAGRAPH {
            self.end_paragraph(block);
        }
    }

    fn wikitext(&mut self, line: &str, block: &mut Passages) {
        let level = heading_level(line).filter(|_| self.after_blank);
        self.after_blank = line.is_empty();
        if let Some(level) = level {
            self.headings += 1;
            if level == 1 {
                self.end_document(block);
            }
        } else if !line.is_empty() {
            block.push(line);
            self.in_document = true;
        }
    }

    /// Ends the paragraph of running text that is open.
    fn end_paragraph(&mut self, block: &mut Passages) {
        if !self.paragraph.is_empty() {
            block.push(&self.paragraph);
            self.paragraph.clear();
            self.in_document = true;
        }
    }

    /// Ends the document that is open, if one is: blank lines in a row are no documents.
    fn end_document(&mut self, block: &mut Passages) {
        if std::mem::take(&mut self.in_document) {
            block.end_document();
        }
    }
}

/// The text of a row of JSON lines.
fn text_of(row: &str, column: &str) -> Result<String, Diagnostic> {
    match column_of(row, column) {
        Ok(Cell::Text(text)) => Ok(text),
        Ok(Cell::Missing(others)) => Err(Diagnostic::new(format!("the row has no column `{column}`"))
            .hint(suggest(column, others.iter().map(String::as_str)))),
        Err(error) => Err(Diagnostic::new(format!("not a row of JSON lines with a text `{column}`: {error}"))),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::documents_of;
