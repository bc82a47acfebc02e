//! Texts of examples that no run is scored on any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::atomic;
use super::error::StoreError;
use super::examples::{EXAMPLES, ending};
use super::root::RunsRoot;

impl RunsRoot {
    /// Files with the texts of examples that no run of an experiment is scored on, finished or begun. None where a run's
    /// settings cannot be read: it may be of them.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn unused_examples(&self, experiment: &str) -> Result<Vec<PathBuf>, StoreError> {
        let path = self.experiment(experiment)?.join(EXAMPLES);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(atomic::about("cannot list", &path, &error).into()),
        };
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
            let entry = entry.map_err(|error| StoreError::from(atomic::about("cannot list", &path, &error)))?;
            // Hidden names are of files that are being written.
            if entry.file_name().to_str().is_some_and(|name| !name.starts_with('.') && !is_used(name)) {
                unused.push(entry.path());
            }
        }
        unused.sort_unstable();
        Ok(unused)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ExampleText, Examples, example, write_sealed};
    use super::*;

    #[test]
    fn texts_are_used_while_a_run_is_scored_on_them() {
        let disk = tempfile::tempdir().unwrap();
        let root = RunsRoot::new(disk.path());
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
