//! The folder of `bertbench pretrain`: the experiment, its run, and links to what the run leaves.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::diagnostic::{Diagnostic, Error};
use crate::store::{RunFolder, RunSettings, RunState, atomic};

/// The experiment file.
pub(super) const EXPERIMENT_FILE: &str = "experiment.yaml";
/// The trained model.
pub(super) const MODEL_FOLDER: &str = "model";
/// The settings of the run.
const SETTINGS: &str = "settings.json";
/// What of the run is linked to.
const LINKS: [&str; 4] = [SETTINGS, "metrics.jsonl", "checkpoints", MODEL_FOLDER];
/// The worker of a process that was killed is gone by then.
const LEAVING: Duration = Duration::from_secs(2);

/// Makes `out` the folder of `run`, whose experiment is `text`; it is new, or this run's.
///
/// # Errors
/// A folder that is something else's, or of a run with other settings, or of one that another process works on; a disk
/// that cannot be written.
pub(super) fn open_folder(out: &Path, text: &str, run: &RunFolder, settings: &RunSettings) -> Result<(), Error> {
    let named = |error: io::Error| Error::System(format!("{}: {error}", out.display()));
    if !out.join(EXPERIMENT_FILE).is_file() {
        fs::create_dir_all(out).map_err(named)?;
        for entry in fs::read_dir(out).map_err(named)? {
            if !atomic::is_temporary(&entry.map_err(named)?.path()) {
                return Err(Diagnostic::new("the folder is not empty, and not that of a pretraining run")
                    .in_file(out)
                    .hint("name a folder that does not exist yet")
                    .into());
            }
        }
    }
    same_run(&out.join(SETTINGS), settings)?;
    is_free(out, run)?;
    atomic::clean(out).map_err(named)?;
    atomic::write(&out.join(EXPERIMENT_FILE), text.as_bytes())?;
    let inside = run.path().strip_prefix(out).unwrap_or(run.path());
    LINKS.iter().try_for_each(|name| link(&inside.join(name), &out.join(name))).map_err(named)
}

/// Refuses settings that give other weights than those the run was started with.
fn same_run(written: &Path, settings: &RunSettings) -> Result<(), Error> {
    let before = match RunSettings::read(written) {
        Ok(Some(before)) => before,
        Ok(None) => return Ok(()),
        Err(error) => {
            let message = format!("not the settings of a pretraining run: {error}");
            return Err(Diagnostic::new(message).in_file(written).into());
        }
    };
    if before.id() == settings.id() {
        return Ok(());
    }
    let other = settings.decisive_differences(&before).into_iter();
    let other: Vec<String> = other.map(|(key, now, then)| format!("`{key}` is {now} and was {then}")).collect();
    Err(Diagnostic::new(format!("the folder holds a run with other settings: {}", other.join("; ")))
        .in_file(written)
        .hint("use the same settings to resume it, or another folder")
        .into())
}

/// Refuses a run that another process works on.
fn is_free(out: &Path, run: &RunFolder) -> Result<(), Error> {
    let begin = Instant::now();
    while let RunState::Claimed(holder) = run.state()?
        && holder.alive
    {
        if begin.elapsed() > LEAVING {
            return Err(Diagnostic::new(format!("another process is working on this run: {}", holder.by))
                .in_file(out)
                .hint("wait for it, or name another folder")
                .into());
        }
        std::thread::sleep(LEAVING / 100);
    }
    Ok(())
}

/// A link at `at` to `to`, which is relative to the link's folder and need not exist yet.
fn link(to: &Path, at: &Path) -> io::Result<()> {
    if fs::read_link(at).is_ok_and(|known| known == to) {
        return Ok(());
    }
    if at.symlink_metadata().is_ok() {
        fs::remove_file(at)?;
    }
    std::os::unix::fs::symlink(to, at)
}
