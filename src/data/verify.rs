//! Holding a data folder against what was published.

use std::path::Path;

use super::dataset::{Dataset, SplitFile};
use super::example::BadRows;
use super::fetch::{compare_by_checksum, verify_sources};
use super::finding::{Finding, Verdict};
use super::folder::DatasetFolder;
use super::manifest::Manifest;
use super::table::DATASETS;
use crate::diagnostic::Diagnostic;

/// Compares every dataset whose folder stands in the data root `root` with its manifest, and with what was written
/// down when it was fetched. Malformed rows are skipped, as the published sizes leave them out. Datasets without a
/// folder are not mentioned.
///
/// # Errors
/// When `root` cannot be read.
pub fn verify(root: &Path) -> Result<Vec<Finding>, Diagnostic> {
    std::fs::read_dir(root)
        .map_err(|error| Diagnostic::new(format!("the data folder cannot be read: {error}")).in_file(root))?;
    let mut findings = Vec::new();
    for dataset in DATASETS {
        if DatasetFolder::find(dataset, root).is_err() {
            continue;
        }
        let manifest = dataset.manifest()?;
        for split in dataset.splits {
            let verdict = compare(dataset, split, &manifest, root);
            let (name, published) = (split.name.to_owned(), split.examples);
            findings.push(Finding { dataset: dataset.name, split: name, published, verdict });
        }
    }
    findings.extend(verify_sources(root, |name| DATASETS.iter().any(|dataset| dataset.name == name))?);
    Ok(findings)
}

fn compare(dataset: &Dataset, split: &SplitFile, manifest: &Manifest, root: &Path) -> Verdict {
    let files = match dataset.files(root, split) {
        Ok(files) => files,
        Err(missing) => return Verdict::Missing(missing),
    };
    let read = match dataset.load(root, split, BadRows::Skip) {
        Ok(read) => read,
        Err(unreadable) => return Verdict::Unreadable(unreadable),
    };
    let found = read.len() as u64;
    if found != split.examples {
        return Verdict::OtherSize { found };
    }
    match &files[..] {
        [(_, path)] => compare_by_checksum(manifest, path.parent().unwrap_or(root), split.file),
        _ => Verdict::SameSize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_told_apart_from_what_was_published() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("wnli");
        std::fs::create_dir(&folder).unwrap();
        let rows = "0\tIt fell.\tA cup fell.\t1\n".repeat(71);
        std::fs::write(folder.join("dev.tsv"), format!("index\tsentence1\tsentence2\tlabel\n{rows}")).unwrap();
        std::fs::write(folder.join("test.tsv"), "index\tsentence1\tsentence2\n0\tIt fell.\tA cup fell.\n").unwrap();
        let findings = verify(root.path()).unwrap();
        let verdicts: Vec<_> = findings.iter().map(|found| (found.dataset, &*found.split, &found.verdict)).collect();
        assert!(matches!(
            verdicts[..],
            [
                ("wnli", "train", Verdict::Missing(_)),
                ("wnli", "dev", Verdict::OtherBytes),
                ("wnli", "test", Verdict::OtherSize { found: 1 }),
            ]
        ));
        assert!(verify(&root.path().join("nowhere")).is_err());
    }
}
