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
    for &dataset in DATASETS {
        if DatasetFolder::find(dataset, root).is_err() {
            continue;
        }
        let manifest = dataset.manifest()?;
        for split in dataset.splits {
            let verdict = compare(dataset, split, &manifest, root);
            let (name, published) = (split.name.to_owned(), split.examples);
            findings.push(Finding { dataset: &dataset.name, split: name, published, verdict });
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
        // Where nothing can be read, the first bad line is more to the point than their number.
        Err(unreadable) => return Verdict::Unreadable(first_bad(dataset, split, root).unwrap_or(unreadable)),
    };
    let found = read.examples() as u64;
    if found != split.examples {
        let bad = if read.skipped() > 0 { first_bad(dataset, split, root) } else { None };
        return Verdict::OtherSize { found, bad };
    }
    match &files[..] {
        [(_, path)] => compare_by_checksum(manifest, path.parent().unwrap_or(root), split.file),
        _ => Verdict::SameSize,
    }
}

/// What is wrong with the first malformed example of a split.
fn first_bad(dataset: &Dataset, split: &SplitFile, root: &Path) -> Option<Diagnostic> {
    dataset.load(root, split, BadRows::Refuse).err()
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
                ("wnli", "test", Verdict::OtherSize { found: 1, bad: None }),
            ]
        ));
        assert!(verify(&root.path().join("nowhere")).is_err());
    }

    #[test]
    fn the_first_bad_line_is_explained() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("WNLI");
        std::fs::create_dir(&folder).unwrap();
        let header = "index\tsentence1\tsentence2\tlabel\n";
        std::fs::write(folder.join("dev.tsv"), format!("{header}0\tA.\tB.\t1\n1\tA.\t1\n")).unwrap();
        std::fs::write(folder.join("train.tsv"), format!("{header}0\tA.\tB.\t7\n")).unwrap();
        let findings = verify(root.path()).unwrap();
        let [train, dev, ..] = findings.as_slice() else { panic!("{findings:?}") };
        let Verdict::OtherSize { found: 1, bad: Some(bad) } = &dev.verdict else { panic!("{dev:?}") };
        assert!(bad.to_string().contains("dev.tsv:3: 3 columns where 4 were expected"), "{bad}");
        let Verdict::Unreadable(bad) = &train.verdict else { panic!("{train:?}") };
        assert!(bad.to_string().contains("train.tsv:2: unknown label `7`"), "{bad}");
    }
}
