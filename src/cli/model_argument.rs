//! A model on the command line: a checkpoint on this disk, or a model of the hub that becomes one.

use std::path::PathBuf;

use crate::diagnostic::Error;
use crate::resolve::checkpoint_argument;
use crate::terminal::DownloadDisplay;

/// What a `MODEL` argument may be, for its help.
pub(super) const MODEL_HELP: &str = "A checkpoint's folder, its file or the prefix of a TensorFlow checkpoint; or a model of the Hugging Face hub as \
    `hub:ORG/NAME` or `hub:ORG/NAME@REVISION`: it is downloaded into the hub's cache if it is not there";

/// The checkpoint that `argument` means; a model of the hub is fetched, and that is shown.
pub(super) fn checkpoint(argument: &str) -> Result<PathBuf, Error> {
    Ok(checkpoint_argument(argument, &DownloadDisplay::new())?)
}
