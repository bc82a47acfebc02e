//! One file from an address to this disk: resumed, verified, never half there.
//!
//! ```text
//! address ─Client: redirections, token, retries─▶ Answer ─Transfer: ranges, part file─▶ checksum ─▶ file
//! ```
//!
//! `data::fetch` brings datasets with it and `model::hub` models. A transfer that broke, in this process or in one
//! that died, goes on where it stopped.

mod address;
mod checksum;
mod client;
mod error;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;

use std::fs::{self, File, TryLockError};
use std::path::Path;

pub(crate) use address::without_password;
pub(crate) use checksum::Checksum;
pub use client::RetryPolicy;
pub(crate) use client::{Answer, Client, PostError, Range};
pub use error::DownloadError;
#[cfg(test)]
pub(crate) use tests::server;
pub(crate) use transfer::{Address, Expected, Received, Transfer};

/// Is told how downloads go, from several threads.
pub trait Progress: Sync {
    /// Something worth a line that stays.
    fn note(&self, text: &str);
    /// The transfer of a file begins, begins anew, or goes on, with `done` of its `size` bytes there already.
    fn file(&self, name: &str, size: Option<u64>, done: u64);
    /// So many more bytes of it came.
    fn advanced(&self, name: &str, bytes: u64);
    /// All of it is there and verified.
    fn finished(&self, name: &str);
}

/// Locks the file at `path` against other processes until the value is dropped; `progress` is told `waiting` when
/// another one has it.
///
/// # Errors
/// When the file cannot be made.
pub(crate) fn lock(path: &Path, waiting: &str, progress: &dyn Progress) -> Result<File, DownloadError> {
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(DownloadError::disk(path))?;
    let file = File::create(path).map_err(DownloadError::disk(path))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        progress.note(waiting);
        // A file system without locks lets both fetch: they write the same bytes to the same places.
        let _ = file.lock();
    }
    Ok(file)
}
