//! Datasets that no reader knows yet, held against their manifests: by checksum, by the lock file, by counts.

use std::path::Path;

use super::super::finding::{Finding, Verdict};
use super::super::manifest::{Manifest, ManifestSplit};
use super::count::count;
use super::error::FetchError;
use super::lock::{Lock, Trust};
use super::plan::{Standing, standing};
use super::{Fetch, Outcome, sources};
use crate::diagnostic::Diagnostic;

/// Compares every dataset of [`sources()`] that `is_known` does not name and whose folder stands in the data root
/// `root` with its manifest.
///
/// # Errors
/// When a manifest was none as the program was built.
pub(in super::super) fn verify_sources(
    root: &Path,
    is_known: impl Fn(&str) -> bool,
) -> Result<Vec<Finding>, Diagnostic> {
    let mut findings = Vec::new();
    for source in sources().filter(|source| !is_known(source.name)) {
        let manifest = source.manifest()?;
        let folder = root.join(&manifest.folder);
        if !folder.is_dir() {
            continue;
        }
        for split in &manifest.splits {
            let verdict = compare(&manifest, split, &folder);
            let (dataset, published) = (source.name, split.examples);
            findings.push(Finding { dataset, split: split.name.clone(), published, verdict });
        }
    }
    Ok(findings)
}

fn compare(manifest: &Manifest, split: &ManifestSplit, folder: &Path) -> Verdict {
    let path = folder.join(&split.file);
    if !path.is_file() {
        return Verdict::Missing(Diagnostic::new("no such file").in_file(&path));
    }
    if let Some(counted) = manifest.counted {
        match count(&path, counted) {
            Ok(found) if found == split.examples => {}
            Ok(found) => return Verdict::OtherSize { found, bad: None },
            Err(unreadable) => return Verdict::Unreadable(unreadable),
        }
    }
    compare_by_checksum(manifest, folder, &split.file)
}

/// How the bytes of a file of a dataset's folder compare with the published ones, or those of the first
/// download; its examples are as many as published.
pub(in super::super) fn compare_by_checksum(manifest: &Manifest, folder: &Path, file: &str) -> Verdict {
    match standing(manifest, &Lock::read(folder), folder, file) {
        Ok(Standing::Verified(Trust::Published)) => Verdict::Identical,
        Ok(Standing::Verified(Trust::FirstUse)) => Verdict::AsFetched,
        Ok(Standing::Differs(_)) => Verdict::OtherBytes,
        Ok(Standing::Unverified | Standing::Missing) => Verdict::SameSize,
        Err(error) => Verdict::Unreadable(Diagnostic::new(error.to_string())),
    }
}

/// A dataset that must be had by hand: there with its published counts, or what is missing and how to get it.
///
/// # Errors
/// [`FetchError::ByHand`].
pub(super) fn by_hand(manifest: &Manifest, root: &Path) -> Result<Outcome, FetchError> {
    let folder = root.join(&manifest.folder);
    let missing: Vec<String> = manifest.splits.iter().filter_map(|split| lack(manifest, split, &folder)).collect();
    if missing.is_empty() {
        return Ok(Outcome::There { files: manifest.splits.len(), unverified: 0 });
    }
    let how = match &manifest.fetch {
        Some(Fetch::ByHand(how)) => how.clone(),
        Some(Fetch::Download(_)) | None => String::new(),
    };
    Err(FetchError::ByHand { dataset: manifest.name.clone(), folder, missing, how })
}

/// What is wrong with a split's file, in words.
fn lack(manifest: &Manifest, split: &ManifestSplit, folder: &Path) -> Option<String> {
    let file = &split.file;
    match compare(manifest, split, folder) {
        Verdict::Identical | Verdict::AsFetched | Verdict::SameSize => None,
        Verdict::Missing(_) => Some(format!("no {file}")),
        Verdict::OtherSize { found, .. } => Some(format!("{found} examples instead of {} in {file}", split.examples)),
        Verdict::OtherBytes => Some(format!("different bytes in {file}")),
        Verdict::Unreadable(found) => Some(format!("{file}: {}", found.message)),
    }
}
