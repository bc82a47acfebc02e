//! Whether runs of two models read the same files.

use std::collections::BTreeMap;

use crate::store::RunSettings;

/// The files that two runs on a task do not have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OtherFiles {
    /// Those that are trained on: what the models learned from differs.
    pub(crate) train: Vec<String>,
    /// Those that are scored: the scores are of other examples.
    pub(crate) scored: Vec<String>,
}

/// What differs, by the checksums in the settings. What is called `train` is trained on, as in all published datasets and
/// in the names under which files of one's own are kept.
pub(crate) fn other_files(a: &RunSettings, b: &RunSettings) -> OtherFiles {
    let none = BTreeMap::new();
    let [a, b] = [a, b].map(|settings| settings.task().map_or(&none, |of| &of.data_sha256));
    let mut found = OtherFiles::default();
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names.into_iter().filter(|name| a.get(*name) != b.get(*name)) {
        let file = name.rsplit('/').next().unwrap_or(name);
        let into = if file.contains("train") { &mut found.train } else { &mut found.scored };
        into.push(match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => format!("{name} ({} and {})", short(a), short(b)),
            (Some(_), None) => format!("{name} (only the first reads it)"),
            (None, _) => format!("{name} (only the second reads it)"),
        });
    }
    found
}

/// As much of a checksum as tells two apart.
fn short(checksum: &str) -> &str {
    checksum.get(..8).unwrap_or(checksum)
}
