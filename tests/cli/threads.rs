//! `--threads`: how many compute, which changes no digit.

use serde_json::Value;

use super::program::Workplace;

/// The records of a sweep with these options, and what it noted.
fn swept(options: &[&str]) -> (Vec<Value>, String) {
    let place = Workplace::with_tiny();
    let told = place.run(&[&["run", "tiny.yaml", "--only", "task=rte"], options].concat()).ok();
    let records: Vec<Value> = place.records().values().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
    assert_eq!(records.len(), 2);
    (records, told.err)
}

#[test]
fn each_run_has_its_threads_and_they_change_no_score() {
    let (three, noted) = swept(&["--slots=1", "--threads=3"]);
    assert!(three.iter().all(|record| record["host"]["threads"] == 3), "{three:?}");
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(noted.contains(&format!("note: 1 run of 3 threads, on {cores} cores")), cores < 3, "{noted}");
    let (one, noted) = swept(&["--slots=1", "--threads=1"]);
    assert!(one.iter().all(|record| record["host"]["threads"] == 1) && !noted.contains("note:"), "{noted}");
    let scores = |records: &[Value]| records.iter().map(|record| record["scores"].clone()).collect::<Vec<_>>();
    assert_eq!(scores(&three), scores(&one));
}

#[test]
fn more_threads_than_cores_are_said() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let (_, noted) = swept(&["--slots=2", &format!("--threads={cores}")]);
    let expected = format!("note: 2 runs at a time, each of {cores} threads, on {cores} cores");
    assert!(noted.contains(&expected), "{noted}");
}

#[test]
fn check_tells_its_threads() {
    let told = Workplace::with_tiny().run(&["check", "tiny.yaml", "--threads", "3"]).ok();
    assert!(told.out.contains("device cpu, 3 threads"), "{}", told.out);
}
