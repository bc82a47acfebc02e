//! Writing a whole folder at once: beside its place, with a marker, then renamed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{MiniError, VERSION};
use crate::checksum::sha256;

/// The marker's name.
const MARKER: &str = "mini.json";

/// Where the mini benchmark of a seed is kept unless the user says otherwise.
#[must_use]
pub fn default_folder(seed: u64) -> PathBuf {
    PathBuf::from("datasets").join(format!("mini-{seed}"))
}

/// Whether `folder` is a mini benchmark, by its marker.
#[must_use]
pub fn is_mini(folder: &Path) -> bool {
    folder.join(MARKER).is_file()
}

/// Whether `folder` holds the mini benchmark of `seed` as this program generates it, by its marker, with no file changed.
#[must_use]
pub fn is_generated(seed: u64, folder: &Path) -> bool {
    Marker::read(folder)
        .is_some_and(|marker| (marker.seed, marker.generator_version) == (seed, VERSION) && complete(folder, &marker))
}

/// What `mini.json` says of its folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    seed: u64,
    generator_version: u32,
    /// SHA-256 in hexadecimal of each other file, by its path in the folder.
    files: BTreeMap<String, String>,
}

impl Marker {
    /// That of `folder`, if it has one.
    fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(MARKER)).ok()?).ok()
    }
}

/// Puts `files` (path in the folder → content) at `out`. True when they were already there.
pub(super) fn put(out: &Path, seed: u64, files: &BTreeMap<String, String>) -> Result<bool, MiniError> {
    let digests = files.iter().map(|(path, content)| (path.clone(), sha256(content.as_bytes()))).collect();
    let marker = Marker { seed, generator_version: VERSION, files: digests };
    if complete(out, &marker) {
        return Ok(true);
    }
    refuse_strangers(out)?;
    let lock = Lock::of(out)?;
    if complete(out, &marker) {
        return Ok(true);
    }
    lock.clear_left_overs(out)?;
    let fresh = beside(out, "new");
    for (path, content) in files {
        write(&fresh.join(path), content)?;
    }
    write(&fresh.join(MARKER), &json(MARKER, &marker)?)?;
    if out.exists() {
        let old = beside(out, "old");
        fs::rename(out, &old).map_err(|cause| MiniError::file(out, cause))?;
        fs::rename(&fresh, out).map_err(|cause| MiniError::file(out, cause))?;
        clear(&old)?;
        return Ok(false);
    }
    fs::rename(&fresh, out).map(|()| false).map_err(|cause| MiniError::file(out, cause))
}

/// Held while a folder is put in its place: of processes that start together one writes it.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    fn of(out: &Path) -> Result<Self, MiniError> {
        let path = named_beside(out, "lock");
        let locked = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            match file.lock() {
                // A file system without locks: the last who writes wins, and all write the same.
                Err(cause) if cause.kind() != ErrorKind::Unsupported => Err(cause),
                Ok(()) | Err(_) => Ok(file),
            }
        };
        match locked() {
            Ok(file) => Ok(Self { path, _file: file }),
            Err(cause) => Err(MiniError::file(&path, cause)),
        }
    }

    /// Removes what processes that were killed left beside `out`: no other writes while this lock is held.
    fn clear_left_overs(&self, out: &Path) -> Result<(), MiniError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let left_over = |name: &str| ["new-", "old-"].iter().any(|what| name.starts_with(what));
        let own = format!("{}.", out.file_name().unwrap_or_default().to_string_lossy());
        for entry in fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_name().to_string_lossy().strip_prefix(&own).is_some_and(left_over) {
                clear(&entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The folder is there: who waits for this lock, or makes another of the name, finds it.
        let _ = fs::remove_file(&self.path);
    }
}

/// `value` as indented JSON with a newline at the end.
pub(super) fn json(name: &str, value: &impl Serialize) -> Result<String, MiniError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|cause| MiniError::Malformed { path: PathBuf::from(name), cause })?;
    Ok(text + "\n")
}

/// Whether `out` has this marker and every file that it names, undamaged.
fn complete(out: &Path, marker: &Marker) -> bool {
    Marker::read(out).as_ref() == Some(marker)
        && marker.files.iter().all(|(path, sum)| fs::read(out.join(path)).is_ok_and(|bytes| sha256(&bytes) == *sum))
}

/// An error unless `out` is missing, empty, or made of nothing but what its own marker names.
fn refuse_strangers(out: &Path) -> Result<(), MiniError> {
    let mut waiting = match fs::metadata(out) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(MiniError::file(out, cause)),
        Ok(found) if !found.is_dir() => return Err(MiniError::Occupied { path: out.to_path_buf() }),
        Ok(_) => vec![out.to_path_buf()],
    };
    let marker = Marker::read(out);
    let known = |path: &Path| {
        path.strip_prefix(out).is_ok_and(|inside| {
            inside == Path::new(MARKER)
                || marker.as_ref().is_some_and(|marker| marker.files.keys().any(|name| inside == Path::new(name)))
        })
    };
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).map_err(|cause| MiniError::file(&folder, cause))? {
            let path = entry.map_err(|cause| MiniError::file(&folder, cause))?.path();
            if path.is_dir() && !path.is_symlink() {
                waiting.push(path);
            } else if !known(&path) {
                return Err(MiniError::Occupied { path });
            }
        }
    }
    Ok(())
}

/// A sibling of `out` that no other process uses.
fn beside(out: &Path, what: &str) -> PathBuf {
    named_beside(out, &format!("{what}-{}", std::process::id()))
}

/// `OUT.ENDING`.
fn named_beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{ending}"));
    out.with_file_name(name)
}

/// Removes a folder, if it is there.
fn clear(folder: &Path) -> Result<(), MiniError> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(MiniError::file(folder, cause)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file and its folders, down to the disk.
fn write(path: &Path, content: &str) -> Result<(), MiniError> {
    let put = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    };
    put().map_err(|cause| MiniError::file(path, cause))
}
