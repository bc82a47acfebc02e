//! Whether files are the published ones, by checksums and counts.

use std::collections::BTreeMap;

use super::dataset::{Dataset, SplitRole};
use crate::diagnostic::Diagnostic;

impl Dataset {
    /// Of the files that training and scoring read, those that are not the published ones, with why: their checksum is
    /// another one than the manifest's, where it has one, or there are more or fewer examples. `checksums` are those of the
    /// files by published name, `examples` the numbers of examples by split.
    ///
    /// # Errors
    /// When `datasets/<name>.yaml` was not a manifest as the program was built.
    pub fn unpublished(
        &self,
        checksums: &BTreeMap<String, String>,
        examples: &BTreeMap<String, u64>,
    ) -> Result<Vec<String>, Diagnostic> {
        let manifest = self.manifest()?;
        let mut differing = Vec::new();
        for split in self.splits.iter().filter(|split| split.role != SplitRole::Test) {
            let name = format!("{}/{}", self.folder, split.file);
            let (published, found) = (manifest.sha256_of(split.file), checksums.get(&name));
            let counted = examples.get(split.name).copied().unwrap_or_default();
            if counted != split.examples {
                differing.push(format!("{name} has {counted} examples, not {}", split.examples));
            } else if published.zip(found).is_some_and(|(published, found)| published != found) {
                differing.push(format!("{name} has another checksum"));
            }
        }
        Ok(differing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::RTE;

    #[test]
    fn counts_and_checksums_make_the_published_files() {
        let sha256_of = |name: &str| RTE.manifest().unwrap().sha256_of(name).unwrap().to_owned();
        let checksums = BTreeMap::from(
            ["train", "dev"].map(|split| (format!("RTE/{split}.tsv"), sha256_of(&format!("{split}.tsv")))),
        );
        let examples = BTreeMap::from([("train".to_owned(), 2490), ("dev".to_owned(), 277)]);
        assert_eq!(RTE.unpublished(&checksums, &examples).unwrap(), Vec::<String>::new());
        let fewer = BTreeMap::from([("train".to_owned(), 20), ("dev".to_owned(), 277)]);
        assert_eq!(RTE.unpublished(&checksums, &fewer).unwrap(), ["RTE/train.tsv has 20 examples, not 2490"]);
        let edited = BTreeMap::from([("RTE/dev.tsv".to_owned(), "00".repeat(32))]);
        assert_eq!(RTE.unpublished(&edited, &examples).unwrap(), ["RTE/dev.tsv has another checksum"]);
    }
}
