//! Checkpoints of a run: `step-0000123/`, each whole or not there, each with the checksum of every file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::atomic;
use super::present::{self, entries};
use super::run_id::RunId;

/// The folder of a run's checkpoints, within the run's.
pub const CHECKPOINTS: &str = "checkpoints";
/// The file that tells where training stands.
const STATE: &str = "state.json";
/// A line for every other file, as `b3sum` writes and checks it: BLAKE3 in hexadecimal, two spaces, the name.
const CHECKSUMS: &str = "checksums.b3";
/// The beginning of a checkpoint's name; the step follows, so that names sort by it.
const PREFIX: &str = "step-";
/// Raised when older files can no longer be read.
const FORMAT: u32 = 1;

/// The checkpoints of one run.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    run: RunId,
    keep: usize,
}

/// `state.json`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    format: u32,
    run: RunId,
    step: u64,
    /// The other files, so that a list of checksums that lost a line is noticed.
    files: Vec<String>,
    state: Value,
}

/// A checkpoint all of whose files have their checksums.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its folder.
    pub folder: PathBuf,
    /// Optimisation steps finished.
    pub step: u64,
    /// What [`Checkpoints::write`] was given.
    pub state: Value,
}

/// A checkpoint that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Its folder.
    pub folder: PathBuf,
    /// What is wrong with it.
    pub cause: String,
}

impl Checkpoints {
    /// The checkpoints in `folder`, which is made when one is written. The newest `keep` (at least one) stay.
    #[must_use]
    pub fn new(folder: &Path, run: RunId, keep: usize) -> Self {
        Self { folder: folder.to_path_buf(), run, keep: keep.max(1) }
    }

    /// Writes a checkpoint after `step` steps: `state`, and the files that `fill` adds. It is there when it is whole
    /// and on disk; then older ones are removed, and those of later steps: what could not be used, and was
    /// taken again.
    ///
    /// # Errors
    /// When the disk says no; the checkpoints that were there are as before.
    pub fn write(
        &self,
        step: u64,
        state: &impl Serialize,
        fill: impl FnOnce(&mut CheckpointWriter<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        atomic::clean(&self.folder)?;
        let path = self.path(step);
        let staged = atomic::stage_folder(&path)?;
        let written = self.fill(&staged, step, state, fill).and_then(|()| atomic::publish_folder(&staged, &path));
        if let Err(error) = written {
            // The first error is the one to tell.
            let _ = fs::remove_dir_all(&staged);
            return Err(error);
        }
        let (later, older): (Vec<_>, Vec<_>) =
            self.steps()?.into_iter().filter(|at| *at != step).partition(|at| *at > step);
        let dropped = older.into_iter().rev().skip(self.keep - 1);
        dropped.chain(later).try_for_each(|step| atomic::remove(&self.path(step)))
    }

    fn fill(
        &self,
        staged: &Path,
        step: u64,
        state: &impl Serialize,
        fill: impl FnOnce(&mut CheckpointWriter<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut writer = CheckpointWriter { folder: staged, checksums: BTreeMap::new() };
        fill(&mut writer)?;
        let (run, files) = (self.run.clone(), writer.checksums.keys().cloned().collect());
        let state = Description { format: FORMAT, run, step, files, state: serde_json::to_value(state)? };
        let state = atomic::json(&state)?;
        writer.file(STATE, |into| into.write_all(&state))?;
        fs::write(staged.join(CHECKSUMS), listed(&writer.checksums))
    }

    /// The newest checkpoint that is whole and of this run, and the newer ones that are not.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn newest(&self) -> io::Result<(Option<Checkpoint>, Vec<Unusable>)> {
        let mut unusable = Vec::new();
        for step in self.steps()?.into_iter().rev() {
            let folder = self.path(step);
            match self.open(&folder, step) {
                Ok(checkpoint) => return Ok((Some(checkpoint), unusable)),
                Err(cause) => unusable.push(Unusable { folder, cause }),
            }
        }
        Ok((None, unusable))
    }

    /// The checkpoint after `step` steps.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn at(&self, step: u64) -> io::Result<Checkpoint> {
        let folder = self.path(step);
        self.open(&folder, step).map_err(|cause| io::Error::other(format!("{}: {cause}", folder.display())))
    }

    fn path(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{PREFIX}{step:07}"))
    }

    /// The steps of which there are checkpoints, ascending.
    fn steps(&self) -> io::Result<Vec<u64>> {
        let mut steps = Vec::new();
        for entry in entries(&self.folder)? {
            let name = entry.file_name().to_string_lossy().into_owned();
            let step = name.strip_prefix(PREFIX).and_then(|step| step.parse().ok());
            steps.extend(step.filter(|step| self.path(*step).ends_with(&name)));
        }
        steps.sort_unstable();
        Ok(steps)
    }

    /// The checkpoint in `folder`, or what is wrong with it.
    fn open(&self, folder: &Path, step: u64) -> Result<Checkpoint, String> {
        let listed_there = fs::read_to_string(folder.join(CHECKSUMS)).map_err(|error| said(CHECKSUMS, &error))?;
        let checksums = parse(&listed_there).ok_or_else(|| format!("{CHECKSUMS} is damaged"))?;
        for (name, checksum) in &checksums {
            let found = present::checksum(&folder.join(name)).map_err(|error| said(name, &error))?;
            if found != *checksum {
                return Err(format!("{name} is damaged: its checksum does not match"));
            }
        }
        if !checksums.contains_key(STATE) {
            return Err(format!("{STATE} is missing"));
        }
        let state = fs::read(folder.join(STATE)).map_err(|error| said(STATE, &error))?;
        let state: Description = serde_json::from_slice(&state).map_err(|error| format!("{STATE}: {error}"))?;
        if state.format != FORMAT {
            return Err(format!("its format is {}, but {FORMAT} is read", state.format));
        }
        if let Some(missing) = state.files.iter().find(|name| !checksums.contains_key(*name)) {
            return Err(format!("{CHECKSUMS} is damaged: {missing} is missing in it"));
        }
        if state.run != self.run || state.step != step {
            return Err(format!("it belongs to run {} at step {}", state.run, state.step));
        }
        Ok(Checkpoint { folder: folder.to_path_buf(), step, state: state.state })
    }
}

fn said(name: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return format!("{name} is missing");
    }
    format!("{name} cannot be read: {error}")
}

fn listed(checksums: &BTreeMap<String, String>) -> String {
    let lines: Vec<String> = checksums.iter().map(|(name, checksum)| format!("{checksum}  {name}\n")).collect();
    lines.concat()
}

/// Only what [`listed`] writes.
fn parse(text: &str) -> Option<BTreeMap<String, String>> {
    let line = |line: &str| line.split_once("  ").map(|(checksum, name)| (name.to_owned(), checksum.to_owned()));
    let checksums: BTreeMap<String, String> = text.lines().map(line).collect::<Option<_>>()?;
    let plain = |name: &String| !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    (checksums.keys().all(plain) && listed(&checksums) == text).then_some(checksums)
}

impl Checkpoint {
    /// A file of it, to be read.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn file(&self, name: &str) -> io::Result<BufReader<File>> {
        let path = self.folder.join(name);
        let file = File::open(&path).map_err(|error| atomic::about("cannot read", &path, &error))?;
        Ok(BufReader::with_capacity(1 << 20, file))
    }
}

/// Adds files to a checkpoint.
#[derive(Debug)]
pub struct CheckpointWriter<'a> {
    folder: &'a Path,
    checksums: BTreeMap<String, String>,
}

impl CheckpointWriter<'_> {
    /// The file `name`, which `write` fills.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn file(&mut self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let path = self.folder.join(name);
        let named = |error: io::Error| atomic::about("cannot write", &path, &error);
        let file = File::create_new(&path).map_err(named)?;
        let mut into = Hashed { into: BufWriter::with_capacity(1 << 20, file), hash: blake3::Hasher::new() };
        write(&mut into).and_then(|()| into.flush()).map_err(named)?;
        self.checksums.insert(name.to_owned(), into.hash.finalize().to_hex().to_string());
        Ok(())
    }
}

/// Hashes what goes through.
struct Hashed {
    into: BufWriter<File>,
    hash: blake3::Hasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

#[cfg(test)]
mod tests;
