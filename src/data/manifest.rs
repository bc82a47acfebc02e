//! `datasets/<name>.yaml`: where a dataset comes from and what its files must be.

use serde::Deserialize;

use super::dataset::Dataset;
use super::fetch::Fetch;
use crate::diagnostic::Diagnostic;

/// Source, licence and files of a dataset. The data itself is not part of this project.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The dataset's name in experiment files.
    pub name: String,
    /// What the name stands for.
    pub title: String,
    /// Its folder in the data root.
    pub folder: String,
    /// Under which terms it may be used.
    pub licence: String,
    /// Where it is described and given out.
    pub homepage: String,
    /// What to cite.
    pub citation: String,
    /// What a user should know besides.
    pub note: Option<String>,
    /// What an example is, where the files are counted without their reader.
    pub counted: Option<Counted>,
    /// Its files.
    pub splits: Vec<ManifestSplit>,
    /// How they are had.
    pub fetch: Option<Fetch>,
}

/// What the published number of examples counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Rows of a CSV file below its header.
    Rows,
    /// Questions of a `SQuAD` file.
    Questions,
    /// Sentences of a column file: blocks between blank lines, `-DOCSTART-` left out.
    Sentences,
    /// Lines.
    Lines,
}

/// One file of a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestSplit {
    /// The split's name.
    pub name: String,
    /// The file in the dataset's folder.
    pub file: String,
    /// Published number of examples.
    pub examples: u64,
    /// SHA-256 of the published file, where a copy was at hand to compute it.
    pub sha256: Option<String>,
}

impl Manifest {
    /// Reads `datasets/<name>.yaml`, as it is built into the program.
    ///
    /// # Errors
    /// When the text was not a manifest as the program was built.
    pub(super) fn built_in(name: &str, text: &str) -> Result<Self, Diagnostic> {
        serde_yaml::from_str(text)
            .map_err(|error| Diagnostic::new(format!("datasets/{name}.yaml is not a manifest: {error}")))
    }
}

impl Dataset {
    /// The dataset's manifest, which is built into the program.
    ///
    /// # Errors
    /// When `datasets/<name>.yaml` was not a manifest as the program was built.
    pub fn manifest(&self) -> Result<Manifest, Diagnostic> {
        Manifest::built_in(&self.name, self.manifest)
    }
}

#[cfg(test)]
mod tests {
    use crate::data::DATASETS;
    use crate::data::fetch::sources;

    #[test]
    fn every_manifest_agrees_with_its_row_of_the_table() {
        for dataset in DATASETS {
            let manifest = dataset.manifest().unwrap();
            assert_eq!((&*manifest.name, &*manifest.folder), (&*dataset.name, &*dataset.folder));
            let theirs: Vec<_> = manifest.splits.iter().map(|s| (&*s.name, &*s.file, s.examples)).collect();
            let ours: Vec<_> = dataset.splits.iter().map(|s| (s.name, s.file, s.examples)).collect();
            assert_eq!(theirs, ours, "{}", dataset.name);
            for sha256 in manifest.splits.iter().filter_map(|split| split.sha256.as_deref()) {
                assert!(sha256.len() == 64 && sha256.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{sha256}");
            }
        }
    }

    #[test]
    fn every_manifest_in_the_folder_has_a_source_and_every_dataset_too() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/datasets")).unwrap();
        let mut names: Vec<String> = files
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
            .collect();
        names.sort();
        let mut rows: Vec<&str> = sources().map(|source| source.name).collect();
        rows.sort_unstable();
        assert_eq!(names, rows);
        for dataset in DATASETS {
            let source = sources().find(|source| source.name == dataset.name).unwrap();
            assert_eq!(source.manifest, dataset.manifest, "{}", dataset.name);
        }
    }
}
