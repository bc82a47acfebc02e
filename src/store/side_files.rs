//! The checksums that a record has of the other files of its run.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic;
use super::attempt::is_aside;
use super::checkpoints::CHECKPOINTS;
use super::error::StoreError;
use super::folder::{FAILURE, LOG, METRICS, MODEL, RECORD, RunFolder, SETTINGS, SNAPSHOTS};
use super::present::checksum;
use super::record::Record;

impl RunFolder {
    /// BLAKE3 of every file in the folder that a record answers for, by its path there.
    pub(super) fn side_files(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let mut found = BTreeMap::new();
        collect(self.path(), "", &mut found)?;
        Ok(found)
    }

    /// Files beside the record that are not as it says, each a [`StoreError::Damaged`]; apart from the weights, which are
    /// large, and the log, which [`RunFolder::events`] checks. One that was removed is not damaged.
    #[must_use]
    pub fn damaged_side_files(&self, record: &Record) -> Vec<StoreError> {
        let small = record.files.keys().filter(|name| *name != METRICS && !is_of_weights(name));
        small.filter_map(|name| self.check_side_file(record, name).err()).collect()
    }

    /// Fails when a file of the weights is not as the record says, or is gone though its folder is there.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; when a file cannot be read.
    pub fn check_weights(&self, record: &Record) -> Result<(), StoreError> {
        for name in record.files.keys().filter(|name| is_of_weights(name)) {
            let path = self.path().join(name);
            if !path.exists() {
                return Err(StoreError::Damaged { path, cause: "it is missing".to_owned() });
            }
            self.check_side_file(record, name)?;
        }
        Ok(())
    }

    /// Fails when the file `name` is there and is not as `record` says.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; when it cannot be read.
    pub fn check_side_file(&self, record: &Record, name: &str) -> Result<(), StoreError> {
        let path = self.path().join(name);
        let Some(expected) = record.files.get(name) else { return Ok(()) };
        match checksum(&path) {
            Ok(found) if found == *expected => Ok(()),
            Ok(_) => Err(changed(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if path.is_dir() => Err(StoreError::Damaged { path, cause: error.to_string() }),
            Err(error) => Err(atomic::about("cannot read", &path, &error).into()),
        }
    }
}

impl Record {
    /// Fails when the file `name`, which is at `path`, has other bytes than this record says.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(super) fn check_side_bytes(&self, path: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let is_same = |expected: &String| blake3::hash(bytes).to_hex().as_str() == expected;
        if self.files.get(name).is_none_or(is_same) { Ok(()) } else { Err(changed(path.to_path_buf())) }
    }
}

fn changed(path: PathBuf) -> StoreError {
    StoreError::Damaged { path, cause: "it was changed: its checksum does not match".to_owned() }
}

/// Whether a path in a run's folder is that of a file of weights.
fn is_of_weights(name: &str) -> bool {
    name.split_once('/').is_some_and(|(folder, _)| [MODEL, SNAPSHOTS].contains(&folder))
}

/// Adds the files in `folder`, whose place in the run's folder is `prefix`.
fn collect(folder: &Path, prefix: &str, into: &mut BTreeMap<String, String>) -> Result<(), StoreError> {
    let listed = |error| StoreError::from(atomic::about("cannot list", folder, &error));
    for entry in fs::read_dir(folder).map_err(listed)? {
        let entry = entry.map_err(listed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let apart = [LOG, SETTINGS, RECORD, FAILURE, CHECKPOINTS].contains(&name.as_str()) || is_aside(&name);
        if name.starts_with('.') || prefix.is_empty() && apart {
            continue;
        }
        let (path, place) = (entry.path(), format!("{prefix}{name}"));
        if entry.file_type().map_err(listed)?.is_dir() {
            collect(&path, &format!("{place}/"), into)?;
        } else {
            let sum = checksum(&path).map_err(|error| StoreError::from(atomic::about("cannot read", &path, &error)))?;
            into.insert(place, sum);
        }
    }
    Ok(())
}
