//! Finding a dataset's files under the data root.

use std::path::{Path, PathBuf};

use super::dataset::{Dataset, Reader, SplitFile};
use crate::diagnostic::Diagnostic;

/// The files of the Microsoft Research Paraphrase Corpus.
pub(super) const TRAIN: &str = "msr_paraphrase_train.txt";
pub(super) const TEST: &str = "msr_paraphrase_test.txt";
pub(super) const DEV_IDS: &str = "dev_ids.tsv";

/// All that this corpus must bring.
const MSR_FILES: [&str; 3] = [TRAIN, TEST, DEV_IDS];

/// A dataset's folder that exists.
pub(super) struct DatasetFolder<'a> {
    dataset: &'a Dataset,
    path: PathBuf,
}

impl<'a> DatasetFolder<'a> {
    /// The folder of `dataset` under `root`: by its published name, else by the first of its names that one has, in
    /// other case and punctuation.
    pub(super) fn find(dataset: &'a Dataset, root: &Path) -> Result<Self, Diagnostic> {
        let published = root.join(&*dataset.folder);
        if published.is_dir() {
            return Ok(Self { dataset, path: published });
        }
        let entries = std::fs::read_dir(root).map_err(|error| {
            Diagnostic::new(format!("the data folder cannot be read: {error}"))
                .in_file(root)
                .hint(format!("expected there: {}", expected(dataset)))
        })?;
        let rank = |name: &str| {
            let mut names = std::iter::once(&*dataset.folder).chain(dataset.also.iter().copied());
            names.position(|known| letters(known) == letters(name))
        };
        // The order of a folder's entries is the file system's; the answer must not be. SQuAD 2.0 may lie in `SQuAD`,
        // which is version 1.1's where there is a `SQuAD2` too.
        let alike = entries
            .filter_map(Result::ok)
            .filter_map(|entry| Some((rank(&entry.file_name().to_string_lossy())?, entry.path())))
            .filter(|(_, path)| path.is_dir());
        alike.min().map(|(_, path)| Self { dataset, path }).ok_or_else(|| {
            Diagnostic::new(format!("no folder `{}`", dataset.folder))
                .in_file(root)
                .hint(format!("expected there: {}", expected(dataset)))
        })
    }

    /// The file of `split`, under any name that it is distributed with.
    pub(super) fn split(&self, split: &SplitFile) -> Result<PathBuf, Diagnostic> {
        let found = self.file(split.file);
        let other = split.also.iter().find_map(|name| self.file(name).ok());
        if found.is_ok() { found } else { other.ok_or(()).or(found) }
    }

    /// The file called `name` in the folder.
    pub(super) fn file(&self, name: &str) -> Result<PathBuf, Diagnostic> {
        let path = self.path.join(name);
        if path.is_file() {
            Ok(path)
        } else {
            Err(Diagnostic::new("no such file")
                .in_file(&path)
                .hint(format!("expected there: {}", expected(self.dataset)))
                .absence())
        }
    }
}

fn expected(dataset: &Dataset) -> String {
    let files = dataset.splits.iter().map(|split| format!("{}/{}", dataset.folder, split.file));
    let files = files.collect::<Vec<_>>().join(", ");
    match dataset.reader {
        Reader::GlueOrMsr => format!("{files}; or {}", MSR_FILES.join(", ")),
        Reader::Glue | Reader::Swag | Reader::Squad { .. } | Reader::Columns(_) => files,
    }
}

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(dataset: &str, folders: &[&str]) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        for folder in folders {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let folder = DatasetFolder::find(Dataset::find(dataset).unwrap(), root.path()).ok()?;
        Some(folder.path.file_name()?.to_str()?.to_owned())
    }

    #[test]
    fn folders_are_found_under_the_names_they_are_distributed_with() {
        assert_eq!(found("stsb", &["STS-B", "stsb"]).as_deref(), Some("STS-B"));
        assert_eq!(found("stsb", &["sts_b", "RTE"]).as_deref(), Some("sts_b"));
        assert_eq!(found("sst2", &["SST2"]).as_deref(), Some("SST2"));
        assert_eq!(found("ax", &["diagnostic"]).as_deref(), Some("diagnostic"));
        assert_eq!(found("rte", &["RTE2", "WNLI"]), None);
        assert_eq!(found("squad2", &["SQuAD", "squad_2"]).as_deref(), Some("squad_2"));
        assert_eq!(found("squad2", &["SQuAD"]).as_deref(), Some("SQuAD"));
        assert_eq!(found("squad1", &["SQuAD", "SQuAD2"]).as_deref(), Some("SQuAD"));
    }
}
