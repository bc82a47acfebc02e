//! No input makes a reader panic, abort, or take more than 5 seconds or a gigabyte.
//!
//! `just test` reads the inputs in `tests/fuzz/corpus/` again, a folder for each reader. `just fuzz [minutes]` makes new
//! ones ([`mutate`]), reads them in processes of their own, and keeps there what fails.

mod campaign;
mod mutate;
mod readers;
mod sealed;
mod stored;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bertbench::text::Vocabulary;
use readers::READERS;

/// No execution takes longer.
const LONGEST: Duration = Duration::from_secs(5);

/// A vocabulary of a few tokens.
fn vocabulary() -> Vocabulary {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vocab.txt");
    fs::write(&path, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\nun\n##able\n中\n.\na\n").unwrap();
    Vocabulary::load(&path).unwrap()
}

/// The inputs that are kept for a reader.
fn kept(reader: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(reader)
}

#[test]
fn inputs_that_once_failed_are_read_or_refused() {
    for reader in READERS {
        let folder = tempfile::tempdir().unwrap();
        (reader.prepare)(folder.path());
        let mut inputs = (reader.seeds)();
        let mut paths: Vec<_> =
            fs::read_dir(kept(reader.name)).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        inputs.extend(paths.iter().map(|path| fs::read(path).unwrap()));
        for (number, input) in inputs.iter().enumerate() {
            let begin = Instant::now();
            (reader.read)(folder.path(), input);
            assert!(
                begin.elapsed() < LONGEST,
                "{} input {number} of {} took {:?}",
                reader.name,
                inputs.len(),
                begin.elapsed()
            );
        }
    }
}

#[test]
#[ignore = "the campaign that `just fuzz` runs"]
fn campaign() {
    campaign::run();
}

/// The processes that the campaign starts.
#[test]
#[ignore = "the entry point of the campaign's processes"]
fn child() {
    campaign::play();
}
