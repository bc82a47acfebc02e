//! The bytes that a part lacks, from its address.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{Known, Part, Transfer};
use crate::download::Progress;
use crate::download::address::without_password;
use crate::download::client::{Answer, Follow, Range, cause_of, is_transient};
use crate::download::error::DownloadError;
use crate::store::atomic;
use crate::units::Bytes;

/// How much is read before it is written.
const PIECE: usize = 1 << 16;
/// A file whose size is not known may have so many bytes: WikiText-103 and MNLI, the largest, have a tenth.
const LARGEST: u64 = 4 << 30;

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

impl Transfer<'_> {
    /// Goes on from the part's end until all is there.
    pub(super) fn fetch(&self, url: &str, part: &mut Part, progress: &dyn Progress) -> Result<(), DownloadError> {
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
    pub(super) fn copy(&self, path: &Path, part: &mut Part, progress: &dyn Progress) -> Result<(), DownloadError> {
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
