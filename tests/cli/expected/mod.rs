//! Expected texts, kept as files beside this one. `BERTBENCH_UPDATE=1` rewrites them and fails.

use std::fs;
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/expected");

/// Fails when the text kept under `name` is another.
#[track_caller]
pub(crate) fn assert_as_expected(name: &str, actual: &str) {
    if let Err(difference) = compare(&file(name), actual, std::env::var_os("BERTBENCH_UPDATE").is_some()) {
        panic!("{difference}");
    }
}

/// The names of all texts that are kept.
pub(crate) fn names() -> Vec<String> {
    let entries = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

fn file(name: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{name}.txt"))
}

fn compare(file: &Path, actual: &str, update: bool) -> Result<(), String> {
    let expected = fs::read_to_string(file).unwrap_or_default();
    if expected == actual && !actual.is_empty() {
        return Ok(());
    }
    if update {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, actual).unwrap();
        return Err(format!("{} was rewritten: read it and run again", file.display()));
    }
    Err(format!("{} differs\n--- expected\n{expected}--- actual\n{actual}", file.display()))
}

#[test]
fn a_text_that_differs_or_is_missing_fails_and_is_rewritten_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.txt");
    assert!(compare(&file, "new\n", false).is_err() && !file.exists());
    fs::write(&file, "old\n").unwrap();
    assert!(compare(&file, "new\n", false).is_err());
    assert_eq!(fs::read_to_string(&file).unwrap(), "old\n");
    assert!(compare(&file, "new\n", true).is_err() && compare(&file, "new\n", false).is_ok());
}
