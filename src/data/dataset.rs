//! What a row of the table of datasets says.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::columns::Columns;
use crate::diagnostic::{Diagnostic, suggest};

/// A dataset as published, a row of [`DATASETS`](super::DATASETS); or over files that the user names.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name in experiment files and manifests.
    pub name: Cow<'static, str>,
    /// The name of a group that it is fetched with.
    pub group: Option<&'static str>,
    /// Its folder in the data root. Case and punctuation of the user's folder may differ (`STSB`, `sst2`).
    pub folder: Cow<'static, str>,
    /// Other names under which the folder is distributed.
    pub also: &'static [&'static str],
    /// What its label column holds.
    pub labels: Labels,
    /// The label of rows whose annotators found no majority, which are left out.
    pub no_gold: Option<&'static str>,
    /// Its splits, one file each.
    pub splits: &'static [SplitFile],
    /// The files of splits where the user says that they are, whatever their names and folders; none in the table.
    pub paths: BTreeMap<&'static str, PathBuf>,
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
    Squad {
        /// Whether questions may have no answer: version 2.0.
        unanswerable: bool,
    },
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

impl SplitFile {
    /// A split whose file has its name.
    pub(super) const fn table(
        name: &'static str,
        role: SplitRole,
        file: &'static str,
        layout: Layout,
        examples: u64,
    ) -> Self {
        Self { name, role, file, also: &[], layout, examples }
    }

    /// A split that is no table, under all the names that its file has.
    pub(super) const fn other(
        name: &'static str,
        role: SplitRole,
        file: &'static str,
        also: &'static [&'static str],
        examples: u64,
    ) -> Self {
        Self { name, role, file, also, layout: Layout::NONE, examples }
    }
}

impl Dataset {
    /// A dataset of tables as GLUE's are.
    pub(super) const fn tables(
        name: &'static str,
        folder: &'static str,
        labels: Labels,
        splits: &'static [SplitFile],
        manifest: &'static str,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            group: None,
            folder: Cow::Borrowed(folder),
            also: &[],
            labels,
            no_gold: None,
            splits,
            paths: BTreeMap::new(),
            reader: Reader::Glue,
            manifest,
        }
    }

    /// A dataset whose reader knows what an answer is.
    pub(super) const fn structured(
        name: &'static str,
        folder: &'static str,
        reader: Reader,
        splits: &'static [SplitFile],
        manifest: &'static str,
    ) -> Self {
        Self::tables(name, folder, Labels::Structured, splits, manifest).read_by(reader)
    }

    /// The same as a part of a group.
    pub(super) const fn group(mut self, name: &'static str) -> Self {
        self.group = Some(name);
        self
    }

    /// The same under other folder names too.
    pub(super) const fn also(mut self, folders: &'static [&'static str]) -> Self {
        self.also = folders;
        self
    }

    /// The same with rows labelled `label` left out.
    pub(super) const fn no_gold(mut self, label: &'static str) -> Self {
        self.no_gold = Some(label);
        self
    }

    /// The same with another reader.
    pub(super) const fn read_by(mut self, reader: Reader) -> Self {
        self.reader = reader;
        self
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

    /// The splits with the role `role`.
    pub fn splits_of(&self, role: SplitRole) -> impl Iterator<Item = &'static SplitFile> + use<> {
        self.splits.iter().filter(move |split| split.role == role)
    }
}
