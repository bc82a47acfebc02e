//! The text that `corpus prepare` and `vocab train` read.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::corpus::text::{BadBytes, Corpus, CorpusOptions, DocumentEnds, TEXT_FORMATS, TextFormat, input_files};
use crate::diagnostic::Error;
use crate::terminal::say;
use crate::units::Bytes;

/// The files of a corpus and how they are read.
#[derive(Debug, clap::Args)]
pub(super) struct CorpusArgs {
    /// Files of text, and folders of such files.
    #[arg(long, value_name = "FILE|DIR", required = true, num_args = 1..)]
    input: Vec<PathBuf>,
    /// The format of all files: `sentences` (a sentence a line, a blank line between documents), `text`
    /// (running text), `wikitext`, `jsonl` or `parquet` [default: detected from each file's name and first lines].
    #[arg(long, value_name = "FORMAT", value_parser = TextFormat::find)]
    format: Option<TextFormat>,
    /// The column of JSON lines or Parquet that holds the text.
    #[arg(long, value_name = "NAME", default_value = "text")]
    column: String,
    /// Where documents end in running text.
    #[arg(long, value_name = "WHERE", value_enum, default_value_t = Ends::File)]
    documents: Ends,
    /// Drop bytes that are not UTF-8 and count their lines, instead of refusing the file.
    #[arg(long)]
    replace_bad_bytes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ends {
    /// At the end of each file.
    File,
    /// At every blank line.
    BlankLine,
}

impl CorpusArgs {
    /// The corpus, and the size of its files.
    pub(super) fn open(&self) -> Result<(Corpus, Bytes), Error> {
        let files = input_files(&self.input)?;
        let options = CorpusOptions {
            format: self.format,
            column: self.column.clone(),
            documents: match self.documents {
                Ends::File => DocumentEnds::File,
                Ends::BlankLine => DocumentEnds::BlankLine,
            },
            bad_bytes: if self.replace_bad_bytes { BadBytes::Replace } else { BadBytes::Refuse },
        };
        let corpus = Corpus::open(&files, options)?;
        for (name, format) in TEXT_FORMATS {
            let count = corpus.files().filter(|file| file.format == *format).count();
            if count > 0 {
                let files = if count == 1 { "file" } else { "files" };
                say(&format_args!("{count} {files} read as {name}"));
            }
        }
        let bytes = corpus.files().map(|file| file.bytes).sum();
        Ok((corpus, Bytes(bytes)))
    }
}
