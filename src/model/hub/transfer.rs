//! One file: from the hub to a verified blob with a link in a snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use super::cache::RepositoryCache;
use super::client::{FileInfo, Hub};
use super::error::HubError;
use crate::download::{Address, Checksum, Expected, Progress, Transfer};
use crate::store::free_disk;
use crate::units::Bytes;

/// Files of one commit.
pub(super) struct Commit<'a> {
    pub(super) hub: &'a Hub,
    pub(super) cache: &'a RepositoryCache,
    pub(super) sha: &'a str,
}

impl Commit<'_> {
    /// The file's path in the snapshot; fetched unless it is there.
    pub(super) fn file(&self, name: &str, progress: &dyn Progress) -> Result<PathBuf, HubError> {
        let path = self.cache.snapshot(self.sha).join(name);
        if path.exists() {
            return Ok(path);
        }
        let url = self.hub.address(self.sha, name);
        let FileInfo { etag, size } = self.hub.file_info(name, &url)?;
        let _held = self.cache.lock(&etag, progress)?;
        let (blob, part) = self.cache.blob(&etag);
        let is_whole = || fs::metadata(&blob).is_ok_and(|found| size.is_none_or(|size| found.len() == size));
        if !is_whole() {
            self.has_room(name, &part, size)?;
            let transfer = Transfer {
                client: &self.hub.client,
                label: name,
                subject: &self.hub.subject(name),
                address: &Address::Url(url),
                part: &part,
                expected: &Expected { size, checksum: checksum(&etag), retry_damaged: true },
            };
            match transfer.run(progress).and_then(|_| transfer.publish(&blob)) {
                // Without locks, another process may have given the same part its name.
                Err(error) if !is_whole() => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        self.cache.link(&blob, self.sha, name)?;
        Ok(path)
    }

    fn has_room(&self, name: &str, part: &Path, size: Option<u64>) -> Result<(), HubError> {
        let done = fs::metadata(part).map_or(0, |found| found.len());
        let needed = Bytes(size.unwrap_or(0).saturating_sub(done));
        let cache = part.parent().unwrap_or(part);
        match free_disk(cache) {
            Some(free) if free < needed => {
                let (repository, file) = (self.hub.repository.clone(), name.to_owned());
                Err(HubError::NoRoom { repository, file, needed, cache: cache.to_path_buf(), free })
            }
            _ => Ok(()),
        }
    }
}

/// The hub's etag is the SHA-256 of a large file (git-lfs) and git's name of a small one; another server's may say
/// nothing.
fn checksum(etag: &str) -> Option<Checksum> {
    let is_hexadecimal = etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    match etag.len() {
        64 if is_hexadecimal => Some(Checksum::Sha256(etag.to_owned())),
        40 if is_hexadecimal => Some(Checksum::GitBlob(etag.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_the_checksum_that_it_looks_like() {
        assert_eq!(checksum(&"0a".repeat(32)), Some(Checksum::Sha256("0a".repeat(32))));
        assert_eq!(checksum(&"0A".repeat(20)), Some(Checksum::GitBlob("0A".repeat(20))));
        assert_eq!((checksum(&"0g".repeat(20)), checksum("some-other-etag")), (None, None));
    }
}
