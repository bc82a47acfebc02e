//! What of a dataset is there, and what must be fetched.

use std::path::{Path, PathBuf};

use super::super::manifest::Manifest;
use super::Outcome;
use super::error::FetchError;
use super::lock::{Lock, Trust};
use super::part::{Assembly, Download, RemoteFile};
use crate::checksum::sha256_of;

/// How a file of a dataset's folder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not there.
    Missing,
    /// It has the checksum that it should.
    Verified(Trust),
    /// It is there, and no checksum is known.
    Unverified,
    /// It is there with another checksum.
    Differs(Trust),
}

/// What is to be done for a dataset.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) manifest: &'a Manifest,
    /// The dataset's folder.
    pub(super) folder: PathBuf,
    pub(super) lock: Lock,
    /// Every file that the folder should have.
    pub(super) files: Vec<(&'a str, Standing)>,
    /// The published files that must be fetched.
    pub(super) needed: Vec<&'a RemoteFile>,
    /// What must be made of them and of files that are there.
    pub(super) assembly: Option<Assembly>,
}

/// The checksum that a file of a dataset's folder should have.
fn expected<'m>(manifest: &'m Manifest, lock: &'m Lock, file: &str) -> Option<(&'m str, Trust)> {
    let locked = || lock.files.get(file).map(|locked| (locked.sha256.as_str(), locked.trust));
    manifest.sha256_of(file).map(|sha256| (sha256, Trust::Published)).or_else(locked)
}

/// How `file` of a dataset's folder stands.
///
/// # Errors
/// When it cannot be read.
pub(super) fn standing(manifest: &Manifest, lock: &Lock, folder: &Path, file: &str) -> Result<Standing, FetchError> {
    let path = folder.join(file);
    if !path.exists() {
        return Ok(Standing::Missing);
    }
    let Some((expected, trust)) = expected(manifest, lock, file) else { return Ok(Standing::Unverified) };
    let found = sha256_of(&path).map_err(FetchError::disk(&path))?;
    Ok(if found == expected { Standing::Verified(trust) } else { Standing::Differs(trust) })
}

impl<'a> Plan<'a> {
    /// Looks at what is in the data root `root`. With `replace`, files with other bytes are to be fetched again.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn new(
        manifest: &'a Manifest,
        download: &'a Download,
        root: &Path,
        replace: bool,
    ) -> Result<Self, FetchError> {
        let folder = root.join(&manifest.folder);
        let lock = Lock::read(&folder);
        let mut files = Vec::new();
        for target in download.targets() {
            files.push((target, standing(manifest, &lock, &folder, target)?));
        }
        let is_stale = |target: &str| {
            files.iter().any(|(file, standing)| {
                *file == target
                    && match standing {
                        Standing::Missing => true,
                        Standing::Differs(_) => replace,
                        Standing::Verified(_) | Standing::Unverified => false,
                    }
            })
        };
        let needed = download.files.iter().filter(|file| file.targets().into_iter().any(is_stale)).collect();
        let assembly = download.assemble.filter(|made| made.files().iter().any(|file| is_stale(file)));
        Ok(Self { manifest, folder, lock, files, needed, assembly })
    }

    /// The first file that is there with other bytes, which is left alone.
    pub(super) fn conflict(&self, replace: bool) -> Option<FetchError> {
        let differs = self.files.iter().find_map(|(file, standing)| match standing {
            Standing::Differs(trust) => Some((file, *trust)),
            Standing::Missing | Standing::Verified(_) | Standing::Unverified => None,
        });
        let (file, trust) = differs.filter(|_| !replace)?;
        Some(FetchError::Differs { path: self.folder.join(file), first_use: trust == Trust::FirstUse })
    }

    /// Whether there is nothing to do.
    pub(super) fn is_done(&self) -> bool {
        self.needed.is_empty() && self.assembly.is_none()
    }

    /// What is there, when there is nothing to do.
    pub(super) fn outcome(&self) -> Outcome {
        let unverified = self.files.iter().filter(|(_, standing)| *standing == Standing::Unverified).count();
        Outcome::There { files: self.files.len(), unverified }
    }

    /// The checksum that a file of the folder should have.
    pub(super) fn expected(&self, file: &str) -> Option<(&str, Trust)> {
        expected(self.manifest, &self.lock, file)
    }

    /// The checksum that a published file should have, and whether it is that of a first download.
    pub(super) fn sha256_of(&self, file: &RemoteFile, replace: bool) -> Option<(String, bool)> {
        if let Some(sha256) = &file.sha256 {
            return Some((sha256.clone(), false));
        }
        let locked = match (&file.unpack, &file.targets()[..]) {
            (Some(_), _) => self.lock.archives.get(file.name()),
            (None, [target]) => self.lock.files.get(*target),
            (None, _) => None,
        };
        // Who replaces a file trusts anew.
        locked.filter(|_| !replace).map(|locked| (locked.sha256.clone(), true))
    }
}
