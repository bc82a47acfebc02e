//! SHA-256 of files: what identifies data, vocabularies and weights, comparable with `sha256sum`.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// SHA-256 of the file at `path`, in hexadecimal, read in pieces of 1 MiB.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// SHA-256 of `bytes`, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The bytes of a checksum, two lower-case digits each.
#[must_use]
pub fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(2 * digest.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What `read` answers, and the first of `paths` that was written to or replaced meanwhile: a checksum taken afterwards
/// is none of what was read when the file changed and changed back.
pub fn touched_while<'a, T>(
    paths: impl IntoIterator<Item = &'a Path>,
    read: impl FnOnce() -> T,
) -> (T, Option<PathBuf>) {
    let before: Vec<(&Path, Option<FileState>)> = paths.into_iter().map(|path| (path, FileState::of(path))).collect();
    let read = read();
    let touched = before.into_iter().find(|(path, was)| FileState::of(path) != *was);
    (read, touched.map(|(path, _)| path.to_path_buf()))
}

/// What a file system notes of a file's content.
#[derive(Debug, PartialEq, Eq)]
struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    /// Of the inode: seconds and nanoseconds of its last change, which no program can set, and its number.
    #[cfg(unix)]
    inode: (i64, i64, u64),
}

impl FileState {
    /// `None` for a file that cannot be looked at.
    fn of(path: &Path) -> Option<Self> {
        let of = std::fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt as _;
            (of.ctime(), of.ctime_nsec(), of.ino())
        };
        Some(Self {
            length: of.len(),
            modified: of.modified().ok(),
            #[cfg(unix)]
            inode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_and_changed_back_was_touched() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "was").unwrap();
        let sum = sha256_of(file.path()).unwrap();
        // Clocks of file systems tick every few milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(50));
        let (read, touched) = touched_while([file.path()], || {
            std::fs::write(file.path(), "is").unwrap();
            let read = std::fs::read(file.path()).unwrap();
            std::fs::write(file.path(), "was").unwrap();
            read
        });
        assert_eq!((read.as_slice(), sha256_of(file.path()).unwrap()), (&b"is"[..], sum));
        assert_eq!(touched.as_deref(), Some(file.path()));
        assert_eq!(touched_while([file.path()], || std::fs::read(file.path()).unwrap()).1, None);
    }

    #[test]
    fn the_published_example_and_a_file_longer_than_the_buffer() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // FIPS 180-2, appendix B.3: a million times "a"; a file of three times that spans three buffers.
        assert_eq!(sha256(&vec![b'a'; 1_000_000]), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        let long = vec![b'a'; 3_000_000];
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &long).unwrap();
        assert_eq!(sha256_of(file.path()).unwrap(), sha256(&long));
    }
}
