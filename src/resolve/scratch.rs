//! A folder for what a command that leaves no file behind needs all the same.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

/// A temporary folder, made when it is first needed and removed with this value.
#[derive(Debug, Default)]
pub(super) struct Scratch(OnceLock<TempDir>);

impl Scratch {
    /// The folder.
    pub(super) fn folder(&self) -> io::Result<PathBuf> {
        if let Some(made) = self.0.get() {
            return Ok(made.path().to_path_buf());
        }
        let made = tempfile::Builder::new().prefix("bertbench-").tempdir()?;
        Ok(self.0.get_or_init(|| made).path().to_path_buf())
    }
}
