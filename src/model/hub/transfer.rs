//! One file: from the hub to a verified blob with a link in a snapshot.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use super::HubProgress;
use super::cache::RepositoryCache;
use super::client::{Answer, Client, Follow, is_passing, pause, words};
use super::error::HubError;
use crate::checksum::{hexadecimal, sha256_of};
use crate::store::free_disk;
use crate::units::Bytes;

/// How often in a row a transfer may break without one more byte having come; about 5 s in all.
const ATTEMPTS: u32 = 5;
/// How much is read before it is written.
const PIECE: usize = 1 << 16;

/// Files of one commit.
pub(super) struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) cache: &'a RepositoryCache,
    pub(super) commit: &'a str,
}

/// A file as the hub describes it.
struct Remote<'a> {
    name: &'a str,
    url: String,
    etag: String,
    size: Option<u64>,
    part: PathBuf,
}

/// Why a part did not become longer as it should.
enum Broken {
    /// The network or the server: another attempt may go better.
    Passing(String),
    /// It will not.
    Final(HubError),
}

impl Transfer<'_> {
    /// The file's path in the snapshot; fetched unless it is there.
    pub(super) fn file(&self, name: &str, progress: &mut dyn HubProgress) -> Result<PathBuf, HubError> {
        let path = self.cache.snapshot(self.commit).join(name);
        if path.exists() {
            return Ok(path);
        }
        let url = self.client.address(self.commit, name);
        let (etag, size) = self.head(name, &url)?;
        let _held = self.cache.lock(&etag, progress)?;
        let (blob, part) = self.cache.blob(&etag);
        let is_whole = || fs::metadata(&blob).is_ok_and(|found| size.is_none_or(|size| found.len() == size));
        if !is_whole() {
            let remote = Remote { name, url, etag, size, part };
            let fetched = self.verified(&remote, progress);
            match fetched.and_then(|()| fs::rename(&remote.part, &blob).map_err(HubError::disk(&blob))) {
                // Without locks, another process may have given the same part its name.
                Err(error) if !is_whole() => return Err(error),
                Ok(()) | Err(_) => progress.finished(name),
            }
        }
        self.cache.link(&blob, self.commit, name)?;
        Ok(path)
    }

    /// The etag and the size of a file.
    fn head(&self, name: &str, url: &str) -> Result<(String, Option<u64>), HubError> {
        let mut failures = 0;
        let answer = loop {
            let cause = match self.client.get(url, Some("0-0"), None, Follow::OnHub) {
                Ok(answer) if !is_passing(answer.status) => break answer,
                Ok(answer) => format!("status {}", answer.status),
                Err(error) => words(&error),
            };
            failures += 1;
            if failures >= ATTEMPTS {
                return Err(self.interrupted(name, cause, 0));
            }
            pause(failures);
        };
        // 416: an empty file has no byte 0.
        if !matches!(answer.status, 200 | 206 | 300..400 | 416) {
            return Err(self.client.refusal(answer, Some(name)));
        }
        let etag = answer.etag.unwrap_or_default();
        let etag = etag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if etag.is_empty() || etag.len() > 128 || !etag.chars().all(is_plain) {
            return Err(self.client.nonsense(&format!("{name} comes without a usable etag")));
        }
        Ok((etag, answer.size))
    }

    /// Completes the part and holds it against the checksum; a wrong one is fetched once more.
    fn verified(&self, remote: &Remote<'_>, progress: &mut dyn HubProgress) -> Result<(), HubError> {
        let mut found = self.completed(remote, progress)?;
        if found.is_some() {
            progress.note(&format!("{} arrived damaged: fetching it again", remote.name));
            fs::remove_file(&remote.part).map_err(HubError::disk(&remote.part))?;
            found = self.completed(remote, progress)?;
        }
        let Some(found) = found else { return Ok(()) };
        fs::remove_file(&remote.part).map_err(HubError::disk(&remote.part))?;
        let (repository, file) = (self.client.repository.clone(), remote.name.to_owned());
        Err(HubError::Checksum { repository, file, expected: remote.etag.clone(), found })
    }

    /// Fetches what the part lacks; what is wrong with it then, if anything.
    fn completed(&self, remote: &Remote<'_>, progress: &mut dyn HubProgress) -> Result<Option<String>, HubError> {
        self.fetch(remote, progress)?;
        mismatch(&remote.part, &remote.etag).map_err(HubError::disk(&remote.part))
    }

    /// Goes on from the part's end until all is there.
    fn fetch(&self, remote: &Remote<'_>, progress: &mut dyn HubProgress) -> Result<(), HubError> {
        let part = &remote.part;
        let disk = || HubError::disk(part);
        part.parent().map_or(Ok(()), fs::create_dir_all).map_err(disk())?;
        // Not for appending: bytes go to their place even if two processes write.
        let open = OpenOptions::new().create(true).write(true).truncate(false).open(part);
        let mut file = open.map_err(disk())?;
        let mut done = file.metadata().map_err(disk())?.len();
        if remote.size.is_some_and(|size| done > size) {
            file.set_len(0).map_err(disk())?;
            done = 0;
        }
        self.has_room(remote, done)?;
        let (mut furthest, mut failures) = (done, 0);
        progress.file(remote.name, remote.size, done);
        while remote.size != Some(done) {
            let cause = match self.piece(remote, &mut file, &mut done, progress) {
                Ok(()) if remote.size.is_none_or(|size| size == done) => break,
                Ok(()) => "the connection broke".to_owned(),
                Err(Broken::Passing(cause)) => cause,
                Err(Broken::Final(error)) => return Err(error),
            };
            failures = if done > furthest { 1 } else { failures + 1 };
            furthest = furthest.max(done);
            if failures >= ATTEMPTS {
                return Err(self.interrupted(remote.name, cause, done));
            }
            pause(failures);
        }
        file.sync_all().map_err(disk())
    }

    /// One request, from byte `done` on.
    fn piece(
        &self,
        remote: &Remote<'_>,
        file: &mut File,
        done: &mut u64,
        progress: &mut dyn HubProgress,
    ) -> Result<(), Broken> {
        let disk = |error| Broken::Final(HubError::disk(&remote.part)(error));
        let range = (*done > 0).then(|| format!("{done}-"));
        let answer = self.client.get(&remote.url, range.as_deref(), None, Follow::Anywhere);
        let answer = answer.map_err(|error| Broken::Passing(words(&error)))?;
        let from = match answer {
            // The server has no parts: all over again.
            Answer { status: 200, .. } => 0,
            Answer { status: 206, start, .. } if start.unwrap_or(*done) == *done => *done,
            Answer { status: 206 | 416, .. } => {
                restart(file, remote, done, progress).map_err(disk)?;
                return Err(Broken::Passing("the server sent another range than was asked for".to_owned()));
            }
            Answer { status, .. } if is_passing(status) => return Err(Broken::Passing(format!("status {status}"))),
            refusal => return Err(Broken::Final(self.client.refusal(refusal, Some(remote.name)))),
        };
        if from != *done {
            restart(file, remote, done, progress).map_err(disk)?;
        }
        file.seek(SeekFrom::Start(*done)).map_err(disk)?;
        let mut body = answer.body.take(remote.size.map_or(u64::MAX, |size| size - *done));
        let mut buffer = vec![0; PIECE];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::Passing(words(&error))),
            };
            file.write_all(&buffer[..read]).map_err(disk)?;
            *done += read as u64;
            progress.advanced(read as u64);
        }
    }

    fn has_room(&self, remote: &Remote<'_>, done: u64) -> Result<(), HubError> {
        let needed = Bytes(remote.size.unwrap_or(0).saturating_sub(done));
        match free_disk(&remote.part) {
            Some(free) if free < needed => {
                let cache = remote.part.parent().unwrap_or(&remote.part).to_path_buf();
                let (repository, file) = (self.client.repository.clone(), remote.name.to_owned());
                Err(HubError::NoRoom { repository, file, needed, cache, free })
            }
            _ => Ok(()),
        }
    }

    fn interrupted(&self, file: &str, cause: String, done: u64) -> HubError {
        HubError::Interrupted { repository: self.client.repository.clone(), file: file.to_owned(), cause, done }
    }
}

/// Forgets what is there of a part.
fn restart(
    file: &mut File,
    remote: &Remote<'_>,
    done: &mut u64,
    progress: &mut dyn HubProgress,
) -> Result<(), io::Error> {
    file.set_len(0)?;
    *done = 0;
    progress.file(remote.name, remote.size, 0);
    Ok(())
}

/// What a file's checksum is, when it is not what its etag says. The hub's etag is the SHA-256 of a
/// large file (git-lfs) and git's name of a small one; another server's may say nothing.
fn mismatch(path: &Path, etag: &str) -> io::Result<Option<String>> {
    let is_hexadecimal = etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (kind, found) = match etag.len() {
        64 if is_hexadecimal => ("SHA-256", sha256_of(path)?),
        40 if is_hexadecimal => ("git hash", git_hash(path)?),
        _ => return Ok(None),
    };
    Ok((!found.eq_ignore_ascii_case(etag)).then(|| format!("{kind} is {found}")))
}

/// SHA-1 of `blob SIZE\0` and the content: how git names a file's content.
fn git_hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", file.metadata()?.len()));
    let mut buffer = vec![0; PIECE];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_compared_with_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        // The example of the Git book, "Git Internals - Git Objects".
        fs::write(&path, "test content\n").unwrap();
        assert_eq!(git_hash(&path).unwrap(), "d670460b4b4aece5915caf5c68d12f560a9fe3e4");
        assert_eq!(mismatch(&path, "d670460b4b4aece5915caf5c68d12f560a9fe3e4").unwrap(), None);
        assert!(mismatch(&path, "d670460b4b4aece5915caf5c68d12f560a9fe3e5").unwrap().unwrap().contains("d670460b"));
        let sha256 = sha256_of(&path).unwrap();
        assert_eq!(mismatch(&path, &sha256.to_uppercase()).unwrap(), None);
        assert!(mismatch(&path, &"0".repeat(64)).unwrap().unwrap().contains(&sha256));
        assert_eq!(mismatch(&path, "some-other-etag").unwrap(), None);
    }
}
