//! Whole files or none.

use std::io::{self, Write};
use std::path::Path;

/// Writes `bytes` to `path` so that another process, or this one after a crash, finds either the whole file
/// or what was there before: a temporary file beside it, fsync, rename.
///
/// # Errors
/// Whatever the file system answers.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}
