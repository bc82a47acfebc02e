//! One dataset that is being fetched: held against other processes, its files transferred one by one.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::FetchProgress;
use super::client::{Client, RetryPolicy};
use super::error::FetchError;
use super::mirror::{Address, Mirror};
use super::part::RemoteFile;
use super::plan::Plan;
use super::transfer::{Expected, Received, Transfer};

/// The folder in the data root where files gather until they are whole.
const WORKSHOP: &str = ".fetch";

/// A dataset that is being fetched.
pub(super) struct Job<'a> {
    pub(super) plan: Plan<'a>,
    /// Parts, and what is unpacked of them.
    pub(super) workshop: PathBuf,
    /// Whether files with other bytes are fetched again.
    pub(super) replace: bool,
    /// Held until the dataset is in its place.
    _held: File,
}

/// Waits until no other process fetches the dataset, and holds it.
pub(super) fn hold(root: &Path, dataset: &str, progress: &dyn FetchProgress) -> Result<File, FetchError> {
    let folder = root.join(WORKSHOP);
    fs::create_dir_all(&folder).map_err(FetchError::disk(&folder))?;
    let path = folder.join(format!("{dataset}.lock"));
    let file = File::create(&path).map_err(FetchError::disk(&path))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        progress.note(&format!("another process is fetching {dataset}: waiting for it"));
        // A file system without locks lets both fetch: they write the same bytes to the same places.
        let _ = file.lock();
    }
    Ok(file)
}

impl<'a> Job<'a> {
    pub(super) fn new(plan: Plan<'a>, root: &Path, replace: bool, held: File) -> Result<Self, FetchError> {
        let workshop = root.join(WORKSHOP).join(&plan.manifest.name);
        fs::create_dir_all(&workshop).map_err(FetchError::disk(&workshop))?;
        Ok(Self { plan, workshop, replace, _held: held })
    }

    /// How much is still to come, as far as sizes are known.
    pub(super) fn missing_bytes(&self) -> u64 {
        let missing = |file: &&RemoteFile| {
            let there = fs::metadata(self.part(file)).map_or(0, |found| found.len());
            file.size.unwrap_or(0).saturating_sub(there)
        };
        self.plan.needed.iter().map(missing).sum()
    }

    /// Where a published file's bytes gather.
    pub(super) fn part(&self, file: &RemoteFile) -> PathBuf {
        self.workshop.join(format!("{}.part", file.name()))
    }

    /// Where a published file is fetched from.
    pub(super) fn address(&self, file: &RemoteFile, mirror: Option<&Mirror>) -> Address {
        Address::of(file, &self.plan.manifest.name, mirror)
    }

    /// Fetches one of the files that are needed.
    pub(super) fn transfer(
        &self,
        file: &RemoteFile,
        mirror: Option<&Mirror>,
        client: &Client,
        patience: &RetryPolicy,
        progress: &dyn FetchProgress,
    ) -> Result<Received, FetchError> {
        let label = format!("{}/{}", self.plan.manifest.name, file.name());
        let address = self.address(file, mirror);
        let expected = Expected { size: file.size, sha256: self.plan.sha256_of(file, self.replace) };
        let part = self.part(file);
        Transfer { client, patience, label: &label, address: &address, part: &part, expected: &expected }.run(progress)
    }
}
