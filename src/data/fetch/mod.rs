//! Datasets from their public addresses into the data folder.
//!
//! ```text
//! names ─select─▶ manifests ─plan─▶ what is missing ─transfer (4 at once)─▶ .fetch/NAME/FILE.part
//!     ─unpack, assemble, compare─▶ .fetch/NAME/new/ ─lock file, rename─▶ FOLDER/
//! ```
//!
//! A transfer that broke, in this process or in one that died, goes on where it stopped; every byte is held
//! against the manifest's checksum, or against that of the first download, which `fetched.json` in the dataset's
//! folder keeps. What is there already is compared and left alone.

mod assemble;
mod count;
mod error;
mod fault;
mod install;
mod job;
mod lock;
mod mirror;
mod part;
mod plan;
mod sources;
#[cfg(test)]
pub(crate) mod tests;
mod unpack;
mod verify;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

pub use error::FetchError;
pub use lock::{Lock, LockedFile, Trust};
pub use mirror::Mirror;
pub use part::{Assembly, Download, Fetch, RemoteFile};
pub use plan::Standing;
pub use sources::{Source, select, sources};
pub(super) use verify::{compare_by_checksum, verify_sources};

use self::job::{Job, hold};
use self::mirror::address_of;
use self::plan::Plan;
use super::manifest::Manifest;
use crate::download::{Client, Progress, Received, RetryPolicy};
use crate::store::free_disk;
use crate::units::Bytes;

/// Files that are transferred at once: enough to fill a line when each server is slow, and few enough not to be a
/// nuisance to one.
const AT_ONCE: usize = 4;

/// Where data goes, and where it comes from.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// The data root, which gets a folder for each dataset.
    pub root: PathBuf,
    /// The place to fetch from in place of the public addresses.
    pub mirror: Option<Mirror>,
    /// Fetch files again that are there with other bytes than they should have.
    pub replace: bool,
    /// How long servers are waited for.
    pub retry: RetryPolicy,
}

/// How the fetch of one dataset ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was there.
    There {
        /// How many files.
        files: usize,
        /// Files that nothing is known to compare with.
        unverified: usize,
    },
    /// Something was fetched.
    Fetched {
        /// How many files the folder got.
        files: usize,
        /// How many bytes were transferred, or had been before.
        bytes: Bytes,
        /// Published files without a published checksum, which were trusted.
        trusted: usize,
    },
}

/// What would be fetched for one published file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The dataset's name.
    pub dataset: String,
    /// Where the file is fetched from; `None` for a dataset that must be had by hand.
    pub address: Option<String>,
    /// Its size.
    pub size: Option<Bytes>,
    /// Whether it is needed: whether a file that comes of it is missing, or is to be replaced.
    pub needed: bool,
}

/// What [`fetch`] would do, file by file; nothing is written and nobody asked.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn preview(manifests: &[Manifest], settings: &FetchSettings) -> Result<Vec<Preview>, FetchError> {
    let mut rows = Vec::new();
    for manifest in manifests {
        let dataset = manifest.name.clone();
        let Some(Fetch::Download(download)) = &manifest.fetch else {
            let needed = verify::by_hand(manifest, &settings.root).is_err();
            rows.push(Preview { dataset, address: None, size: None, needed });
            continue;
        };
        let plan = Plan::new(manifest, download, &settings.root, settings.replace)?;
        rows.extend(download.files.iter().map(|file| Preview {
            dataset: dataset.clone(),
            address: Some(address_of(file, &dataset, settings.mirror.as_ref()).to_string()),
            size: file.size.map(Bytes),
            needed: plan.needed.contains(&file),
        }));
    }
    Ok(rows)
}

/// How the fetch of a dataset ended: well, or with all that is wrong with it.
type Ended = Result<Outcome, Vec<FetchError>>;

/// Fetches what the data root lacks of each of `manifests`: how it went with each, in their order. One that fails
/// does not keep the others from coming.
#[must_use]
pub fn fetch(manifests: &[Manifest], settings: &FetchSettings, progress: &dyn Progress) -> Vec<Ended> {
    let begun = manifests.iter().map(|manifest| begin(manifest, settings, progress));
    let mut stages: Vec<Stage<'_>> =
        begun.map(|stage| stage.unwrap_or_else(|error| Stage::Ended(Err(vec![error])))).collect();
    let needed = Bytes(stages.iter().filter_map(Stage::job).map(Job::missing_bytes).sum());
    if let Some(free) = free_disk(&settings.root).filter(|free| *free < needed) {
        for stage in stages.iter_mut().filter(|stage| stage.job().is_some()) {
            let folder = settings.root.clone();
            *stage = Stage::Ended(Err(vec![FetchError::NoRoom { folder, needed, free }]));
        }
    }
    run(stages, settings, progress)
}

/// Where the fetch of a dataset stands.
enum Stage<'a> {
    Ended(Ended),
    /// Files must come, or be made of others.
    Needs(Box<Job<'a>>),
}

impl<'a> Stage<'a> {
    fn job(&self) -> Option<&Job<'a>> {
        if let Self::Needs(job) = self { Some(job) } else { None }
    }
}

fn begin<'a>(
    manifest: &'a Manifest,
    settings: &FetchSettings,
    progress: &dyn Progress,
) -> Result<Stage<'a>, FetchError> {
    let FetchSettings { root, replace, .. } = settings;
    let there = |outcome| Stage::Ended(Ok(outcome));
    let download = match &manifest.fetch {
        Some(Fetch::Download(download)) => download,
        Some(Fetch::ByHand(_)) => return verify::by_hand(manifest, root).map(there),
        None => return Err(FetchError::NoSource(manifest.name.clone())),
    };
    let look = || {
        let plan = Plan::new(manifest, download, root, *replace)?;
        plan.conflict(*replace).map_or(Ok(plan), Err)
    };
    // A data root that may only be read is no obstacle when all is there.
    let plan = look()?;
    if plan.is_done() {
        return Ok(there(plan.outcome()));
    }
    let held = hold(root, &manifest.name, progress)?;
    // Another process may have fetched it meanwhile.
    let plan = look()?;
    if plan.is_done() {
        return Ok(there(plan.outcome()));
    }
    Ok(Stage::Needs(Box::new(Job::new(plan, root, *replace, held)?)))
}

/// Transfers the files of all jobs, a few at once, and installs each dataset whose files have come.
fn run(stages: Vec<Stage<'_>>, settings: &FetchSettings, progress: &dyn Progress) -> Vec<Ended> {
    let jobs: Vec<Option<&Job<'_>>> = stages.iter().map(Stage::job).collect();
    let mut ended: Vec<Option<Ended>> = jobs.iter().map(|_| None).collect();
    let client = Client::new(settings.retry);
    let mirror = settings.mirror.as_ref();
    let mut queue = Vec::new();
    let mut came: Vec<Vec<Option<Result<Received, FetchError>>>> = Vec::new();
    for (dataset, job) in jobs.iter().enumerate() {
        let files = job.map_or(&[][..], |job| &job.plan.needed);
        queue.extend(files.iter().enumerate().map(|(at, file)| (dataset, at, *file)));
        came.push(files.iter().map(|_| None).collect());
        if let (Some(job), true) = (job, files.is_empty()) {
            ended[dataset] = Some(finish(job, Vec::new(), mirror));
        }
    }
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(queue.len()) {
            let (send, jobs, queue, next, client) = (send.clone(), &jobs, &queue, &next, &client);
            scope.spawn(move || {
                while let Some((dataset, at, file)) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(job) = jobs[*dataset] else { continue };
                    let result = job.transfer(file, mirror, client, progress);
                    // The receiver is there until the last sender is gone.
                    let _ = send.send((*dataset, *at, result));
                }
            });
        }
        drop(send);
        for (dataset, at, result) in receive {
            came[dataset][at] = Some(result);
            if let Some(job) = jobs[dataset]
                && came[dataset].iter().all(Option::is_some)
            {
                let came = std::mem::take(&mut came[dataset]);
                ended[dataset] = Some(finish(job, came.into_iter().flatten().collect(), mirror));
            }
        }
    });
    // Every dataset has ended: at once, or here.
    let end = |(stage, ended): (Stage<'_>, Option<Ended>)| match stage {
        Stage::Ended(end) => end,
        Stage::Needs(_) => ended.unwrap_or_else(|| Err(Vec::new())),
    };
    stages.into_iter().zip(ended).map(end).collect()
}

/// Puts a dataset in its place, unless a file of it did not come.
fn finish(job: &Job<'_>, came: Vec<Result<Received, FetchError>>, mirror: Option<&Mirror>) -> Ended {
    let (mut received, mut errors) = (Vec::new(), Vec::new());
    for one in came {
        match one {
            Ok(one) => received.push(one),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let bytes = Bytes(received.iter().map(|one| one.size).sum());
    let trusted = job.plan.needed.iter().filter(|file| file.sha256.is_none()).count();
    let files = job.install(&received, mirror).map_err(|error| vec![error])?;
    Ok(Outcome::Fetched { files, bytes, trusted })
}
