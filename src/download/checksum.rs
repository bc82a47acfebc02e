//! What a file is held against.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::{Digest, Sha1};

use crate::checksum::{hexadecimal, sha256_of};

/// The checksum that a file should have, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Sha256(String),
    /// The name that git gives a file's content.
    GitBlob(String),
}

impl Checksum {
    /// What it is called in messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::GitBlob(_) => "git hash",
        }
    }

    pub(super) fn expected(&self) -> &str {
        match self {
            Self::Sha256(expected) | Self::GitBlob(expected) => expected,
        }
    }

    /// What the file at `path` has.
    pub(super) fn found(&self, path: &Path) -> io::Result<String> {
        match self {
            Self::Sha256(_) => sha256_of(path),
            Self::GitBlob(_) => git_blob(path),
        }
    }
}

/// SHA-1 of `blob SIZE\0` and the content: how git names a file's content.
fn git_blob(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", file.metadata()?.len()));
    let mut buffer = vec![0; 1 << 16];
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
    fn the_git_hash_is_git_s() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // The example of the Git book, "Git Internals - Git Objects".
        std::fs::write(file.path(), "test content\n").unwrap();
        assert_eq!(git_blob(file.path()).unwrap(), "d670460b4b4aece5915caf5c68d12f560a9fe3e4");
    }
}
