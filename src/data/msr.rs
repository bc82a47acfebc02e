//! MRPC from the files of the Microsoft Research Paraphrase Corpus, split as GLUE splits them: dev is the
//! rows of the training file whose pair of ids stands in `dev_ids.tsv`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::dataset::{Dataset, Layout, SplitFile, SplitRole};
use super::example::{BadRows, Split};
use super::folder::{DEV_IDS, DatasetFolder, TEST, TRAIN};
use super::glue::Gathered;
use super::layouts::MRPC;
use super::rows::{Row, for_each_row};
use crate::diagnostic::Diagnostic;

/// Places of the two sentences' ids in a row.
const IDS: (usize, usize) = (1, 2);

const DEV_IDS_LAYOUT: Layout =
    Layout { header: false, columns: &["#1 ID", "#2 ID"], id: None, first: 0, second: Some(1), label: None };

/// The files that a split is read from, by name, when they are all there.
pub(super) fn files(split: &SplitFile, folder: &DatasetFolder<'_>) -> Option<Vec<(&'static str, PathBuf)>> {
    let names: &[&str] = match split.role {
        SplitRole::Train | SplitRole::Dev => &[TRAIN, DEV_IDS],
        SplitRole::Test => &[TEST],
    };
    names.iter().map(|name| Some((*name, folder.file(name).ok()?))).collect()
}

/// Reads `split`; `None` when the folder does not hold the corpus.
pub(super) fn read(
    dataset: &Dataset,
    split: &SplitFile,
    folder: &DatasetFolder<'_>,
    bad_rows: BadRows,
) -> Option<Result<Split, Diagnostic>> {
    let files = files(split, folder)?;
    let mut paths = files.into_iter().map(|(_, path)| path);
    let rows = paths.next()?;
    if let Some(ids) = paths.next() {
        return Some(read_part(dataset, split, &rows, &ids, bad_rows));
    }
    // The corpus has the test labels, GLUE does not give them out; neither do we, so that both sources agree.
    let mut gathered = Gathered::new(dataset, split.name, bad_rows);
    let read = for_each_row(&rows, &Layout { label: None, ..MRPC }, |row| gathered.add(row));
    Some(read.and_then(|()| gathered.finish(&rows)))
}

fn read_part(
    dataset: &Dataset,
    split: &SplitFile,
    rows: &Path,
    ids: &Path,
    bad_rows: BadRows,
) -> Result<Split, Diagnostic> {
    let mut dev: HashSet<(String, String)> = HashSet::new();
    for_each_row(ids, &DEV_IDS_LAYOUT, |row| {
        // Never skipped: a pair that is not known to be dev's would be trained on.
        let pair = ids_of(row, 0, 1).map_err(|bad| bad.hint("each line is a pair of ids, tab-separated"))?;
        dev.insert(pair);
        Ok(())
    })?;
    let mut gathered = Gathered::new(dataset, split.name, bad_rows);
    for_each_row(rows, &MRPC, |row| {
        match ids_of(row, IDS.0, IDS.1) {
            Ok(pair) if dev.contains(&pair) == (split.role == SplitRole::Dev) => gathered.add(row),
            Ok(_) => Ok(()),
            // Its split cannot be told, so both count it.
            Err(bad) => gathered.bad(bad),
        }
    })?;
    if split.role == SplitRole::Dev && gathered.is_untouched() {
        return Err(Diagnostic::new(format!("no pair of ids of this file is in {TRAIN}")).in_file(ids));
    }
    gathered.finish(rows)
}

fn ids_of(row: &Row<'_>, first: usize, second: usize) -> Result<(String, String), Diagnostic> {
    row.has_all_columns()?;
    Ok((row.text(first)?.to_owned(), row.text(second)?.to_owned()))
}
