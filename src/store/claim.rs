//! Who works on which run: claims, for processes on one machine or on many with a shared disk.
//!
//! A claim is a small file `runs/<experiment>/.claims/<id>` that appears with its content in one
//! step, so that one claimer wins. While it is held, a thread rewrites it every few seconds through
//! the handle that created it, with the number of times that it did. A claim is dead when all its processes are on this
//! machine and gone, or when this process has seen it not to change for [`ClaimTimeout`] by its own monotonic clock
//! ([`ClaimWatch`]): what clocks of machines say does not matter.
//!
//! Succession: whoever would take over the dead claim with token T first creates `<id>~T` in the
//! same way (one winner), looks once more that `<id>` still has the token T, and renames its file
//! over it. So a claim that somebody else has just taken over is never disturbed, and of many takers
//! one wins. A taker that dies in between leaves `<id>~T`, which is succeeded by the same rule.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::atomic;
use super::claim_note::{Note, Standing, clear_folder, holds, read};
use super::claim_watch::ClaimWatch;
use super::present::entries;
use super::process::{self, Process};
use super::run_id::RunId;

/// The environment variable that sets [`ClaimTimeout`], in seconds. All processes that share an
/// experiment must agree on it.
pub const TIMEOUT_VARIABLE: &str = "BERTBENCH_CLAIM_TIMEOUT";

/// After how long without a sign of life a claim counts as dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimTimeout(pub Duration);

impl ClaimTimeout {
    /// [`TIMEOUT_VARIABLE`] when it is set to a positive number, else 60 seconds.
    #[must_use]
    pub fn from_environment() -> Self {
        let seconds = std::env::var(TIMEOUT_VARIABLE).ok().and_then(|text| text.trim().parse::<f64>().ok());
        let set =
            seconds.filter(|seconds| *seconds > 0.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Self(set.unwrap_or(Duration::from_mins(1)))
    }

    /// The longest time between two looks at a claim that counts as a time in which it did not change.
    fn step(self) -> Duration {
        self.0 / 4
    }

    /// How often a holder gives a sign of life: several can be missed before it counts as dead.
    pub(super) fn beat(self) -> Duration {
        (self.0 / 6).clamp(Duration::from_millis(5), Duration::from_secs(5))
    }
}

/// Who holds a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Host and process, such as `node7, process 4711`.
    pub by: String,
    /// Since when, seconds since 1970-01-01 UTC; 0 when the claim is damaged.
    pub since_unix: u64,
    /// Whether it counts as alive; one that does not is taken over by the next that wants its run.
    pub alive: bool,
    /// Whether the last sign of life is older than the time-out by this machine's clock, which may be wrong: for people.
    pub silent: bool,
    /// The file of the claim.
    pub file: PathBuf,
}

/// The claims of one experiment.
#[derive(Clone, Debug)]
pub struct Claims {
    folder: PathBuf,
    timeout: ClaimTimeout,
    watch: ClaimWatch,
}

/// A run that this process holds. Dropping it releases the run.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    token: String,
    lost: Arc<AtomicBool>,
    end: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

impl Claims {
    /// The claims in `folder`, which is created when the first is made.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, timeout: ClaimTimeout) -> Self {
        Self { folder: folder.into(), timeout, watch: ClaimWatch::default() }
    }

    /// The same, with what others of this process have seen of the claims.
    #[must_use]
    pub(super) fn with_watch(self, watch: ClaimWatch) -> Self {
        Self { watch, ..self }
    }

    /// The folder of the experiment that they are of.
    pub(super) fn experiment_folder(&self) -> &Path {
        atomic::parent(&self.folder)
    }

    /// Claims `id` for this process and its `workers` (process numbers on this machine), taking it
    /// over from a dead holder. `None` when somebody alive holds it.
    ///
    /// The holder must then look whether the run's record appeared before it won.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn claim(&self, id: &RunId, workers: &[u32]) -> io::Result<Option<Claim>> {
        let path = self.folder.join(&id.0);
        let standing = read(&path)?;
        if standing.as_ref().is_some_and(|standing| self.is_alive(&path, standing)) {
            return Ok(None);
        }
        fs::create_dir_all(&self.folder).map_err(|error| atomic::about("cannot create", &self.folder, &error))?;
        let note = Note::new(workers);
        let Some(file) = self.create_or_succeed(&path, &atomic::json(&note)?)? else { return Ok(None) };
        Ok(Some(Claim::start(path, note, file, self.timeout.beat())))
    }

    /// Who holds `id`, dead or alive.
    ///
    /// # Errors
    /// When the claim exists and cannot be read.
    pub fn holder(&self, id: &RunId) -> io::Result<Option<Holder>> {
        let file = self.folder.join(&id.0);
        Ok(read(&file)?.map(|standing| Holder {
            alive: self.is_alive(&file, &standing),
            silent: standing.age() >= self.timeout.0,
            by: standing.note.holder(),
            since_unix: standing.note.since_unix,
            file,
        }))
    }

    /// Whether the claim on `id` still is the one with this token.
    #[must_use]
    pub fn is_held_with(&self, id: &RunId, token: &str) -> bool {
        holds(&self.folder.join(&id.0), token)
    }

    /// Removes dead claims and what takers that died left behind. Live ones are not touched.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn clean(&self) -> io::Result<()> {
        atomic::clean(&self.folder)?;
        for entry in entries(&self.folder)? {
            let path = entry.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            match name.split_once('~') {
                _ if atomic::is_temporary(&path) || path.is_dir() => {}
                // A right of succession is void once the claim that it would succeed is gone.
                Some((id, chain)) if !holds(&self.folder.join(id), chain.split('~').next().unwrap_or_default()) => {
                    atomic::remove(&path)?;
                }
                Some(_) => {}
                None => drop(self.claim(&RunId(name), &[])?),
            }
        }
        Ok(())
    }

    /// Removes the claim on a finished run whose holder is dead. A worker of the holder may live for a
    /// moment longer, which keeps others from an unfinished run, but has nothing left to write here.
    ///
    /// # Errors
    /// When the claim cannot be read or removed.
    pub(super) fn retire(&self, id: &RunId) -> io::Result<()> {
        let path = self.folder.join(&id.0);
        let Some(Standing { note, .. }) = read(&path)? else { return Ok(()) };
        let holder_is_dead = note.processes.first().is_some_and(|holder| !holder.is_alive());
        if note.machine == process::machine() && holder_is_dead { atomic::remove(&path) } else { Ok(()) }
    }

    /// The open file of a claim at `path` with this content, or `None` when somebody alive has it.
    fn create_or_succeed(&self, path: &Path, bytes: &[u8]) -> io::Result<Option<File>> {
        // Not flushed: no claim survives the power. On a network file system others may see an empty
        // file until the first heartbeat, which counts as a damaged claim of that age, so as alive.
        if let Some(file) = atomic::write_new_unflushed(path, bytes)? {
            return Ok(Some(file));
        }
        let Some(standing) = read(path)? else {
            // Released in this moment, or no claim at all.
            return if path.is_dir() { create_in_place_of_folder(path, bytes) } else { Ok(None) };
        };
        if self.is_alive(path, &standing) {
            return Ok(None);
        }
        let mut right = path.as_os_str().to_owned();
        right.push("~");
        right.push(&standing.note.token);
        let right = PathBuf::from(right);
        let Some(file) = self.create_or_succeed(&right, bytes)? else { return Ok(None) };
        if !holds(path, &standing.note.token) {
            atomic::remove(&right)?;
            return Ok(None);
        }
        match fs::rename(&right, path) {
            Ok(()) => Ok(Some(file)),
            // The claim was retired and the right with it, as void, in this very moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(atomic::about("cannot take over", path, &error)),
        }
    }

    fn is_alive(&self, path: &Path, standing: &Standing) -> bool {
        let note = &standing.note;
        let is_gone = note.machine == process::machine()
            && !note.processes.is_empty()
            && !note.processes.iter().any(Process::is_alive);
        !is_gone && self.watch.unchanged(path, standing, self.timeout.step()) < self.timeout.0
    }
}

fn create_in_place_of_folder(path: &Path, bytes: &[u8]) -> io::Result<Option<File>> {
    clear_folder(path)?;
    atomic::write_new_unflushed(path, bytes)
}

impl Claim {
    /// What tells this claim from every other; a worker checks it before it writes.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether somebody took the claim over, which happens when this process was suspended or cut
    /// off from the disk for longer than the timeout. Known one heartbeat later.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    fn start(path: PathBuf, note: Note, file: File, every: Duration) -> Self {
        let (lost, token) = (Arc::new(AtomicBool::new(false)), note.token.clone());
        let (end, ended) = channel();
        let heart = {
            let (path, lost) = (path.clone(), Arc::clone(&lost));
            std::thread::spawn(move || beat(file, &note, &path, &lost, every, &ended))
        };
        Self { path, token, lost, end: Some(end), heart: Some(heart) }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(heart) = self.heart.take() {
            // A heart that panicked has stopped beating, which is all that is wanted here.
            let _ = heart.join();
        }
        if !self.is_lost() && holds(&self.path, &self.token) {
            // If the removal fails the claim dies with this process.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Rewrites the claim until `ended` closes or somebody else has it. The handle follows the file, so
/// that a late beat never touches a successor's claim.
fn beat(mut file: File, note: &Note, path: &Path, lost: &AtomicBool, every: Duration, ended: &Receiver<()>) {
    let mut beats = 0;
    while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        beats += 1;
        let bytes = atomic::json(&note.after_beats(beats));
        let written = bytes.and_then(|bytes| file.rewind().and_then(|()| file.write_all(&bytes)));
        // A claim that cannot be rewritten for a while ends by its timeout; one that cannot be read
        // now may be readable at the next beat.
        let _ = written.and_then(|()| file.sync_all());
        if read(path).is_ok_and(|standing| standing.is_none_or(|standing| standing.note.token != note.token)) {
            lost.store(true, Ordering::Release);
            return;
        }
    }
}
