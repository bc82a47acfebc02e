//! MRPC as GLUE gives it out, made of the files of the Microsoft Research Paraphrase Corpus by the rule of GLUE's
//! `download_glue_data.py` (<https://gist.github.com/W4ngatang/60c2bdb54d156a41194446737ce03e2e>, `format_mrpc`):
//! dev is the rows of the training file whose pair of ids stands in `dev_ids.tsv`, in the order of the file;
//! test gets an index for its label.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use super::super::folder::{DEV_IDS, TEST, TRAIN};
use super::super::text_file::unreadable;
use crate::diagnostic::Diagnostic;

/// The files that MRPC is made of.
pub(super) const MRPC_SOURCES: [&str; 3] = [TRAIN, TEST, DEV_IDS];
/// Label, two ids, two sentences.
const COLUMNS: usize = 5;
const TEST_HEADER: &str = "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n";

/// `train.tsv`, `dev.tsv` and `test.tsv` from the corpus's files, each found with `file`.
///
/// # Errors
/// A file that cannot be read or is not UTF-8; a row with another number of columns; dev ids that no row has.
pub(super) fn mrpc(file: impl Fn(&str) -> PathBuf) -> Result<[(&'static str, String); 3], Diagnostic> {
    let read = |name: &str| {
        let path = file(name);
        std::fs::read_to_string(&path).map_err(|error| unreadable(&error, &path))
    };
    let ids = read(DEV_IDS)?;
    let dev_ids: HashSet<Vec<&str>> = lines(&ids).map(|(_, line)| line.split('\t').collect()).collect();
    let corpus = read(TRAIN)?;
    let (header, rows) = table(&corpus, file(TRAIN))?;
    let (mut train, mut dev) = (format!("{header}\n"), format!("{header}\n"));
    let mut found = 0;
    for row in rows {
        let row = row?;
        let is_dev = dev_ids.contains(&row[1..3]);
        found += usize::from(is_dev);
        let into = if is_dev { &mut dev } else { &mut train };
        // Writing to a String cannot fail.
        let _ = writeln!(into, "{}", row.join("\t"));
    }
    if found == 0 {
        return Err(Diagnostic::new(format!("no pair of ids of this file is in {TRAIN}")).in_file(&file(DEV_IDS)));
    }
    let corpus = read(TEST)?;
    let (_, rows) = table(&corpus, file(TEST))?;
    let mut test = TEST_HEADER.to_owned();
    for (index, row) in rows.enumerate() {
        let _ = writeln!(test, "{index}\t{}", row?[1..].join("\t"));
    }
    Ok([("train.tsv", train), ("dev.tsv", dev), ("test.tsv", test)])
}

/// Lines with their numbers from 1, white space at their ends removed as the script does; blank ones are none.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).filter(|(_, line)| !line.is_empty())
}

/// The header of a file, its byte order mark included, and its rows.
fn table(text: &str, path: PathBuf) -> Result<(&str, impl Iterator<Item = Result<Vec<&str>, Diagnostic>>), Diagnostic> {
    let mut lines = lines(text);
    let (_, header) = lines.next().ok_or_else(|| Diagnostic::new("the file is empty").in_file(&path))?;
    let rows = lines.map(move |(number, line)| {
        let row: Vec<&str> = line.split('\t').collect();
        let wrong = || Diagnostic::new(format!("{} columns where {COLUMNS} are expected", row.len()));
        if row.len() == COLUMNS { Ok(row) } else { Err(wrong().at_line(&path, number)) }
    });
    Ok((header, rows))
}
