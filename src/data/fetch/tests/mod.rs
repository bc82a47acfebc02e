//! Fetches against servers on this machine; the faults of transfers have their tests in `download`.

mod archives;
mod assembly;
mod network;

use super::super::manifest::Manifest;

/// A manifest called `name` with a part `fetch:`.
pub(crate) fn manifest(name: &str, rest: &str) -> Manifest {
    let text = format!(
        "name: {name}\ntitle: t\nfolder: {name}-files\nlicence: l\nhomepage: h\ncitation: c\nsplits: []\n{rest}\n"
    );
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A manifest of the dataset `name` whose files these are, in YAML.
pub(crate) fn downloads(name: &str, files: &str) -> Manifest {
    manifest(name, &format!("fetch: {{download: {{files: [{files}]}}}}"))
}
