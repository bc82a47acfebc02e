//! The report of experiment files, as a folder on disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::experiments::gathered_files;
use crate::diagnostic::Error;
use crate::report::{self, Input};
use crate::store::RunsRoot;

/// After how many seconds a page of a sweep that goes on loads itself again.
const REFRESH_SECONDS: u32 = 10;

/// The report of some experiments, written once or as their runs finish.
#[derive(Debug)]
pub struct Pages {
    root: RunsRoot,
    files: Vec<PathBuf>,
    set: Vec<String>,
    output: Option<PathBuf>,
    /// What was said already.
    said: BTreeSet<String>,
    /// Says something that is worth knowing.
    note: fn(&str),
    /// How many runs had ended when the page was last written, and whether any was missing.
    written: Option<(usize, bool)>,
    /// What the last page was made from.
    pub input: Input,
}

impl Pages {
    /// Of `files` with the overrides `set`, in the folder `output`, else in `reports/NAME`; several names are joined by `+`.
    /// What is worth knowing is said by `note`, once.
    #[must_use]
    pub fn new(
        root: RunsRoot,
        (files, set): (Vec<PathBuf>, Vec<String>),
        output: Option<PathBuf>,
        note: fn(&str),
    ) -> Self {
        let input = Input { title: String::new(), experiments: Vec::new() };
        Self { root, files, set, output, said: BTreeSet::new(), note, written: None, input }
    }

    /// Reads the runs, and says where the page belongs.
    ///
    /// # Errors
    /// As [`gathered_files`].
    pub fn gather(&mut self) -> Result<PathBuf, Error> {
        let (names, input) = gathered_files(&self.root, &self.files, &self.set)?;
        self.input = input;
        Ok(self.output.clone().unwrap_or_else(|| PathBuf::from("reports").join(names.join("+"))))
    }

    /// Writes the page from what there is now. Returns its path, and whether runs are missing.
    pub fn write(&mut self) -> Result<(PathBuf, bool), Error> {
        let folder = self.gather()?;
        Ok((self.write_gathered(&folder, false)?, self.input.is_unfinished()))
    }

    /// The same where a run ended since, and as a page that loads itself again while runs are missing.
    pub fn write_if_changed(&mut self) -> Result<(PathBuf, bool), Error> {
        let folder = self.gather()?;
        let ended = self.input.experiments.iter().map(|of| of.records.len() + of.failures.len()).sum();
        let is_unfinished = self.input.is_unfinished();
        if self.written == Some((ended, is_unfinished)) {
            return Ok((folder.join("index.html"), is_unfinished));
        }
        let page = self.write_gathered(&folder, is_unfinished)?;
        self.written = Some((ended, is_unfinished));
        Ok((page, is_unfinished))
    }

    /// Writes what was gathered to `folder`, as a page that loads itself again where `refreshes` is set. Returns its path.
    ///
    /// # Errors
    /// Answers or texts that cannot be read; a disk that cannot be written.
    pub fn write_gathered(&mut self, folder: &Path, refreshes: bool) -> Result<PathBuf, Error> {
        report::add_answers(&self.root, &mut self.input).map_err(Error::system)?;
        report::add_examples(&self.root, &mut self.input).map_err(Error::system)?;
        for text in self.input.experiments.iter().flat_map(|experiment| &experiment.notes) {
            if self.said.insert(text.clone()) {
                (self.note)(text);
            }
        }
        if !refreshes && self.input.experiments.iter().all(|experiment| experiment.records.is_empty()) {
            (self.note)("no run is finished yet: the page has no scores");
        }
        report::write(&self.input, folder, refreshes.then_some(REFRESH_SECONDS)).map_err(Error::system)
    }
}
