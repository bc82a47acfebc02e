//! `fetched.json` beside a dataset's files: what was fetched, from where, and with which checksums.
//!
//! Where a manifest has no checksum, the first download is trusted and later ones, and
//! `bertbench data verify`, are held against what is written here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::FetchError;
use crate::store::atomic;

/// The name of the file, in lower case.
pub(super) const LOCK: &str = "fetched.json";

/// Where a checksum comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The manifest has it, or that of the archive that the file was in.
    Published,
    /// It is that of the first download.
    FirstUse,
}

/// A file as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFile {
    /// Its checksum.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where the checksum comes from.
    pub trust: Trust,
    /// The public or mirrored address that it, its archive or its sources came from.
    pub from: String,
}

/// The content of `fetched.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The dataset's name.
    pub dataset: String,
    /// Files of the folder.
    pub files: BTreeMap<String, LockedFile>,
    /// Archives that files of the folder were in, by their name on a mirror; they are not kept.
    pub archives: BTreeMap<String, LockedFile>,
}

impl Lock {
    /// Reads the lock of a dataset's folder; an empty one where there is none, or where another program
    /// has written over it.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let text = fs::read(folder.join(LOCK)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Writes it into the folder, which must be there.
    pub(super) fn write(&self, folder: &Path) -> Result<(), FetchError> {
        let path = folder.join(LOCK);
        atomic::write_json(&path, self).map_err(FetchError::disk(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_as_written_and_a_damaged_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Lock::read(folder.path()), Lock::default());
        let file =
            LockedFile { sha256: "00".repeat(32), size: 3, trust: Trust::FirstUse, from: "https://a.org/a".to_owned() };
        let files = BTreeMap::from([("a".to_owned(), file)]);
        let lock = Lock { dataset: "toy".to_owned(), files, archives: BTreeMap::new() };
        lock.write(folder.path()).unwrap();
        assert_eq!(Lock::read(folder.path()), lock);
        fs::write(folder.path().join(LOCK), "{\"dataset\": \"toy\"").unwrap();
        assert_eq!(Lock::read(folder.path()), Lock::default());
    }
}
