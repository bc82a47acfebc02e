//! One file: from an address to a verified part file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Progress;
use super::address::without_password;
use super::checksum::Checksum;
use super::client::{Answer, Client, Follow, Range, cause_of, is_transient};
use super::error::DownloadError;
use crate::checksum::sha256_of;
use crate::store::atomic;
use crate::units::Bytes;

/// How much is read before it is written.
const PIECE: usize = 1 << 16;
/// A file whose size is not known may have so many bytes: WikiText-103 and MNLI, the largest, have a tenth.
const LARGEST: u64 = 4 << 30;

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

/// Why a part did not become longer as it should.
enum Failure {
    /// The network or the server: another attempt may go better.
    Transient(String),
    /// It will not.
    Final(DownloadError),
}

impl From<DownloadError> for Failure {
    fn from(error: DownloadError) -> Self {
        Self::Final(error)
    }
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

    /// Goes on from the part's end until all is there.
    fn fetch(&self, url: &str, part: &mut Part, progress: &dyn Progress) -> Result<(), DownloadError> {
        let (mut furthest, mut failures) = (part.done, 0);
        progress.file(self.label, self.size(part), part.done);
        while part.done == 0 || self.size(part) != Some(part.done) {
            let cause = match self.piece(url, part, progress) {
                Ok(()) if self.size(part).is_none_or(|size| size == part.done) => return Ok(()),
                Ok(()) => "the connection broke".to_owned(),
                Err(Failure::Transient(cause)) => cause,
                Err(Failure::Final(error)) => return Err(error),
            };
            failures = if part.done > furthest { 1 } else { failures + 1 };
            furthest = furthest.max(part.done);
            if failures >= self.client.retry.attempts {
                let file = self.subject.to_owned();
                return Err(match part.done {
                    0 => DownloadError::Unreachable { file, cause },
                    done => DownloadError::Interrupted { file, cause, done },
                });
            }
            self.client.retry.wait(failures);
        }
        Ok(())
    }

    /// One request, from the part's end on.
    fn piece(&self, url: &str, part: &mut Part, progress: &dyn Progress) -> Result<(), Failure> {
        // With a checksum, a server's other name for the same file (a mirror's etag) starts nothing anew.
        let validator = part.known.validator.as_deref().filter(|_| self.expected.checksum.is_none());
        let range = if part.done == 0 { Range::Whole } else { Range::From(part.done, validator) };
        let answer = self.client.get(url, range, Follow::Anywhere);
        let answer = answer.map_err(|error| Failure::Transient(cause_of(&error)))?;
        let total = self.size(part);
        match answer.status {
            206 if answer.start() == Some(part.done)
                && (answer.size().is_none() || total.is_none_or(|total| answer.size() == Some(total))) => {}
            // The server has no parts, or no longer the same file.
            200 if part.done > 0 => {
                self.restart(part)?;
                progress.file(self.label, answer.size().or(self.expected.size), 0);
            }
            200 => {}
            206 | 416 => {
                self.restart(part)?;
                progress.file(self.label, self.expected.size, 0);
                return Err(Failure::Transient("the server sent another range than was asked for".to_owned()));
            }
            status if is_transient(status) => return Err(Failure::Transient(format!("status {status}"))),
            status => return Err(DownloadError::Refused { file: self.subject.to_owned(), status }.into()),
        }
        self.take(url, answer, part, progress)
    }

    /// Writes an answer's body to the part's end.
    fn take(&self, url: &str, answer: Answer, part: &mut Part, progress: &dyn Progress) -> Result<(), Failure> {
        let file = || self.subject.to_owned();
        if let (Some(expected), Some(found)) = (self.expected.size, answer.size())
            && expected != found
        {
            self.forget()?;
            return Err(DownloadError::Size { file: file(), expected, found }.into());
        }
        let known = Known {
            address: without_password(url),
            validator: answer.validator().map(str::to_owned).or_else(|| part.known.validator.take()),
            size: answer.size().or(part.known.size),
        };
        // Size and checksum are enough to go on with.
        if known != part.known && (self.expected.size.is_none() || self.expected.checksum.is_none()) {
            atomic::write_json(&self.note(), &known).map_err(DownloadError::disk(&self.note()))?;
        }
        part.known = known;
        let limit = self.size(part).unwrap_or(LARGEST);
        part.file.seek(SeekFrom::Start(part.done)).map_err(DownloadError::disk(self.part))?;
        // One byte more tells a file that is too long from one that ends.
        let mut body = answer.body.take(limit.saturating_sub(part.done).saturating_add(1));
        let mut buffer = vec![0; PIECE];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Transient(cause_of(&error))),
            };
            let found = part.done + read as u64;
            if found > limit {
                self.forget()?;
                return Err(Failure::Final(match self.size(part) {
                    Some(expected) => DownloadError::Size { file: file(), expected, found },
                    None => DownloadError::TooLarge { file: file(), limit: Bytes(LARGEST) },
                }));
            }
            self.write(part, &buffer[..read], progress)?;
        }
    }

    fn write(&self, part: &mut Part, bytes: &[u8], progress: &dyn Progress) -> Result<(), DownloadError> {
        part.file.write_all(bytes).map_err(DownloadError::disk(self.part))?;
        part.done += bytes.len() as u64;
        progress.advanced(self.label, bytes.len() as u64);
        Ok(())
    }

    /// Copies a file of this machine, from its start.
    fn copy(&self, path: &Path, part: &mut Part, progress: &dyn Progress) -> Result<(), DownloadError> {
        self.restart(part)?;
        part.file.rewind().map_err(DownloadError::disk(self.part))?;
        let source = File::open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                DownloadError::Unreachable { file: self.subject.to_owned(), cause: "there is no such file".to_owned() }
            } else {
                DownloadError::disk(path)(error)
            }
        })?;
        progress.file(self.label, source.metadata().ok().map(|found| found.len()), 0);
        let mut source = source.take(self.expected.size.unwrap_or(LARGEST).saturating_add(1));
        let mut buffer = vec![0; PIECE];
        loop {
            match source.read(&mut buffer).map_err(DownloadError::disk(path))? {
                0 => return Ok(()),
                read => self.write(part, &buffer[..read], progress)?,
            }
        }
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
