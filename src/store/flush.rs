//! Files and names that are on disk, not only in memory.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The same error, with what was tried and where.
pub(super) fn about(action: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{action} {}: {error}", path.display()))
}

/// Makes the names in `folder` durable. Systems without folder handles have nothing to do here.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder).and_then(|handle| handle.sync_all()).map_err(|error| about("cannot flush", folder, &error))?;
    Ok(())
}

pub(super) fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| about("cannot list", folder, &error))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_files_and(folder, &[])?;
    sync_folder(folder)
}

/// Flushes the files directly in `folder`, and the names in `folders`, all at once: a file system writes its journal once for flushes
/// that wait together, and once for each that comes alone.
pub(super) fn sync_files_and(folder: &Path, folders: &[&Path]) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| about("cannot list", folder, &error))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    let flush = |path: &Path| {
        let flushed = File::open(path).and_then(|file| file.sync_all());
        flushed.map_err(|error| about("cannot flush", path, &error))
    };
    std::thread::scope(|scope| {
        let folders = folders.iter().map(|folder| scope.spawn(|| sync_folder(folder)));
        let flushes: Vec<_> = files.iter().map(|path| scope.spawn(move || flush(path))).chain(folders).collect();
        flushes.into_iter().try_for_each(|flushed| {
            flushed.join().unwrap_or_else(|_| Err(io::Error::other("a thread that flushed a file panicked")))
        })
    })
}
