//! What can go: texts of examples that no run is scored on any more, weights of runs that are not the best.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::examples::{EXAMPLES, ending};
use super::folder::RunFolder;
use super::models::best_of;
use super::present::entries;
use super::record::Record;
use super::root::RunsRoot;
use crate::units::Bytes;

impl RunsRoot {
    /// Files with the texts of examples that no run of an experiment is scored on, finished or begun. None where a run's
    /// settings cannot be read: it may be of them.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn unused_examples(&self, experiment: &str) -> Result<Vec<PathBuf>, StoreError> {
        let path = self.experiment(experiment)?.join(EXAMPLES);
        let entries = entries(&path)?;
        let mut used = BTreeSet::new();
        for folder in self.folders(experiment)? {
            let recorded = || folder.record().ok().flatten().map(|record| record.settings);
            match folder.settings().ok().flatten().or_else(recorded) {
                Some(settings) => used.extend(settings.task().map(ending)),
                None => return Ok(Vec::new()),
            }
        }
        let is_used = |name: &str| name.rsplit_once('-').is_some_and(|(_, ending)| used.contains(ending));
        let mut unused = Vec::new();
        for entry in entries {
            // Hidden names are of files that are being written.
            if entry.file_name().to_str().is_some_and(|name| !name.starts_with('.') && !is_used(name)) {
                unused.push(entry.path());
            }
        }
        unused.sort_unstable();
        Ok(unused)
    }

    /// Runs of tasks that have weights and are not the best of their task on their data, whatever its model.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn superfluous_weights(&self, experiment: &str) -> Result<Vec<RunFolder>, StoreError> {
        let folders = self.folders(experiment)?.into_iter().filter(|folder| !folder.is_pretraining());
        let done: Vec<(RunFolder, Record)> =
            folders.filter_map(|folder| Some((folder.record().ok().flatten()?, folder))).map(|(a, b)| (b, a)).collect();
        let data = |record: &Record| record.settings.task().map(|of| of.data_sha256.clone());
        let best = best_of(done.iter().map(|(folder, record)| ((folder.task(), data(record)), record)));
        let is_best = |record: &Record| best.values().any(|best| best.id == record.id);
        let kept = done.iter().filter(|(folder, record)| folder.model_folder().is_dir() && !is_best(record));
        Ok(kept.map(|(folder, _)| folder.clone()).collect())
    }
}

/// What a file or a folder with all that is in it takes; nothing where it cannot be read.
#[must_use]
pub fn bytes_at(path: &Path) -> Bytes {
    let Ok(found) = fs::symlink_metadata(path) else { return Bytes(0) };
    if !found.is_dir() {
        return Bytes(found.len());
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    Bytes(entries.map(|entry| bytes_at(&entry.path()).0).sum())
}

#[cfg(test)]
mod tests {
    use super::super::{ExampleText, Examples, example, write_sealed};
    use super::*;

    #[test]
    fn texts_are_used_while_a_run_is_scored_on_them() {
        let (_disk, root) = example::runs();
        assert!(root.unused_examples("mini").unwrap().is_empty());
        let all = ["rte", "cola"].map(|task| {
            let settings = example::settings(task, 1);
            let folder = root.folder("mini", &settings).unwrap();
            fs::create_dir_all(folder.path()).unwrap();
            write_sealed(&folder.path().join("settings.json"), &settings).unwrap();
            let texts = Examples::Texts(vec![ExampleText { first: "a".into(), second: None }]);
            folder.keep_examples(&settings, "dev", || Ok::<_, StoreError>(Some(texts))).unwrap();
            folder
        });
        assert!(root.unused_examples("mini").unwrap().is_empty());
        fs::remove_dir_all(all[0].path()).unwrap();
        let unused = root.unused_examples("mini").unwrap();
        assert!(
            unused.len() == 1 && unused[0].file_name().unwrap().to_str().unwrap().starts_with("rte-dev-"),
            "{unused:?}"
        );
        // A run whose settings nobody can read may be of any of them.
        fs::write(all[1].path().join("settings.json"), "{").unwrap();
        assert!(root.unused_examples("mini").unwrap().is_empty());
    }
}
