//! What a row of the table of datasets says.

use std::path::{Path, PathBuf};

use super::columns::Columns;
use super::example::{BadRows, Split};
use super::folder::DatasetFolder;
use super::table::DATASETS;
use super::{glue, msr};
use crate::diagnostic::{Diagnostic, suggest};

/// A dataset as published: a row of [`DATASETS`].
#[derive(Clone, Copy, Debug)]
pub struct Dataset {
    /// The name in experiment files and manifests.
    pub name: &'static str,
    /// Its folder in the data root. Case and punctuation of the user's folder may differ (`STSB`, `sst2`).
    pub folder: &'static str,
    /// Other names under which the folder is distributed.
    pub also: &'static [&'static str],
    /// What its label column holds.
    pub labels: Labels,
    /// The label of rows whose annotators found no majority, which are left out.
    pub no_gold: Option<&'static str>,
    /// Its splits, one file each.
    pub splits: &'static [SplitFile],
    /// How its files are read.
    pub reader: Reader,
    /// The text of `datasets/<name>.yaml`.
    pub manifest: &'static str,
}

/// What a label column holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Labels {
    /// One of these strings; its place here is the class's index.
    Classes(&'static [&'static str]),
    /// A number from `lowest` to `highest`, both included.
    Score {
        /// The least similar.
        lowest: f32,
        /// The most similar.
        highest: f32,
    },
    /// Never published: the dataset only asks for predictions.
    Hidden,
    /// No column: the reader knows what an answer is.
    Structured,
}

/// How a dataset's files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// GLUE's tab-separated files.
    Glue,
    /// The same, or in their absence the files of the Microsoft Research Paraphrase Corpus.
    GlueOrMsr,
    /// SWAG's comma-separated files.
    Swag,
    /// SQuAD's JSON.
    Squad,
    /// A word and its tag a line.
    Columns(Columns),
}

/// What a split is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitRole {
    /// Trained on.
    Train,
    /// Scored on.
    Dev,
    /// Without labels, for the benchmark's server.
    Test,
}

/// One split of a dataset and the file that holds it.
#[derive(Clone, Copy, Debug)]
pub struct SplitFile {
    /// `train`, `dev`, `test`, `dev_matched`, …
    pub name: &'static str,
    /// What it is for.
    pub role: SplitRole,
    /// The file in the dataset's folder.
    pub file: &'static str,
    /// Other names under which the file is distributed.
    pub also: &'static [&'static str],
    /// Where the user says that it is, whatever its name and folder.
    pub path: Option<&'static Path>,
    /// The file's columns, of a table.
    pub layout: Layout,
    /// Published number of examples.
    pub examples: u64,
}

/// The columns of a file. Places count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whether the first line names the columns.
    pub header: bool,
    /// The columns' published names.
    pub columns: &'static [&'static str],
    /// The example's id; without one, its number from 0.
    pub id: Option<usize>,
    /// The first text.
    pub first: usize,
    /// The second text of a pair.
    pub second: Option<usize>,
    /// The label.
    pub label: Option<usize>,
}

impl Layout {
    /// Of files that are no tables.
    pub const NONE: Self = Self { header: false, columns: &[], id: None, first: 0, second: None, label: None };
}

impl Dataset {
    /// The dataset called `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn find(name: &str) -> Result<&'static Self, Diagnostic> {
        DATASETS.iter().find(|dataset| dataset.name == name).ok_or_else(|| {
            Diagnostic::new(format!("unknown dataset `{name}`"))
                .hint(suggest(name, DATASETS.iter().map(|dataset| dataset.name)))
        })
    }

    /// The split called `name`.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one.
    pub fn split(&self, name: &str) -> Result<&'static SplitFile, Diagnostic> {
        self.splits.iter().find(|split| split.name == name).ok_or_else(|| {
            Diagnostic::new(format!("{} has no split `{name}`", self.name))
                .hint(suggest(name, self.splits.iter().map(|split| split.name)))
        })
    }

    /// Reads a split of a dataset of tables from the data root `root`. Texts come out as they stand in the file,
    /// byte for byte.
    ///
    /// # Errors
    /// A dataset of another format; a folder or file that is missing or cannot be read; an empty file; with
    /// [`BadRows::Refuse`], the first malformed row.
    pub fn read(&self, root: &Path, split: &SplitFile, bad_rows: BadRows) -> Result<Split, Diagnostic> {
        if !matches!(self.reader, Reader::Glue | Reader::GlueOrMsr) {
            return Err(Diagnostic::new(format!("{} is not made of tables", self.name)));
        }
        if let Some(path) = split.path {
            return glue::read(self, split, path, bad_rows);
        }
        let folder = DatasetFolder::find(self, root)?;
        match (self.reader, folder.split(split)) {
            (Reader::GlueOrMsr, Err(missing)) => msr::read(self, split, &folder, bad_rows).unwrap_or(Err(missing)),
            (_, file) => glue::read(self, split, &file?, bad_rows),
        }
    }

    /// The one file that a split is read from.
    pub(super) fn file(&self, root: &Path, split: &SplitFile) -> Result<PathBuf, Diagnostic> {
        match split.path {
            Some(path) => Ok(path.to_path_buf()),
            None => DatasetFolder::find(self, root)?.split(split),
        }
    }

    /// The files that a split is read from: `(name, path)`. The name is `<folder>/<file>` as published, so
    /// that it does not depend on how the user spelled the folder.
    ///
    /// # Errors
    /// As [`Dataset::read`] for a missing folder or file.
    pub fn files(&self, root: &Path, split: &SplitFile) -> Result<Vec<(String, PathBuf)>, Diagnostic> {
        let named = |files: Vec<(&str, PathBuf)>| {
            files.into_iter().map(|(file, path)| (format!("{}/{file}", self.folder), path)).collect()
        };
        if let Some(path) = split.path {
            return Ok(named(vec![(split.file, path.to_path_buf())]));
        }
        let folder = DatasetFolder::find(self, root)?;
        match (self.reader, folder.split(split)) {
            (_, Ok(path)) => Ok(named(vec![(split.file, path)])),
            (Reader::GlueOrMsr, Err(missing)) => msr::files(split, &folder).map(named).ok_or(missing),
            (_, Err(missing)) => Err(missing),
        }
    }
}
