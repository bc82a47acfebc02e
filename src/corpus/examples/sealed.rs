//! Files of a prepared corpus: written once, with length and checksum kept in the manifest.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What identifies a file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    /// The file's name in the corpus' folder.
    pub(super) name: String,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// BLAKE3 of its content, in hexadecimal.
    pub(super) blake3: String,
}

/// A file that is being written.
pub(super) struct SealedWriter {
    into: BufWriter<File>,
    path: PathBuf,
    name: String,
    bytes: u64,
    hash: blake3::Hasher,
}

impl SealedWriter {
    pub(super) fn create(folder: &Path, name: String) -> io::Result<Self> {
        let path = folder.join(&name);
        let file = File::create_new(&path).map_err(|error| about("write", &path, &error))?;
        let into = BufWriter::with_capacity(1 << 20, file);
        Ok(Self { into, path, name, bytes: 0, hash: blake3::Hasher::new() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.into.write_all(bytes).map_err(|error| about("write", &self.path, &error))
    }

    /// Whoever publishes the folder flushes its files to disk.
    pub(super) fn finish(mut self) -> io::Result<Seal> {
        self.into.flush().map_err(|error| about("write", &self.path, &error))?;
        Ok(Seal { name: self.name, bytes: self.bytes, blake3: self.hash.finalize().to_hex().to_string() })
    }
}

impl Seal {
    /// Whether the file in `folder` is the one that was written; it is read to its end.
    pub(super) fn holds(&self, folder: &Path) -> io::Result<bool> {
        let path = folder.join(&self.name);
        let mut hash = blake3::Hasher::new();
        let read = File::open(&path).and_then(|file| hash.update_reader(file).map(drop));
        read.map_err(|error| about("read", &path, &error))?;
        Ok(hash.finalize().to_hex().as_str() == self.blake3)
    }
}

pub(super) fn about(action: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {action} {}: {error}", path.display()))
}
