//! Reading a task's data.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use super::{TRAIN, Task};
use crate::data::{BadRows, Split, SplitFile, sha256_of};
use crate::diagnostic::Diagnostic;

/// The examples that a task trains on and is scored on.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskData {
    /// The training split.
    pub train: Split,
    /// The dev splits in the order of [`Task::dev`].
    pub dev: Vec<Split>,
}

impl Task {
    /// Reads the training split and the dev splits from the data root. Test files need not be there.
    ///
    /// # Errors
    /// A missing file; with [`BadRows::Refuse`], the first malformed row.
    pub fn load(&self, data_root: &Path, bad_rows: BadRows) -> Result<TaskData, Diagnostic> {
        let read = |split: &SplitFile| self.dataset.read(data_root, split, bad_rows);
        let train = read(self.dataset.split(TRAIN)?)?;
        Ok(TaskData { train, dev: self.dev().map(read).collect::<Result<_, _>>()? })
    }

    /// SHA-256 of every file that training and dev scoring read, by its published name (`RTE/train.tsv`).
    ///
    /// # Errors
    /// A file that is missing or cannot be read.
    pub fn checksums(&self, data_root: &Path) -> Result<BTreeMap<String, String>, Diagnostic> {
        let mut checksums = BTreeMap::new();
        for split in self.read_splits()? {
            for (name, path) in self.dataset.files(data_root, split)? {
                // MRPC's train and dev may share a file.
                if let Entry::Vacant(entry) = checksums.entry(name) {
                    entry.insert(checksum(&path)?);
                }
            }
        }
        Ok(checksums)
    }
}

/// SHA-256 of a data file.
pub(super) fn checksum(path: &Path) -> Result<String, Diagnostic> {
    sha256_of(path).map_err(|error| Diagnostic::new(format!("the file cannot be read: {error}")).in_file(path))
}
