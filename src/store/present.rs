//! Looking at files and folders, which need not be there.

use std::fs::{self, DirEntry, File};
use std::io;
use std::path::Path;

use super::flush::about;

/// What the file at `path` holds; `None` when there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(about("cannot read", path, &error)),
    }
}

/// BLAKE3 of the file at `path`, in hexadecimal.
pub(super) fn checksum(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// What is in the folder `path`; nothing when there is none.
pub(super) fn entries(path: &Path) -> io::Result<Vec<DirEntry>> {
    let listed = fs::read_dir(path).and_then(Iterator::collect);
    match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| about("cannot list", path, &error)),
    }
}

/// The names of the folders in `path` that are not hidden, sorted; none when `path` does not exist.
pub(super) fn subfolders(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in entries(path)? {
        // A name that is not text was not made by this program.
        if let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
            // The directory usually knows what its entries are; only a link has to be followed.
            && (entry.file_type()?.is_dir() || entry.file_type()?.is_symlink() && entry.path().is_dir())
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
