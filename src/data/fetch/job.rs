//! One dataset that is being fetched: held against other processes, its files transferred one by one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::mirror::{Mirror, address_of};
use super::part::RemoteFile;
use super::plan::Plan;
use crate::download::{Address, Checksum, Client, DownloadError, Expected, Progress, Received, Transfer, lock};

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

/// Waits until no other process fetches the dataset, and locks it.
pub(super) fn hold(root: &Path, dataset: &str, progress: &dyn Progress) -> Result<File, FetchError> {
    let path = root.join(WORKSHOP).join(format!("{dataset}.lock"));
    Ok(lock(&path, &format!("another process is fetching {dataset}: waiting for it"), progress)?)
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
        address_of(file, &self.plan.manifest.name, mirror)
    }

    /// Fetches one of the files that are needed.
    pub(super) fn transfer(
        &self,
        file: &RemoteFile,
        mirror: Option<&Mirror>,
        client: &Client,
        progress: &dyn Progress,
    ) -> Result<Received, FetchError> {
        let (checksum, first_use) = match self.plan.sha256_of(file, self.replace) {
            Some((sha256, first_use)) => (Some(Checksum::Sha256(sha256)), first_use),
            None => (None, false),
        };
        let address = self.address(file, mirror);
        let transfer = Transfer {
            client,
            label: &format!("{}/{}", self.plan.manifest.name, file.name()),
            subject: &address.to_string(),
            address: &address,
            part: &self.part(file),
            expected: &Expected { size: file.size, checksum, retry_damaged: false },
        };
        transfer.run(progress).map_err(|error| match error {
            DownloadError::Checksum { file, expected, found, .. } => {
                FetchError::Checksum { file, expected, found, first_use }
            }
            other @ (DownloadError::Unreachable { .. }
            | DownloadError::Refused { .. }
            | DownloadError::Interrupted { .. }
            | DownloadError::Size { .. }
            | DownloadError::TooLarge { .. }
            | DownloadError::Disk { .. }) => other.into(),
        })
    }
}
