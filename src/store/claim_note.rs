//! What a claim file says, and reading it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::atomic;
use super::process::{self, Process};

/// The content of a claim file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    /// Unique among all claims ever made.
    pub(super) token: String,
    host: String,
    /// [`process::machine`] of the holder.
    pub(super) machine: String,
    /// Every process that may write to the run's folder.
    pub(super) processes: Vec<Process>,
    pub(super) since_unix: u64,
}

impl Note {
    /// A new claim of this process and its workers.
    pub(super) fn new(workers: &[u32]) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let own = Process::current();
        let mut hash = blake3::Hasher::new();
        hash.update(process::machine().as_bytes());
        hash.update(&own.pid.to_le_bytes());
        hash.update(&now.as_nanos().to_le_bytes());
        hash.update(&MADE.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        Self {
            token: hash.finalize().to_hex()[..16].to_string(),
            host: process::host_name(),
            machine: process::machine().to_owned(),
            processes: std::iter::once(own).chain(workers.iter().map(|pid| Process::of(*pid))).collect(),
            since_unix: now.as_secs(),
        }
    }

    /// A claim that nobody can read (a disk that was full): only its age counts.
    fn damaged(bytes: &[u8]) -> Self {
        Self {
            token: blake3::hash(bytes).to_hex()[..16].to_string(),
            host: "unknown".to_owned(),
            machine: String::new(),
            processes: Vec::new(),
            since_unix: 0,
        }
    }

    /// Host and process, for people.
    pub(super) fn holder(&self) -> String {
        match self.processes.first() {
            Some(process) => format!("{}, process {}", self.host, process.pid),
            None => format!("{}, damaged claim", self.host),
        }
    }
}

/// A claim file as it was found.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) note: Note,
    pub(super) modified: SystemTime,
}

/// Opens before it asks for the time of modification: network file systems look at the server when a
/// file is opened, and answer from a cache otherwise.
pub(super) fn read(path: &Path) -> io::Result<Option<Standing>> {
    let named = |error| atomic::about("cannot read", path, &error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(named(error)),
    };
    let modified = file.metadata().and_then(|metadata| metadata.modified()).map_err(named)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(named)?;
    Ok(Some(Standing { note: serde_json::from_slice(&bytes).unwrap_or_else(|_| Note::damaged(&bytes)), modified }))
}

pub(super) fn holds(path: &Path, token: &str) -> bool {
    matches!(read(path), Ok(Some(standing)) if standing.note.token == token)
}

/// The time that the file system stamps on a file written to `folder` now.
pub(super) fn file_system_time(folder: &Path) -> io::Result<SystemTime> {
    let mut probe = atomic::temporary_file(folder)?;
    probe.write_all(b"?")?;
    probe.as_file().sync_all()?;
    probe.as_file().metadata()?.modified()
}
