//! The part of a manifest that says how a dataset's files are had.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a dataset is had.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetch {
    /// From public addresses.
    Download(Download),
    /// By the user, who is told how: no one may give the files out.
    ByHand(String),
}

/// What is downloaded, and what is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// The published files.
    pub files: Vec<RemoteFile>,
    /// What is made of them.
    pub assemble: Option<Assembly>,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteFile {
    /// Its public address.
    pub url: String,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its SHA-256. Without one, that of the first download is kept and later ones are held against it.
    pub sha256: Option<String>,
    /// The name that it gets in the dataset's folder, if another than in its address.
    #[serde(rename = "as")]
    pub stored_as: Option<String>,
    /// It is a zip archive: name in the archive → name in the dataset's folder.
    pub unpack: Option<BTreeMap<String, String>>,
}

/// How files of a dataset's folder are made of downloaded ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assembly {
    /// GLUE's `train.tsv`, `dev.tsv` and `test.tsv` of the Microsoft Research Paraphrase Corpus.
    Mrpc,
}

impl Assembly {
    /// The files that it makes.
    #[must_use]
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::Mrpc => &["train.tsv", "dev.tsv", "test.tsv"],
        }
    }
}

impl RemoteFile {
    /// The last part of its address without what follows a `?` or `#`: its name on a mirror.
    #[must_use]
    pub fn name(&self) -> &str {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// The names that come of it in the dataset's folder.
    #[must_use]
    pub fn targets(&self) -> Vec<&str> {
        match (&self.unpack, &self.stored_as) {
            (Some(members), _) => members.values().map(String::as_str).collect(),
            (None, Some(name)) => vec![name],
            (None, None) => vec![self.name()],
        }
    }
}

impl Download {
    /// Every file that it leaves in the dataset's folder.
    #[must_use]
    pub fn targets(&self) -> Vec<&str> {
        let made = self.assemble.map_or(&[][..], Assembly::files);
        self.files.iter().flat_map(RemoteFile::targets).chain(made.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_the_end_of_its_address() {
        let file = |url: &str| {
            RemoteFile { url: url.to_owned(), size: None, sha256: None, stored_as: None, unpack: None }
                .name()
                .to_owned()
        };
        assert_eq!(file("https://a.org/data/CoLA.zip"), "CoLA.zip");
        assert_eq!(file("https://a.org/CoLA.zip?raw=1/2#x/y"), "CoLA.zip");
        assert_eq!(file("https://a.org/"), "");
    }
}
