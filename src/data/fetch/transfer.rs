//! One file: from an address to a verified `.part`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::FetchProgress;
use super::client::{Answer, Client, From, RetryPolicy, is_passing, words};
use super::error::FetchError;
use super::mirror::Address;
use crate::checksum::hexadecimal;
use crate::store::atomic;
use crate::units::Bytes;

/// How much is read before it is written.
const PIECE: usize = 1 << 16;
/// A file whose size is not known may have so many bytes: WikiText-103 and MNLI, the largest, have a tenth.
const LARGEST: u64 = 4 << 30;

/// What a file should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) size: Option<u64>,
    /// The checksum, and whether it is that of a first download.
    pub(super) sha256: Option<(String, bool)>,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) sha256: String,
    pub(super) size: u64,
}

/// A file to fetch.
pub(super) struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) patience: &'a RetryPolicy,
    /// What progress calls it.
    pub(super) label: &'a str,
    pub(super) address: &'a Address,
    /// Where its bytes gather; beside it, with `.json` appended, what is known of them.
    pub(super) part: &'a Path,
    pub(super) expected: &'a Expected,
}

/// What is known of a part: enough to go on with it and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    address: String,
    validator: Option<String>,
    size: Option<u64>,
}

/// Why a part did not become longer as it should.
enum Broken {
    /// The network or the server: another attempt may go better.
    Passing(String),
    /// It will not.
    Final(FetchError),
}

/// A part while it grows.
struct Part {
    file: File,
    hash: Sha256,
    done: u64,
    known: Known,
}

impl Transfer<'_> {
    /// Completes the part and holds it against what it should be. One that went on from an earlier transfer and
    /// turns out wrong is fetched once more from the start.
    ///
    /// # Errors
    /// See [`FetchError`]; a part that is wrong is gone, a part that is incomplete stays for the next call.
    pub(super) fn run(&self, progress: &dyn FetchProgress) -> Result<Received, FetchError> {
        let (received, went_on) = self.complete(progress)?;
        let Err(wrong) = self.compare(&received) else { return Ok(received) };
        self.forget()?;
        if !went_on {
            return Err(wrong);
        }
        progress.note(&format!("{} arrived damaged: fetching it again", self.label));
        let (received, _) = self.complete(progress)?;
        if let Err(wrong) = self.compare(&received) {
            self.forget()?;
            return Err(wrong);
        }
        Ok(received)
    }

    fn compare(&self, received: &Received) -> Result<(), FetchError> {
        let address = || self.address.to_string();
        if let Some(expected) = self.expected.size.filter(|expected| *expected != received.size) {
            return Err(FetchError::Size { address: address(), expected, found: received.size });
        }
        match &self.expected.sha256 {
            Some((expected, first_use)) if *expected != received.sha256 => Err(FetchError::Checksum {
                file: address(),
                expected: expected.clone(),
                found: received.sha256.clone(),
                first_use: *first_use,
            }),
            _ => Ok(()),
        }
    }

    /// Fetches what the part lacks; whether something of it was there before.
    fn complete(&self, progress: &dyn FetchProgress) -> Result<(Received, bool), FetchError> {
        let mut part = self.open()?;
        let went_on = part.done > 0;
        match self.address {
            Address::Url(url) => self.fetch(url, &mut part, progress)?,
            Address::File(path) => self.copy(path, &mut part, progress)?,
        }
        part.file.sync_all().map_err(FetchError::disk(self.part))?;
        progress.finished(self.label);
        Ok((Received { sha256: hexadecimal(&part.hash.finalize()), size: part.done }, went_on))
    }

    /// The part as far as it can be gone on with, its bytes hashed.
    fn open(&self) -> Result<Part, FetchError> {
        let disk = || FetchError::disk(self.part);
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(self.part);
        let file = open.map_err(disk())?;
        let length = file.metadata().map_err(disk())?.len();
        let known = fs::read(self.note()).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let mut part = Part { file, hash: Sha256::new(), done: 0, known };
        // A checksum makes up for a validator, and for another address of the same file.
        let same = part.known.address == self.address.to_string();
        let checked = self.expected.sha256.is_some();
        let fits = self.size(&part).is_none_or(|size| length <= size);
        if !fits || !(checked || same && part.known.validator.is_some()) {
            self.restart(&mut part).map_err(disk())?;
            return Ok(part);
        }
        if !same {
            part.known.validator = None;
        }
        let mut buffer = vec![0; PIECE];
        loop {
            match part.file.read(&mut buffer).map_err(disk())? {
                0 => return Ok(part),
                read => {
                    part.hash.update(&buffer[..read]);
                    part.done += read as u64;
                }
            }
        }
    }

    /// The size of the whole file, from the manifest, else as its server said.
    fn size(&self, part: &Part) -> Option<u64> {
        self.expected.size.or(part.known.size)
    }

    fn note(&self) -> PathBuf {
        let mut name = self.part.as_os_str().to_owned();
        name.push(".json");
        name.into()
    }

    fn forget(&self) -> Result<(), FetchError> {
        for path in [self.note(), self.part.to_path_buf()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(FetchError::disk(&path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn restart(&self, part: &mut Part) -> io::Result<()> {
        part.file.set_len(0)?;
        part.file.rewind()?;
        (part.hash, part.done, part.known) = (Sha256::new(), 0, Known::default());
        match fs::remove_file(self.note()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Goes on from the part's end until all is there.
    fn fetch(&self, url: &str, part: &mut Part, progress: &dyn FetchProgress) -> Result<(), FetchError> {
        let (mut furthest, mut failures) = (part.done, 0);
        progress.file(self.label, self.size(part), part.done);
        while part.done == 0 || self.size(part) != Some(part.done) {
            let cause = match self.piece(url, part, progress) {
                Ok(()) if self.size(part).is_none_or(|size| size == part.done) => return Ok(()),
                Ok(()) => "the connection broke".to_owned(),
                Err(Broken::Passing(cause)) => cause,
                Err(Broken::Final(error)) => return Err(error),
            };
            failures = if part.done > furthest { 1 } else { failures + 1 };
            furthest = furthest.max(part.done);
            if failures >= self.patience.attempts {
                let address = url.to_owned();
                return Err(match part.done {
                    0 => FetchError::Unreachable { address, cause },
                    done => FetchError::Interrupted { address, cause, done },
                });
            }
            self.patience.wait(failures);
        }
        Ok(())
    }

    /// One request, from the part's end on.
    fn piece(&self, url: &str, part: &mut Part, progress: &dyn FetchProgress) -> Result<(), Broken> {
        let disk = |error| Broken::Final(FetchError::disk(self.part)(error));
        let from = match part.done {
            0 => From::Start,
            done => From::Byte(done, part.known.validator.as_deref()),
        };
        let answer = self.client.get(url, from).map_err(|error| Broken::Passing(words(&error)))?;
        match answer {
            Answer { status: 206, start, size, .. }
                if start == Some(part.done)
                    && (size.is_none() || self.size(part).is_none_or(|it| size == Some(it))) => {}
            // The server has no parts, or no longer the same file.
            Answer { status: 200, .. } => {
                if part.done > 0 {
                    self.restart(part).map_err(disk)?;
                    progress.file(self.label, answer.size.or(self.expected.size), 0);
                }
            }
            Answer { status: 206 | 416, .. } => {
                self.restart(part).map_err(disk)?;
                progress.file(self.label, self.expected.size, 0);
                return Err(Broken::Passing("the server sent another range than was asked for".to_owned()));
            }
            Answer { status, .. } if is_passing(status) => return Err(Broken::Passing(format!("status {status}"))),
            Answer { status, .. } => {
                return Err(Broken::Final(FetchError::Refused { address: url.to_owned(), status }));
            }
        }
        self.take(url, answer, part, progress)
    }

    /// Writes an answer's body to the part's end.
    fn take(&self, url: &str, answer: Answer, part: &mut Part, progress: &dyn FetchProgress) -> Result<(), Broken> {
        let address = || url.to_owned();
        if let (Some(expected), Some(found)) = (self.expected.size, answer.size)
            && expected != found
        {
            self.forget().map_err(Broken::Final)?;
            return Err(Broken::Final(FetchError::Size { address: address(), expected, found }));
        }
        let known = Known {
            address: address(),
            validator: answer.validator.or_else(|| part.known.validator.take()),
            size: answer.size.or(part.known.size),
        };
        if known != part.known {
            atomic::write_json(&self.note(), &known)
                .map_err(|error| Broken::Final(FetchError::disk(&self.note())(error)))?;
            part.known = known;
        }
        let limit = self.size(part).unwrap_or(LARGEST);
        part.file
            .seek(SeekFrom::Start(part.done))
            .map_err(|error| Broken::Final(FetchError::disk(self.part)(error)))?;
        // One byte more tells a file that is too long from one that ends.
        let mut body = answer.body.take(limit.saturating_sub(part.done).saturating_add(1));
        let mut buffer = vec![0; PIECE];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::Passing(words(&error))),
            };
            if part.done + read as u64 > limit {
                self.forget().map_err(Broken::Final)?;
                return Err(Broken::Final(match self.size(part) {
                    Some(expected) => FetchError::Size { address: address(), expected, found: part.done + read as u64 },
                    None => FetchError::TooLarge { address: address(), limit: Bytes(LARGEST) },
                }));
            }
            self.write(part, &buffer[..read], progress).map_err(Broken::Final)?;
        }
    }

    fn write(&self, part: &mut Part, bytes: &[u8], progress: &dyn FetchProgress) -> Result<(), FetchError> {
        part.file.write_all(bytes).map_err(FetchError::disk(self.part))?;
        part.hash.update(bytes);
        part.done += bytes.len() as u64;
        progress.advanced(self.label, bytes.len() as u64);
        Ok(())
    }

    /// Copies a file of this machine, from its start.
    fn copy(&self, path: &Path, part: &mut Part, progress: &dyn FetchProgress) -> Result<(), FetchError> {
        let missing = |error: io::Error| {
            if error.kind() != io::ErrorKind::NotFound {
                return FetchError::disk(path)(error);
            }
            let cause = "there is no such file".to_owned();
            FetchError::Unreachable { address: path.display().to_string(), cause }
        };
        self.restart(part).map_err(FetchError::disk(self.part))?;
        let source = File::open(path).map_err(missing)?;
        progress.file(self.label, source.metadata().ok().map(|found| found.len()), 0);
        let mut source = source.take(self.expected.size.unwrap_or(LARGEST).saturating_add(1));
        let mut buffer = vec![0; PIECE];
        loop {
            match source.read(&mut buffer).map_err(FetchError::disk(path))? {
                0 => return Ok(()),
                read => self.write(part, &buffer[..read], progress)?,
            }
        }
    }
}
