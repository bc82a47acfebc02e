//! Files that appear whole or not at all.
//!
//! Everything is written under a temporary name in the folder where it belongs, flushed to disk,
//! renamed, and the folder flushed. A process that dies in between leaves a name that starts with
//! [`TEMPORARY`] and carries its machine and process, so that [`clean`] can tell it from one in use.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tempfile::NamedTempFile;

pub(super) use super::flush::about;
use super::flush::{sync_folder, sync_tree};
use super::present::entries;
use super::process::{self, Process};

/// The beginning of every temporary name.
pub const TEMPORARY: &str = ".tmp-";

/// A temporary name of another machine is taken for abandoned after this time: no single file of a
/// run takes an hour to write.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);

/// Writes `bytes` to `path`, replacing what was there in one step.
///
/// # Errors
/// When the folder does not exist or cannot be written; `path` is then as it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    persist(stage(path, bytes)?, path)?;
    sync_folder(parent(path))
}

/// Writes `bytes` to `path` unless something is there already: `false`, and nothing is changed.
///
/// # Errors
/// When the folder does not exist or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    publish_new(stage(path, bytes)?, path)
}

/// As [`write()`], but the caller flushes: until then a power cut may leave the file empty.
pub(super) fn write_unflushed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    persist(filled(path, bytes)?, path)
}

/// As [`write_new`], but visible to this machine only until it is flushed; gives the open file.
pub(super) fn write_new_unflushed(path: &Path, bytes: &[u8]) -> io::Result<Option<File>> {
    persist_new(filled(path, bytes)?, path)
}

/// Puts `bytes` on disk beside `path`, ready to become `path`; they vanish unless they do.
pub(super) fn stage(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let temporary = filled(path, bytes)?;
    temporary.as_file().sync_all().map_err(|error| about("cannot write", path, &error))?;
    Ok(temporary)
}

/// What [`stage`] gave becomes the file at `path` unless there is one: then `false`, and the staged file is dropped. Of
/// several processes that do this at once exactly one gets `true`.
pub(super) fn publish_new(staged: NamedTempFile, path: &Path) -> io::Result<bool> {
    let is_new = persist_new(staged, path)?.is_some();
    if is_new {
        sync_folder(parent(path))?;
    }
    Ok(is_new)
}

/// A temporary file beside `path` that holds `bytes`.
fn filled(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let named = |error| about("cannot write", path, &error);
    let mut temporary = temporary_file(parent(path)).map_err(named)?;
    temporary.write_all(bytes).map_err(named)?;
    Ok(temporary)
}

/// A temporary file becomes that at `path`.
pub(super) fn persist(temporary: NamedTempFile, path: &Path) -> io::Result<()> {
    temporary.persist(path).map(drop).map_err(|failed| about("cannot write", path, &failed.error))
}

/// The same unless there is a file; gives the open file.
fn persist_new(temporary: NamedTempFile, path: &Path) -> io::Result<Option<File>> {
    match temporary.persist_noclobber(path) {
        Ok(file) => Ok(Some(file)),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(failed) => Err(about("cannot write", path, &failed.error)),
    }
}

/// Writes `value` to `path` as indented JSON with a last newline.
///
/// # Errors
/// When `value` has no JSON form, and as [`write()`].
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    write(path, &json(value)?)
}

/// `value` as indented JSON with a last newline.
///
/// # Errors
/// When `value` has no JSON form (a map whose keys are not text).
pub fn json<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// An empty folder under a temporary name beside `path`, for [`publish_folder`].
///
/// # Errors
/// When the folder around it cannot be written.
pub fn stage_folder(path: &Path) -> io::Result<PathBuf> {
    let staged = spare_name(parent(path));
    fs::create_dir(&staged).map_err(|error| about("cannot create", &staged, &error))?;
    Ok(staged)
}

/// Flushes every file in `staged` and renames the folder to `path`; a folder at `path` is removed. When that fails,
/// `staged` is removed.
///
/// # Errors
/// When a file cannot be flushed or a rename fails.
pub fn publish_folder(staged: &Path, path: &Path) -> io::Result<()> {
    let published = sync_tree(staged).and_then(|()| {
        remove(path)?;
        fs::rename(staged, path).map_err(|error| about("cannot write", path, &error))
    });
    if let Err(error) = published {
        // The error says more than a left-over that cannot be removed, which the next `clean` finds.
        let _ = remove_now(staged);
        return Err(error);
    }
    sync_folder(parent(path))
}

/// Takes the lock `path`, a file that stays, and waits for whoever holds it. It is free again when the file is
/// dropped or its process ends. `None` where the file system has no locks.
///
/// # Errors
/// When the file cannot be made.
pub fn lock(path: &Path) -> io::Result<Option<fs::File>> {
    let named = |error: io::Error| about("cannot lock", path, &error);
    let file = fs::File::options().create(true).truncate(false).write(true).open(path).map_err(named)?;
    match file.lock() {
        Ok(()) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(named(error)),
    }
}

/// Removes a file or a folder with all that is in it; nothing there is fine. It is renamed first, so
/// that no reader meets a folder that is half gone.
///
/// # Errors
/// When the rename or the removal fails.
pub fn remove(path: &Path) -> io::Result<()> {
    let trash = spare_name(parent(path));
    match fs::rename(path, &trash) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(about("cannot remove", path, &error)),
    }
    remove_now(&trash)
}

/// Removes temporary names directly in `folder` whose process is gone (on this machine) or that are
/// older than an hour (of another machine), and gives their number. A missing folder has none.
///
/// # Errors
/// When the folder cannot be listed or a left-over cannot be removed.
pub fn clean(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in entries(folder)? {
        let path = entry.path();
        if is_temporary(&path) && is_abandoned(&path) {
            remove_now(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether `path` has a temporary name.
#[must_use]
pub fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMPORARY))
}

/// A new temporary file in `folder`, readable for whoever the umask lets read.
pub(super) fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let prefix = prefix();
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    // A temporary file is private by default, but these become records that colleagues read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// The folder of `path`; the current one for a bare name.
#[must_use]
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// `.tmp-<machine>-<process>-<start of the process>-`
fn prefix() -> String {
    let Process { pid, started_unix } = Process::current();
    format!("{TEMPORARY}{}-{pid}-{started_unix}-", process::machine())
}

/// A temporary name in `folder` that nothing has.
fn spare_name(folder: &Path) -> PathBuf {
    /// Names that this process has given.
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    // Nothing is written, so that files can be removed from a full disk; process and number make the name unique.
    folder.join(format!("{}{}", prefix(), GIVEN.fetch_add(1, Ordering::Relaxed)))
}

fn is_abandoned(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut parts = name.strip_prefix(TEMPORARY).unwrap_or_default().split('-');
    let (machine, pid, started) = (parts.next(), parts.next(), parts.next());
    if machine == Some(process::machine())
        && let (Some(Ok(pid)), Some(Ok(started_unix))) = (pid.map(str::parse), started.map(str::parse))
    {
        return !Process { pid, started_unix }.is_alive();
    }
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > ABANDONED_AFTER))
}

/// Removes a file or folder in place. Another process may be at the same, which is fine.
fn remove_now(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(about("cannot remove", path, &error)),
        _ => Ok(()),
    }
}
