//! What identifies a task's data.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use super::Task;
use crate::data::sha256_of;
use crate::diagnostic::Diagnostic;

impl Task {
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
