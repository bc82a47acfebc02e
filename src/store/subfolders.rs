//! Listing folders.

use std::fs;
use std::io;
use std::path::Path;

use super::atomic;

/// The names of the folders in `path` that are not hidden, sorted; none when `path` does not exist.
pub(super) fn subfolders(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(atomic::about("cannot list", path, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
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
