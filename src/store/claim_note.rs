//! What a claim file says, and reading it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    /// Counts the signs of life, in digits of a fixed number, so that the file is overwritten in place.
    #[serde(default)]
    beats: String,
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
            beats: digits(0),
        }
    }

    /// The same after so many signs of life.
    pub(super) fn after_beats(&self, count: u64) -> Self {
        Self { beats: digits(count), ..self.clone() }
    }

    /// A claim that nobody can read (a disk that was full): only its age counts.
    fn damaged(bytes: &[u8]) -> Self {
        Self {
            token: blake3::hash(bytes).to_hex()[..16].to_string(),
            host: "unknown".to_owned(),
            machine: String::new(),
            processes: Vec::new(),
            since_unix: 0,
            beats: String::new(),
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
    /// A hash of the content and of the time that the file bears.
    pub(super) state: blake3::Hash,
    modified: SystemTime,
}

impl Standing {
    /// For how long there was no sign of life by this machine's clock, which may be wrong.
    pub(super) fn age(&self) -> Duration {
        SystemTime::now().duration_since(self.modified).unwrap_or_default()
    }
}

fn digits(count: u64) -> String {
    format!("{count:020}")
}

/// The claim at `path`; a folder there is none.
///
/// Opens before it asks for the time of modification: network file systems look at the server when a
/// file is opened, and answer from a cache otherwise.
pub(super) fn read(path: &Path) -> io::Result<Option<Standing>> {
    let named = |error| atomic::about("cannot read", path, &error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(named(error)),
    };
    let metadata = file.metadata().map_err(named)?;
    if metadata.is_dir() {
        return Ok(None);
    }
    let modified = metadata.modified().map_err(named)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(named)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes);
    hasher.update(format!("{modified:?}").as_bytes());
    let note = serde_json::from_slice(&bytes).unwrap_or_else(|_| Note::damaged(&bytes));
    Ok(Some(Standing { note, state: hasher.finalize(), modified }))
}

pub(super) fn holds(path: &Path, token: &str) -> bool {
    matches!(read(path), Ok(Some(standing)) if standing.note.token == token)
}

/// Puts a folder that stands where a claim belongs out of the way: an empty one goes, another gets a name beside it.
pub(super) fn clear_folder(path: &Path) -> io::Result<()> {
    if fs::remove_dir(path).is_ok() {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut spare =
        (1..).map(|number| path.with_file_name(format!("{name}.folder-{number}"))).skip_while(|path| path.exists());
    match spare.next().map(|to| fs::rename(path, to)) {
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(atomic::about("cannot move", path, &error)),
        _ => Ok(()),
    }
}
