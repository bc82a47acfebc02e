//! GLUE's tab-separated files: no quoting, an optional BOM, LF or CRLF, perhaps no newline at the end.

use std::path::Path;

use super::dataset::{Dataset, SplitFile};
use super::example::{BadRows, Split};
use super::rows::{Row, for_each_row};
use super::text_file::none_readable;
use crate::diagnostic::Diagnostic;

/// Reads the file at `path` as `split` of `dataset`.
pub(super) fn read(dataset: &Dataset, split: &SplitFile, path: &Path, bad_rows: BadRows) -> Result<Split, Diagnostic> {
    let mut gathered = Gathered::new(dataset, split.name, bad_rows);
    for_each_row(path, &split.layout, |row| gathered.add(row))?;
    gathered.finish(path)
}

/// A split while its rows come in.
pub(super) struct Gathered<'a> {
    dataset: &'a Dataset,
    split: Split,
    bad_rows: BadRows,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(dataset: &'a Dataset, name: &'static str, bad_rows: BadRows) -> Self {
        let split = Split { name, examples: Vec::new(), skipped: 0, without_gold: 0 };
        Self { dataset, split, bad_rows }
    }

    /// Takes a row in, counts it, or refuses it.
    pub(super) fn add(&mut self, row: &Row<'_>) -> Result<(), Diagnostic> {
        match row.example(self.dataset, self.split.examples.len()) {
            Ok(Some(example)) => self.split.examples.push(example),
            Ok(None) => self.split.without_gold += 1,
            Err(bad) => self.bad(bad)?,
        }
        Ok(())
    }

    /// Counts a malformed row or refuses it.
    pub(super) fn bad(&mut self, bad: Diagnostic) -> Result<(), Diagnostic> {
        match self.bad_rows {
            BadRows::Refuse => Err(bad),
            BadRows::Skip => {
                self.split.skipped += 1;
                Ok(())
            }
        }
    }

    /// Whether no row has come in, good or bad.
    pub(super) fn is_untouched(&self) -> bool {
        self.split.examples.is_empty() && self.split.skipped == 0
    }

    /// The split, unless it has no example.
    pub(super) fn finish(self, path: &Path) -> Result<Split, Diagnostic> {
        let Split { examples, skipped, without_gold, .. } = &self.split;
        if !examples.is_empty() {
            return Ok(self.split);
        }
        Err(match (skipped, without_gold) {
            (0, 0) => Diagnostic::new("the file has no rows").hint("was its download cut short?"),
            (0, _) => Diagnostic::new("no row of the file has a gold label"),
            (skipped, _) => none_readable(*skipped, "rows", path),
        }
        .in_file(path))
    }
}
