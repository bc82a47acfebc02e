//! The table of datasets that can be fetched, and what a user may call them.

use std::path::Path;

use super::super::dataset::Dataset;
use super::super::manifest::Manifest;
use super::super::table::DATASETS;
use crate::diagnostic::{Diagnostic, suggest};

/// A manifest that is built into the program.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The dataset's name.
    pub name: &'static str,
    /// The name of a group that it is fetched with.
    pub group: Option<&'static str>,
    /// The text of `datasets/<name>.yaml`.
    pub manifest: &'static str,
}

/// Corpora, which are no tasks' datasets.
const CORPORA: [Source; 2] = [
    Source { name: "wikitext2", group: Some("wikitext"), manifest: include_str!("../../../datasets/wikitext2.yaml") },
    Source {
        name: "wikitext103",
        group: Some("wikitext"),
        manifest: include_str!("../../../datasets/wikitext103.yaml"),
    },
];

/// What can be fetched by name: every dataset of [`DATASETS`], then the corpora.
pub fn sources() -> impl Iterator<Item = Source> {
    let of =
        |dataset: &&'static Dataset| Source { name: &dataset.name, group: dataset.group, manifest: dataset.manifest };
    DATASETS.iter().map(of).chain(CORPORA)
}

impl Source {
    /// The manifest.
    ///
    /// # Errors
    /// When the text was not a manifest as the program was built.
    pub fn manifest(&self) -> Result<Manifest, Diagnostic> {
        Manifest::built_in(self.name, self.manifest)
    }
}

/// The manifests that `words` stand for, each once: names of datasets and of groups (`glue`, `squad`,
/// `wikitext`), in the order of [`sources`], then the files of manifests that a user wrote (`….yaml`).
///
/// # Errors
/// An unknown name, with the nearest known one; a file that is no manifest or names what must not be
/// written; two datasets of one folder.
pub fn select(words: &[String]) -> Result<Vec<Manifest>, Diagnostic> {
    let is_file = |word: &&String| Path::new(word).extension().is_some_and(|kind| kind == "yaml" || kind == "yml");
    let (files, names): (Vec<&String>, Vec<&String>) = words.iter().partition(is_file);
    for name in &names {
        if !sources().any(|source| is_called(&source, name)) {
            return Err(Diagnostic::new(format!("unknown dataset `{name}`")).hint(suggest(name, known())));
        }
    }
    let mut manifests = Vec::new();
    for source in sources().filter(|source| names.iter().any(|name| is_called(source, name))) {
        manifests.push(source.manifest()?);
    }
    let mut written = files.iter().map(|file| read(Path::new(file))).collect::<Result<Vec<_>, _>>()?;
    // Two processes that hold datasets in the same order never wait for each other.
    written.sort_by(|one, other| one.name.cmp(&other.name));
    manifests.extend(written);
    for (at, manifest) in manifests.iter().enumerate() {
        let same = |other: &&Manifest| {
            let folders = [&other.folder, &manifest.folder].map(|folder| folder.to_lowercase());
            other.name == manifest.name || folders[0] == folders[1]
        };
        if let Some(other) = manifests[..at].iter().find(same) {
            let (name, folder) = (&manifest.name, &manifest.folder);
            let same = format!("`{}` and `{name}` would both be fetched into {folder}", other.name);
            return Err(Diagnostic::new(same).hint("fetch them one at a time, each with another `--to`"));
        }
    }
    Ok(manifests)
}

fn is_called(source: &Source, word: &str) -> bool {
    source.name == word || source.group == Some(word)
}

/// Names of groups, then of datasets.
fn known() -> Vec<&'static str> {
    let mut names: Vec<&str> = sources().filter_map(|source| source.group).collect();
    names.dedup();
    names.extend(sources().map(|source| source.name));
    names
}

/// A manifest of the user's.
fn read(path: &Path) -> Result<Manifest, Diagnostic> {
    let unreadable = |error| Diagnostic::new(format!("the manifest cannot be read: {error}")).in_file(path);
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let manifest: Manifest = serde_yaml::from_str(&text).map_err(|error| {
        // The lines after the first are a drawing of the place.
        let error = error.to_string();
        let first = error.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Diagnostic::new(format!("this is not a manifest: {first}")).in_file(path)
    })?;
    match manifest.fault() {
        Some(fault) => Err(Diagnostic::new(fault).in_file(path)),
        None => Ok(manifest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fetch::{Fetch, RemoteFile};

    fn names(words: &[&str]) -> Result<Vec<String>, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let manifests = select(&words).map_err(|found| found.to_string())?;
        Ok(manifests.into_iter().map(|manifest| manifest.name).collect())
    }

    #[test]
    fn groups_and_names_are_selected_once_in_the_table_s_order() {
        assert_eq!(names(&["squad2", "rte", "squad", "rte"]).unwrap(), ["rte", "squad1", "squad2"]);
        assert_eq!(names(&["glue"]).unwrap().len(), 10);
        assert_eq!(names(&["sqad"]).unwrap_err(), "unknown dataset `sqad` (did you mean `squad`?)");
        assert!(names(&["imagenet"]).unwrap_err().contains("known: glue, squad, wikitext, cola"));
    }

    #[test]
    fn every_source_can_be_fetched_or_says_how() {
        for source in sources() {
            let manifest = source.manifest().unwrap();
            assert_eq!((manifest.name.as_str(), manifest.fault()), (source.name, None));
            match manifest.fetch.as_ref().unwrap() {
                Fetch::ByHand(how) => {
                    let says = how.contains("https://") || how.contains("bertbench data mini");
                    assert!(says, "{}", source.name);
                }
                Fetch::Download(download) => {
                    let targets = download.targets();
                    for split in &manifest.splits {
                        assert!(targets.contains(&split.file.as_str()), "{}: {}", source.name, split.file);
                    }
                    let whole = |file: &RemoteFile| file.size.is_some() && file.sha256.is_some();
                    assert!(download.files.iter().all(whole), "{}", source.name);
                    assert!(download.files.iter().all(|file| file.url.starts_with("https://")), "{}", source.name);
                }
            }
        }
    }

    #[test]
    fn a_user_s_manifest_is_read_and_refused_where_it_leads_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.yaml");
        let text = |folder: &str| {
            format!(
                "name: mine\ntitle: t\nfolder: {folder}\nlicence: l\nhomepage: h\ncitation: c\nsplits: []\n\
                 fetch: {{download: {{files: [{{url: 'https://a.org/a'}}]}}}}\n"
            )
        };
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            names(&[path.to_str().unwrap(), "rte"])
        };
        assert_eq!(read(&text("Mine")).unwrap(), ["rte", "mine"]);
        assert!(read(&text("../Mine")).unwrap_err().ends_with("`../Mine` is not a plain name"));
        assert!(read(&text("rte")).unwrap_err().starts_with("`rte` and `mine` would both be fetched into rte"));
        assert!(read("name: [").unwrap_err().contains("this is not a manifest"));
        assert!(names(&["nowhere.yaml"]).unwrap_err().contains("cannot be read"));
    }
}
