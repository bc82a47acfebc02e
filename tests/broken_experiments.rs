//! Every file of `tests/broken/experiments/` is a mistake that a person can make; the `.txt` beside it
//! is what they are told, character by character.
//!
//! `BERTBENCH_UPDATE=1 cargo test --release --test integration broken_experiments::` rewrites the `.txt` files, and fails, so
//! that no one takes a rewritten expectation for a passed test. Read the difference, then run again.

use std::fs;
use std::path::{Path, PathBuf};

use bertbench::cli::render;
use bertbench::config;
use bertbench::plan::known_tasks;

/// Relative to the crate's root, where cargo runs tests, so that the messages name no machine's path.
const FOLDER: &str = "tests/broken/experiments";

fn rendered(path: &Path, overrides: &[&str]) -> String {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    match config::load(path, &known_tasks(), &overrides) {
        Ok(experiment) => format!("no error: loaded `{}`\n", experiment.base().name),
        Err(found) => render(&found, false),
    }
}

/// Compares `actual` with the stored expectation; writes it only when `update` is set, and reports that
/// as a difference too.
fn compare(stored: &Path, actual: &str, update: bool) -> Result<(), String> {
    let expected = fs::read_to_string(stored).unwrap_or_default();
    if expected == actual && !actual.is_empty() {
        return Ok(());
    }
    if update {
        fs::write(stored, actual).unwrap();
        return Err(format!("{} was rewritten: read it and run again", stored.display()));
    }
    Err(format!("{}\n--- expected\n{expected}--- actual\n{actual}", stored.display()))
}

fn broken_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_broken_file_is_explained_as_stored() {
    let update = std::env::var_os("BERTBENCH_UPDATE").is_some();
    let files = broken_files();
    assert!(files.len() >= 20, "only {} broken files", files.len());
    let differences: Vec<String> = files
        .iter()
        .filter_map(|file| compare(&file.with_extension("txt"), &rendered(file, &[]), update).err())
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_message_says_what_where_and_what_next() {
    for file in broken_files() {
        let shown = rendered(&file, &[]);
        let name = file.display();
        assert!(shown.starts_with("error: "), "{name}:\n{shown}");
        assert!(shown.contains(&format!("--> {name}")), "{name} has no place:\n{shown}");
        assert!(shown.lines().last().is_some_and(|line| line.starts_with("hint: ")), "{name} has no hint:\n{shown}");
        // Words of Rust, serde or the parser's internals that mean nothing to a user.
        for jargon in ["u32", "u64", "f64", "i128", "struct", "sequence", "scalar", "invalid type", "Options"] {
            let told = shown.lines().filter(|line| line.starts_with("error: ") || line.starts_with("hint: "));
            assert!(!told.into_iter().any(|line| line.contains(jargon)), "{name} says `{jargon}`:\n{shown}");
        }
    }
}

#[test]
fn every_expectation_belongs_to_a_file() {
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("yaml").exists(), "{} has no experiment", path.display());
    }
}

#[test]
fn a_stale_or_missing_expectation_fails_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join("stale.txt");
    fs::write(&stale, "error: an older message\n").unwrap();
    assert!(compare(&stale, "error: a newer message\n", false).is_err());
    assert_eq!(fs::read_to_string(&stale).unwrap(), "error: an older message\n");

    let missing = folder.path().join("missing.txt");
    assert!(compare(&missing, "error: a message\n", false).is_err());
    assert!(!missing.exists());

    // Rewriting on request is a failure as well; only the next run passes.
    assert!(compare(&stale, "error: a newer message\n", true).is_err());
    assert!(compare(&stale, "error: a newer message\n", true).is_ok());
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    assert_eq!(
        rendered(Path::new("experiments/no-such.yaml"), &[]),
        "error: cannot read the experiment file: there is no such file
  --> experiments/no-such.yaml
hint: paths are relative to the working directory; the examples are in `experiments/`
"
    );
    assert_eq!(
        rendered(Path::new("experiments"), &[]),
        "error: this is a folder, not an experiment file
  --> experiments
hint: name a file in it
"
    );
}

#[test]
fn a_file_of_megabytes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.yaml");
    fs::write(&path, "# filler\n".repeat(200_000)).unwrap();
    assert!(rendered(&path, &[]).starts_with("error: the file is larger than 1 MiB\n"));
}

/// `--set` argument → what the user is told.
const BROKEN_OVERRIDES: [(&str, &str); 10] = [
    (
        "training.max_lenght=64",
        "error: unknown key `max_lenght` in `training`
  --> --set training.max_lenght=64
hint: did you mean `max_length`?
",
    ),
    (
        "trainig.max_length=64",
        "error: unknown key `trainig`
  --> --set trainig.max_length=64
hint: did you mean `training`?
",
    ),
    (
        "training.max_length=long",
        "error: expected a whole number for `max_length`, found the string `long`
  --> --set training.max_length=long
hint: for example `max_length: 128`
",
    ),
    (
        "training.max_length=2",
        "error: `max_length` takes at least 3: `[CLS]`, one token and `[SEP]`, found `2`
  --> --set training.max_length=2
hint: without it each task has its own, such as `128`
",
    ),
    (
        "tasks=[rte, mrcp]",
        "error: unknown task `mrcp`
  --> --set tasks=[rte, mrcp]
hint: did you mean `mrpc`? A task of your own is declared: `task_settings: {mrcp: {train: FILE, dev: FILE}}`
",
    ),
    (
        "seeds=[1, 2",
        "error: this bracket is never closed
  --> --set seeds=[1, 2
hint: add the closing `]` or `}`
",
    ),
    (
        "training.max_length",
        "error: `--set` takes KEY=VALUE
  --> --set training.max_length
hint: for example `--set training.max_length=64`
",
    ),
    (
        "training.max_length=",
        "error: `--set` without a value
  --> --set training.max_length=
hint: `--set training.max_length=null` removes the key from the file's settings
",
    ),
    (
        "tasks.0=mrpc",
        "error: `0` cannot be set inside a list or a single value
  --> --set tasks.0=mrpc
hint: set the whole value instead, for example `--set 'seeds=[1, 2]'`
",
    ),
    (
        "mini.seed=1",
        "error: both `data` and `mini` say where the data comes from
  --> --set mini.seed=1
hint: keep one: `data` for real data, `mini` for the generated benchmark
",
    ),
];

#[test]
fn a_broken_override_is_named_in_place_of_the_file() {
    for (argument, expected) in BROKEN_OVERRIDES {
        assert_eq!(rendered(Path::new("experiments/rte-minilm.yaml"), &[argument]), expected);
    }
}
