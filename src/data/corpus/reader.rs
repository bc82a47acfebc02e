//! Files → passages and documents.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use super::format::{CorpusFormat, DocumentEnds, heading_level};
use super::json_text::{Cell, column_of};
use super::lines::{BadBytes, Lines};
use crate::diagnostic::{Diagnostic, suggest};
use crate::text::pretraining::{PassageKind, PassageSource, Passages};

/// A block of passages has about so much text.
const BLOCK: usize = 256 << 10;
/// A paragraph of running text is ended after so much of it, at the end of a line.
const LONGEST_PARAGRAPH: usize = 1 << 20;

/// How files are read.
#[derive(Clone, Debug)]
pub struct CorpusOptions {
    /// The format of all files; `None` to tell it file by file.
    pub format: Option<CorpusFormat>,
    /// The column of JSON lines.
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
    pub format: CorpusFormat,
}

/// Files of text, read one after the other. A document ends with its file at the latest.
#[derive(Debug)]
pub struct Corpus {
    options: CorpusOptions,
    waiting: VecDeque<CorpusFile>,
    open: Option<OpenFile>,
    remarks: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct OpenFile {
    lines: Lines,
    parser: Parser,
}

/// What a format's rules have to remember from line to line.
#[derive(Debug)]
struct Parser {
    format: CorpusFormat,
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
    /// A file that cannot be read; Parquet.
    pub fn open(files: &[PathBuf], options: CorpusOptions) -> Result<Self, Diagnostic> {
        let waiting = files.iter().map(|path| {
            let format = match options.format {
                Some(format) => format,
                None => CorpusFormat::detect(path, options.bad_bytes)?,
            };
            if format == CorpusFormat::Parquet {
                return Err(Diagnostic::new("Parquet is not read yet")
                    .in_file(path)
                    .hint("write the text column as JSON lines, a row {\"text\": …} a line"));
            }
            Ok(CorpusFile { path: path.clone(), format })
        });
        let waiting = waiting.collect::<Result<_, _>>()?;
        Ok(Self { options, waiting, open: None, remarks: BTreeMap::new() })
    }

    /// The files that were not begun yet, with their formats.
    pub fn files(&self) -> impl Iterator<Item = &CorpusFile> {
        self.waiting.iter()
    }

    fn close(&mut self, file: &OpenFile) {
        let found = [
            ("files without text", u64::from(!file.parser.any_text)),
            ("headings, left out", file.parser.headings),
            ("lines with bytes that are not UTF-8", file.lines.replaced),
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
                    Some(file) => OpenFile::open(&file, self.options.bad_bytes)?,
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
    fn open(file: &CorpusFile, bad_bytes: BadBytes) -> Result<Self, Diagnostic> {
        Ok(Self { lines: Lines::open(&file.path, bad_bytes)?, parser: Parser::new(file.format) })
    }

    /// The next block, and whether the file ends with it.
    fn block(&mut self, options: &CorpusOptions) -> Result<(Passages, bool), Diagnostic> {
        let mut block = Passages::new(match self.parser.format {
            CorpusFormat::Sentences => PassageKind::Sentence,
            CorpusFormat::Text | CorpusFormat::WikiText | CorpusFormat::JsonLines | CorpusFormat::Parquet => {
                PassageKind::Running
            }
        });
        while block.bytes() < BLOCK {
            let Some(line) = self.lines.next()? else {
                self.parser.end_paragraph(&mut block);
                self.parser.end_document(&mut block);
                return Ok((block, true));
            };
            let taken = self.parser.line(line.trim(), options, &mut block);
            taken.map_err(|found| found.at_line(self.lines.path(), self.lines.number()))?;
        }
        Ok((block, false))
    }
}

impl Parser {
    fn new(format: CorpusFormat) -> Self {
        let paragraph = String::new();
        Self { format, paragraph, in_document: false, after_blank: true, any_text: false, headings: 0 }
    }

    /// Takes a line without the white space at its ends.
    fn line(&mut self, line: &str, options: &CorpusOptions, block: &mut Passages) -> Result<(), Diagnostic> {
        self.any_text |= !line.is_empty();
        match self.format {
            CorpusFormat::Sentences => self.sentence(line, block),
            CorpusFormat::Text => self.running(line, options.documents, block),
            CorpusFormat::WikiText => self.wikitext(line, block),
            CorpusFormat::JsonLines | CorpusFormat::Parquet if line.is_empty() => {}
            CorpusFormat::JsonLines | CorpusFormat::Parquet => {
                let text = text_of(line, &options.column)?;
                text.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| block.push(line));
                block.end_document();
            }
        }
        Ok(())
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
mod tests {
    use super::*;
    use crate::text::pretraining::Step;

    /// Documents as they are read, passages separated by `|`; then the remarks.
    fn read(files: &[&[u8]], options: CorpusOptions) -> Result<(Vec<String>, BTreeMap<String, u64>), String> {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (0..files.len()).map(|at| folder.path().join(format!("{at}.txt"))).collect();
        for (path, bytes) in paths.iter().zip(files) {
            std::fs::write(path, bytes).unwrap();
        }
        let said = |found: Diagnostic| found.to_string().replace(&format!("{}/", folder.path().display()), "");
        let mut corpus = Corpus::open(&paths, options).map_err(said)?;
        let (mut documents, mut open) = (Vec::new(), Vec::new());
        while let Some(block) = corpus.next_block().map_err(said)? {
            for step in block.steps() {
                match step {
                    Step::Passage(text) => open.push(text.to_owned()),
                    Step::DocumentEnd => documents.push(std::mem::take(&mut open).join("|")),
                }
            }
        }
        assert!(open.is_empty(), "the last document is ended");
        Ok((documents, corpus.remarks()))
    }

    fn options(format: CorpusFormat) -> CorpusOptions {
        CorpusOptions { format: Some(format), ..CorpusOptions::default() }
    }

    fn documents(text: &str, options: CorpusOptions) -> Vec<String> {
        read(&[text.as_bytes()], options).unwrap().0
    }

    #[test]
    fn a_sentence_a_line_and_blank_lines_between_documents() {
        let text = "\n\nA b.\r\nC.\n \t\n\nD.";
        assert_eq!(documents(text, options(CorpusFormat::Sentences)), ["A b.|C.", "D."]);
        // WikiText's blank lines are one space; a file ends a document.
        let files: [&[u8]; 3] = [b"A.\n \nB.\n", b" \n", b"C.\n"];
        let (found, remarks) = read(&files, options(CorpusFormat::Sentences)).unwrap();
        assert_eq!(found, ["A.", "B.", "C."]);
        assert_eq!(remarks, BTreeMap::from([("files without text".into(), 1)]));
    }

    #[test]
    fn running_text_is_joined_into_paragraphs() {
        let text = "It rained\non us. We\nstayed.\n\n\nThe sun came.\n";
        let by = |documents| CorpusOptions { documents, ..options(CorpusFormat::Text) };
        let paragraphs = ["It rained on us. We stayed. ", "The sun came. "];
        assert_eq!(documents(text, by(DocumentEnds::File)), [paragraphs.join("|")]);
        assert_eq!(documents(text, by(DocumentEnds::BlankLine)), paragraphs);
        // No blank line for longer than a paragraph is held.
        let long = "It rained and rained.\n".repeat(120_000);
        let found = documents(&long, by(DocumentEnds::BlankLine));
        let passages: Vec<&str> = found[0].split('|').collect();
        assert_eq!((found.len(), passages.len()), (1, 3));
        assert_eq!(passages.concat(), "It rained and rained. ".repeat(120_000));
    }

    #[test]
    fn titles_of_wikitext_begin_documents_and_headings_are_left_out() {
        let text = " \n = A = \n \n a a . b . \n = not a title = \n \n = = Part = = \n \n c . \n \n = B = \n \n d . \n";
        let (found, remarks) = read(&[text.as_bytes()], options(CorpusFormat::WikiText)).unwrap();
        assert_eq!(found, ["a a . b .|= not a title =|c .", "d ."]);
        assert_eq!(remarks, BTreeMap::from([("headings, left out".into(), 3)]));
    }

    #[test]
    fn a_row_of_json_lines_is_a_document() {
        let text = "{\"text\": \"A.\\n\\nB.\", \"id\": [1]}\n\n{\"text\": \" \"}\n{\"text\": \"C.\"}";
        assert_eq!(documents(text, options(CorpusFormat::JsonLines)), ["A.|B.", "", "C."]);
        let other = CorpusOptions { column: "body".into(), ..options(CorpusFormat::JsonLines) };
        assert_eq!(documents("{\"body\": \"A.\"}\n", other), ["A."]);
        let wrong = |text: &[u8]| read(&[text], options(CorpusFormat::JsonLines)).unwrap_err();
        assert_eq!(
            wrong(b"{\"text\": \"a\"}\n{\"texts\": \"a\"}\n"),
            "0.txt:2: the row has no column `text` (did you mean `texts`?)"
        );
        assert_eq!(
            wrong(b"{\"text\": 3}\n"),
            "0.txt:1: not a row of JSON lines with a text `text`: invalid type: integer `3`, expected a string at line 1 column 10"
        );
    }

    #[test]
    fn formats_are_told_file_by_file() {
        let files: [&[u8]; 3] = [b"{\"text\": \"A. B.\"}\n", b" \n = T = \n \n c . d . \n", b"E.\nF.\n"];
        assert_eq!(read(&files, CorpusOptions::default()).unwrap().0, ["A. B.", "c . d .", "E.|F."]);
        let refused = read(&[b"PAR1"], CorpusOptions::default()).unwrap_err();
        assert!(
            refused.starts_with("0.txt: Parquet is not read yet (write the text column as JSON lines"),
            "{refused}"
        );
    }

    #[test]
    fn bad_bytes_are_an_error_or_counted() {
        let files: [&[u8]; 2] = [b"A.\n", b"B.\n\n\xff\xfe C.\n"];
        let refused = read(&files, options(CorpusFormat::Sentences)).unwrap_err();
        assert!(refused.starts_with("1.txt:3: the line is not valid UTF-8"), "{refused}");
        let lossy = CorpusOptions { bad_bytes: BadBytes::Replace, ..options(CorpusFormat::Sentences) };
        let (found, remarks) = read(&files, lossy).unwrap();
        assert_eq!(found, ["A.", "B.", "\u{fffd}\u{fffd} C."]);
        assert_eq!(remarks["lines with bytes that are not UTF-8"], 1);
    }

    #[test]
    fn blocks_are_small_whatever_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.txt");
        std::fs::write(&path, "It rained and rained and rained.\n".repeat(100_000)).unwrap();
        let mut corpus = Corpus::open(&[path], options(CorpusFormat::Sentences)).unwrap();
        let (mut blocks, mut passages) = (0, 0);
        while let Some(block) = corpus.next_block().unwrap() {
            assert!(block.bytes() < BLOCK + 100);
            blocks += 1;
            passages += block.steps().filter(|step| matches!(step, Step::Passage(_))).count();
        }
        assert_eq!((blocks, passages), (13, 100_000));
    }
}
