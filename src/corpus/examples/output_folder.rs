//! The folder that a corpus is prepared into.

use std::path::Path;

use super::error::ExamplesError;
use super::manifest::MANIFEST;
use crate::diagnostic::Diagnostic;
use crate::store::atomic;

/// Whether a prepared corpus can be written to the folder `out` without loss; one that is there is lost where `replace` is
/// set.
///
/// # Errors
/// When something else is there.
pub fn check_output_folder(out: &Path, replace: bool) -> Result<(), ExamplesError> {
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent)?;
    // What a run that was killed left behind.
    atomic::clean(parent)?;
    let entries = match std::fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Diagnostic::new(error.to_string()).in_file(out).into()),
    };
    let is_corpus = out.join(MANIFEST).is_file();
    let hint = match (entries, is_corpus, replace) {
        (false, ..) | (true, true, true) => return Ok(()),
        (true, true, false) => "`--replace` replaces it",
        (true, false, _) => "name a folder that does not exist yet",
    };
    let what = if is_corpus { "a prepared corpus already exists" } else { "the folder is not empty" };
    Err(Diagnostic::new(what).in_file(out).hint(hint).into())
}
