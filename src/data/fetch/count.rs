//! Counting examples without a dataset's reader, to hold a file against its published number.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::manifest::Counted;
use super::super::text_file;
use crate::diagnostic::Diagnostic;

/// What is looked at of a `SQuAD` file.
#[derive(Deserialize)]
struct Squad {
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    qas: Vec<IgnoredAny>,
}

/// The number of examples in the file at `path`.
///
/// # Errors
/// When the file cannot be read, or not as what its examples are said to be.
pub(super) fn count(path: &Path, counted: Counted) -> Result<u64, Diagnostic> {
    let unreadable = |error: &dyn std::fmt::Display| text_file::unreadable(error, path);
    let open = || std::fs::File::open(path).map_err(|error| unreadable(&error));
    match counted {
        Counted::Rows => {
            let mut reader = csv::Reader::from_reader(open()?);
            let mut row = csv::ByteRecord::new();
            let mut rows = 0;
            while reader.read_byte_record(&mut row).map_err(|error| unreadable(&error))? {
                rows += 1;
            }
            Ok(rows)
        }
        Counted::Questions => {
            let squad: Squad = serde_json::from_reader(BufReader::new(open()?)).map_err(|error| unreadable(&error))?;
            let paragraphs = squad.data.iter().flat_map(|article| &article.paragraphs);
            Ok(paragraphs.map(|paragraph| paragraph.qas.len() as u64).sum())
        }
        Counted::Sentences => sentences(BufReader::new(open()?)).map_err(|error| unreadable(&error)),
        Counted::Lines => {
            let mut reader = BufReader::new(open()?);
            let mut lines = 0;
            while reader.skip_until(b'\n').map_err(|error| unreadable(&error))? > 0 {
                lines += 1;
            }
            Ok(lines)
        }
    }
}

/// Blocks of lines between blank ones; `-DOCSTART-` lines are blank to this.
fn sentences(mut reader: impl BufRead) -> std::io::Result<u64> {
    let (mut count, mut within) = (0, false);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(count);
        }
        let word = !line.trim_ascii().is_empty() && !line.starts_with(b"-DOCSTART-");
        count += u64::from(word && !within);
        within = word;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str, what: Counted) -> Result<u64, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        count(file.path(), what).map_err(|found| found.message)
    }

    #[test]
    fn each_kind_of_example_is_counted() {
        assert_eq!(counted("a,b\n1,\"x\ny\"\n2,\"\"\"\"\n", Counted::Rows), Ok(2));
        let squad = r#"{"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "c", "qas": [{}, {}]},
            {"qas": []}]}, {"paragraphs": [{"qas": [{"id": 1}]}]}]}"#;
        assert_eq!(counted(squad, Counted::Questions), Ok(3));
        let column =
            "-DOCSTART- -X- O O\r\n\r\nEU NNP I-NP I-ORG\r\n. . O O\r\n\r\n\r\nPeter NNP\n \n-DOCSTART- x\nB x";
        assert_eq!(counted(column, Counted::Sentences), Ok(3));
        assert_eq!(counted("a\n \nb", Counted::Lines), Ok(3));
        assert_eq!(counted("a\n \n", Counted::Lines), Ok(2));
        assert_eq!(counted("", Counted::Lines), Ok(0));
    }

    #[test]
    fn what_cannot_be_counted_is_an_error() {
        assert!(counted("{\"data\": [{}]}", Counted::Questions).unwrap_err().starts_with("the file cannot be read"));
        assert!(counted("a,b\n1\n", Counted::Rows).is_err());
        assert!(count(Path::new("/nowhere"), Counted::Lines).is_err());
    }
}
