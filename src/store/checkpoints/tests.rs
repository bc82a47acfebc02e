//! Whole checkpoints are found, damaged ones are not taken.

use std::io::Read;

use super::*;

/// Files of a few bytes, in which every bit can be flipped.
const CONTENT: &[u8] = b"weights";

fn run(name: &str) -> RunId {
    RunId(name.into())
}

fn checkpoints(folder: &Path, keep: usize) -> Checkpoints {
    Checkpoints::new(&folder.join(CHECKPOINTS), run("aa"), keep)
}

fn write(checkpoints: &Checkpoints, step: u64) {
    let content = [CONTENT, &step.to_le_bytes()].concat();
    checkpoints.write(step, &(step * 2), |writer| writer.file("weights.bin", |into| into.write_all(&content))).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_newest_is_found_and_the_last_ones_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let all = checkpoints(folder.path(), 3);
    assert!(all.newest().unwrap().0.is_none(), "none before the first");
    for step in [5, 80, 900, 1000, 12_345_678] {
        write(&all, step);
        let (newest, unusable) = all.newest().unwrap();
        let newest = newest.unwrap();
        assert_eq!((newest.step, newest.state.as_u64()), (step, Some(2 * step)));
        assert!(unusable.is_empty());
        let mut content = Vec::new();
        newest.file("weights.bin").unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, [CONTENT, &step.to_le_bytes()].concat());
    }
    assert_eq!(names(&folder.path().join(CHECKPOINTS)), ["step-0000900", "step-0001000", "step-12345678"]);
}

#[test]
fn any_flipped_bit_and_any_truncation_of_any_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let all = checkpoints(folder.path(), 3);
    write(&all, 1);
    write(&all, 2);
    let newest = folder.path().join(CHECKPOINTS).join("step-0000002");
    assert_eq!(names(&newest), [CHECKSUMS, STATE, "weights.bin"]);
    let found = |damage: &str| {
        let (found, unusable) = all.newest().unwrap();
        assert_eq!(found.map(|found| found.step), Some(1), "{damage}");
        assert_eq!(unusable.len(), 1, "{damage}");
        assert_eq!(unusable[0].folder, newest);
    };
    for name in names(&newest) {
        let path = newest.join(&name);
        let whole = fs::read(&path).unwrap();
        for bit in 0..8 * whole.len() {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, damaged).unwrap();
            found(&format!("bit {bit} of {name}"));
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            found(&format!("{length} bytes of {name}"));
        }
        fs::remove_file(&path).unwrap();
        found(&format!("no {name}"));
        fs::write(&path, whole).unwrap();
        assert_eq!(all.newest().unwrap().0.map(|found| found.step), Some(2), "whole again");
    }
}

#[test]
fn what_could_not_be_used_goes_when_a_step_is_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let all = checkpoints(folder.path(), 1);
    for step in [10, 30] {
        write(&checkpoints(folder.path(), 2), step);
    }
    fs::write(all.path(30).join("weights.bin"), "other").unwrap();
    assert_eq!(all.newest().unwrap().0.map(|found| found.step), Some(10));
    write(&all, 20);
    assert_eq!(names(&folder.path().join(CHECKPOINTS)), ["step-0000020"]);
}

#[test]
fn checkpoints_of_other_runs_and_what_is_none_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let all = checkpoints(folder.path(), 2);
    write(&all, 7);
    let place = folder.path().join(CHECKPOINTS);
    for other in ["step-8", "step-x", ".tmp-half", "notes"] {
        fs::create_dir(place.join(other)).unwrap();
    }
    assert_eq!(all.newest().unwrap().0.map(|found| found.step), Some(7));
    let others = Checkpoints::new(&place, run("bb"), 2);
    let (found, unusable) = others.newest().unwrap();
    assert!(found.is_none());
    assert_eq!(unusable[0].cause, "it belongs to run aa at step 7");
    fs::rename(all.path(7), all.path(9)).unwrap();
    assert_eq!(all.newest().unwrap().1[0].cause, "it belongs to run aa at step 7", "under another step's name");
}

#[test]
fn a_checkpoint_that_cannot_be_filled_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let all = checkpoints(folder.path(), 2);
    write(&all, 1);
    let full = all.write(2, &0, |writer| {
        writer.file("weights.bin", |into| {
            into.write_all(CONTENT)?;
            Err(io::Error::other("no space"))
        })
    });
    assert!(full.unwrap_err().to_string().contains("no space"));
    assert_eq!(names(&folder.path().join(CHECKPOINTS)), ["step-0000001"]);
}
