//! One file: from an address to a verified part file.

mod fill;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Progress;
use super::address::without_password;
use super::checksum::Checksum;
use super::client::Client;
use super::error::DownloadError;
use crate::checksum::sha256_of;

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Url(String),
    File(PathBuf),
}

/// What a file should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) size: Option<u64>,
    pub(crate) checksum: Option<Checksum>,
    /// Whether a file that came wrong in one go is fetched once more, too: when the checksum is the server's own, so
    /// that the fault lies on the way. One that goes on from an earlier transfer always is.
    pub(crate) retry_damaged: bool,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Of the kind that was expected, else SHA-256.
    pub(crate) checksum: String,
    pub(crate) size: u64,
}

/// A file to fetch.
pub(crate) struct Transfer<'a> {
    pub(crate) client: &'a Client,
    /// What progress calls it.
    pub(crate) label: &'a str,
    /// What errors call it.
    pub(crate) subject: &'a str,
    pub(crate) address: &'a Address,
    /// Where its bytes gather; beside it, with `.json` appended, what is known of them.
    pub(crate) part: &'a Path,
    pub(crate) expected: &'a Expected,
}

/// What is known of a part: enough to go on with it and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    address: String,
    validator: Option<String>,
    size: Option<u64>,
}

/// A part while it grows.
struct Part {
    file: File,
    done: u64,
    known: Known,
}

impl Transfer<'_> {
    /// Completes the part and holds it against what it should be. One that turns out wrong is fetched once more from
    /// the start if [`Expected::retry_damaged`] says so or a part of it was there before.
    ///
    /// # Errors
    /// See [`DownloadError`]; a part that is wrong is gone, a part that is incomplete stays for the next call.
    pub(crate) fn run(&self, progress: &dyn Progress) -> Result<Received, DownloadError> {
        let is_resumed = fs::metadata(self.part).is_ok_and(|found| found.len() > 0);
        let mut result = self.complete(progress);
        if let Err(DownloadError::Checksum { .. }) = result
            && (is_resumed || self.expected.retry_damaged)
        {
            progress.note(&format!("{} arrived damaged: fetching it again", self.label));
            result = self.complete(progress);
        }
        result
    }

    /// Gives a part that is complete its name.
    pub(crate) fn publish(&self, path: &Path) -> Result<(), DownloadError> {
        fs::rename(self.part, path).map_err(DownloadError::disk(path))?;
        self.forget()
    }

    /// Fetches what the part lacks, and compares it; a wrong one is removed.
    fn complete(&self, progress: &dyn Progress) -> Result<Received, DownloadError> {
        let mut part = self.open()?;
        match self.address {
            Address::Url(url) => self.fetch(url, &mut part, progress)?,
            Address::File(path) => self.copy(path, &mut part, progress)?,
        }
        part.file.sync_all().map_err(DownloadError::disk(self.part))?;
        let received = self.compare(part.done);
        match &received {
            Ok(_) => progress.finished(self.label),
            Err(_) => self.forget()?,
        }
        received
    }

    fn compare(&self, size: u64) -> Result<Received, DownloadError> {
        let file = self.subject.to_owned();
        if let Some(expected) = self.expected.size.filter(|expected| *expected != size) {
            return Err(DownloadError::Size { file, expected, found: size });
        }
        let checksum = self.expected.checksum.as_ref();
        let found = checksum.map_or_else(|| sha256_of(self.part), |checksum| checksum.found(self.part));
        let found = found.map_err(DownloadError::disk(self.part))?;
        match checksum {
            Some(checksum) if !found.eq_ignore_ascii_case(checksum.expected()) => {
                let (kind, expected) = (checksum.kind(), checksum.expected().to_owned());
                Err(DownloadError::Checksum { file, kind, expected, found })
            }
            _ => Ok(Received { checksum: found, size }),
        }
    }

    /// The part as far as it can be gone on with.
    fn open(&self) -> Result<Part, DownloadError> {
        let disk = || DownloadError::disk(self.part);
        self.part.parent().map_or(Ok(()), fs::create_dir_all).map_err(disk())?;
        // Not for appending: bytes go to their place even if two processes write.
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(self.part);
        let file = open.map_err(disk())?;
        let done = file.metadata().map_err(disk())?.len();
        let known = fs::read(self.note()).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let mut part = Part { file, done, known };
        // A checksum makes up for a validator, and for another address of the same file.
        let is_same = part.known.address == self.address.to_string() && part.known.validator.is_some();
        let fits = self.size(&part).is_none_or(|size| done <= size);
        if !fits || !(is_same || self.expected.checksum.is_some()) {
            self.restart(&mut part)?;
        }
        Ok(part)
    }

    /// The size of the whole file, as published, else as its server said.
    fn size(&self, part: &Part) -> Option<u64> {
        self.expected.size.or(part.known.size)
    }

    fn note(&self) -> PathBuf {
        let mut name = self.part.as_os_str().to_owned();
        name.push(".json");
        name.into()
    }

    fn forget(&self) -> Result<(), DownloadError> {
        remove(&self.note()).and_then(|()| remove(self.part))
    }

    fn restart(&self, part: &mut Part) -> Result<(), DownloadError> {
        part.file.set_len(0).map_err(DownloadError::disk(self.part))?;
        (part.done, part.known) = (0, Known::default());
        remove(&self.note())
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), DownloadError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DownloadError::disk(path)(error)),
        _ => Ok(()),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(&without_password(url)),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
