//! Whether anything of an experiment changed, without reading it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::error::StoreError;
use super::folder::{FAILURE, METRICS, RECORD};
use super::plan_file::PLAN;
use super::root::RunsRoot;

/// An experiment's folder at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Another number once a record, a failure, a log, a claim or the plan has another size or date.
    pub version: u64,
    /// Run folders with a record, good or damaged.
    pub records: usize,
}

impl RunsRoot {
    /// Looks at an experiment's folder. Opens no file.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn look(&self, experiment: &str) -> Result<Look, StoreError> {
        let mut hash = DefaultHasher::new();
        let mut records = 0;
        let path = self.experiment(experiment)?;
        add(&path.join(PLAN), &mut hash);
        add(&path.join(super::root::CLAIMS), &mut hash);
        for folder in self.folders(experiment)? {
            folder.path().hash(&mut hash);
            records += usize::from(add(&folder.path().join(RECORD), &mut hash));
            for name in [FAILURE, METRICS] {
                add(&folder.path().join(name), &mut hash);
            }
        }
        Ok(Look { version: hash.finish(), records })
    }
}

/// Adds size and date of the file at `path`; whether it is there.
fn add(path: &Path, hash: &mut DefaultHasher) -> bool {
    let found = fs::metadata(path).ok();
    found.as_ref().map(|found| (found.len(), found.modified().ok())).hash(hash);
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_look_sees_records_failures_and_lines_of_logs() {
        let (_disk, root) = example::runs();
        let look = || root.look("mini").unwrap();
        let mut seen = vec![look()];
        let settings = example::settings("rte", 1);
        let folder = root.folder("mini", &settings).unwrap();
        for (name, text) in [(METRICS, "1\n"), (METRICS, "1\n2\n"), (FAILURE, "{}"), (RECORD, "{}")] {
            fs::create_dir_all(folder.path()).unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            let now = look();
            assert_eq!(now, look(), "nothing changed");
            assert!(!seen.iter().any(|before| before.version == now.version), "{name}: {text}");
            seen.push(now);
        }
        assert_eq!(seen.iter().map(|look| look.records).collect::<Vec<_>>(), [0, 0, 0, 0, 1]);
    }
}
