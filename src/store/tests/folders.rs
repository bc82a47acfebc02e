//! Run folders: what is there, what is trusted, what is cleared.

use std::fs;

use super::super::example;
use super::super::{Evaluation, Event, Failure, FailureKind, RunFolder, RunState, RunsRoot, StoreError};

fn run(root: &RunsRoot, task: &str, seed: u64) -> RunFolder {
    root.folder("mini", &example::settings(task, seed)).unwrap()
}

fn finish(folder: &RunFolder, task: &str, seed: u64) {
    folder.begin(&example::settings(task, seed)).unwrap();
    folder.write_record(&example::record("mini", &example::settings(task, seed), Some(0.7))).unwrap();
}

#[test]
fn a_run_leaves_what_it_should_where_it_should() {
    let (disk, root) = example::runs();
    let folder = run(&root, "rte", 1);
    let id = example::settings("rte", 1).id();
    assert_eq!(folder.path(), disk.path().join(format!("mini/rte/bert-tiny/{id}")));
    assert_eq!(folder.state().unwrap(), RunState::Missing);
    folder.begin(&example::settings("rte", 1)).unwrap();
    assert_eq!(folder.state().unwrap(), RunState::Missing);
    let evaluation = Evaluation { epoch: Some(1), step: 2, train_loss: Some(0.6), scores: Vec::new(), held_out: None };
    folder.event_log_after(0).unwrap().append(&Event::Evaluation(evaluation.clone())).unwrap();
    folder.write_predictions("predictions-dev.tsv", "index\tprediction\n0\tentailment\n").unwrap();
    folder.log("one\ntwo").unwrap();
    folder.write_record(&example::record("mini", &example::settings("rte", 1), Some(0.7))).unwrap();

    assert_eq!(folder.state().unwrap(), RunState::Done);
    assert_eq!(folder.settings().unwrap(), Some(example::settings("rte", 1)));
    assert_eq!(folder.events().unwrap(), [Event::Evaluation(evaluation)]);
    assert_eq!(folder.record().unwrap().unwrap().primary_score(), Some(0.7));
    assert!(fs::read_to_string(folder.path().join("log.txt")).unwrap().ends_with("] two\n"));
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["log.txt", "metrics.jsonl", "predictions-dev.tsv", "record.json", "settings.json"]);
}

#[test]
fn a_good_record_is_never_replaced_or_cleared() {
    let disk = tempfile::tempdir().unwrap();
    let folder = run(&RunsRoot::new(disk.path()), "rte", 1);
    finish(&folder, "rte", 1);
    let settings = example::settings("rte", 1);
    let other = example::record("mini", &settings, Some(0.9));
    assert!(matches!(folder.write_record(&other), Err(StoreError::AlreadyDone(_))));
    assert!(matches!(folder.begin(&settings), Err(StoreError::AlreadyDone(_))));
    let failure = Failure::now(FailureKind::Killed, "SIGKILL");
    assert!(matches!(folder.write_failure(&failure), Err(StoreError::AlreadyDone(_))));
    assert_eq!(folder.record().unwrap().unwrap().primary_score(), Some(0.7));
}

#[test]
fn a_second_attempt_starts_clean_but_keeps_the_log() {
    let disk = tempfile::tempdir().unwrap();
    let folder = run(&RunsRoot::new(disk.path()), "rte", 1);
    folder.begin(&example::settings("rte", 1)).unwrap();
    folder.log("first").unwrap();
    fs::create_dir(folder.model_folder()).unwrap();
    fs::write(folder.path().join(".tmp-00000000-1-1-x"), "half").unwrap();
    folder.write_predictions("predictions-dev.tsv", "x").unwrap();
    folder.write_failure(&Failure::now(FailureKind::Diverged, "loss is NaN at step 3")).unwrap();
    let RunState::Failed(failure) = folder.state().unwrap() else { panic!() };
    assert_eq!((failure.kind.as_str(), failure.cause.as_str()), ("diverged", "loss is NaN at step 3"));
    assert!(!folder.model_folder().exists(), "weights of a failed run are not kept");

    folder.begin(&example::settings("rte", 1)).unwrap();
    assert_eq!(folder.state().unwrap(), RunState::Missing);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["log.txt", "settings.json"]);
}

#[test]
fn a_record_with_a_number_that_json_cannot_hold_is_refused_by_name() {
    let disk = tempfile::tempdir().unwrap();
    let folder = run(&RunsRoot::new(disk.path()), "rte", 1);
    let settings = example::settings("rte", 1);
    folder.begin(&settings).unwrap();
    let mut record = example::record("mini", &settings, Some(f64::NAN));
    record.timings.tokens_per_second = f64::INFINITY;
    let error = folder.write_record(&record).unwrap_err().to_string();
    assert!(
        error.ends_with(r#"record.json cannot be written: not a finite number: "tokens_per_second": null"#),
        "{error}"
    );
    assert_eq!(folder.state().unwrap(), RunState::Missing);
    record.timings.tokens_per_second = 1.0;
    folder.write_record(&record).unwrap();
    assert_eq!(folder.record().unwrap().unwrap().primary_score(), None, "a score may be unknown");
}

#[test]
fn without_its_claim_a_worker_changes_nothing() {
    let (_disk, root) = example::runs();
    let settings = example::settings("rte", 1);
    let claim = root.claims("mini").unwrap().claim(&settings.id(), &[]).unwrap().unwrap();
    let folder = run(&root, "rte", 1).under_claim(claim.token());
    folder.begin(&settings).unwrap();
    assert!(matches!(folder.state().unwrap(), RunState::Claimed(holder) if holder.alive));
    drop(claim);
    let lost = |result| matches!(result, Err(StoreError::ClaimLost(_)));
    assert!(lost(folder.write_record(&example::record("mini", &settings, Some(0.7)))));
    assert!(lost(folder.write_failure(&Failure::now(FailureKind::Error, "x"))));
    assert!(lost(folder.write_predictions("predictions-dev.tsv", "x")));
    assert!(lost(folder.write_model(|_| Ok(()))));
    assert!(lost(folder.begin(&settings)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only settings.json");
}

#[test]
fn names_that_leave_their_folder_are_refused() {
    let root = RunsRoot::new("runs");
    for name in ["", "..", ".claims", "a/b", "a\\b"] {
        let error = root.folder(name, &example::settings("rte", 1)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("experiment `{name}` cannot name a folder")), "{error}");
        let mut settings = example::settings("rte", 1);
        settings.model = name.to_owned();
        assert!(matches!(root.folder("mini", &settings), Err(StoreError::Name { what: "model", .. })));
    }
}

#[test]
fn runs_are_found_by_the_start_of_their_id_and_removed_unless_in_use() {
    let (_disk, root) = example::runs();
    assert!(root.experiments().unwrap().is_empty() && root.folders("mini").unwrap().is_empty());
    finish(&run(&root, "rte", 1), "rte", 1);
    run(&root, "mrpc", 1).begin(&example::settings("mrpc", 1)).unwrap();
    run(&root, "mrpc", 1).write_failure(&Failure::now(FailureKind::Panic, "x")).unwrap();
    assert_eq!(root.failures("mini").unwrap().len(), 1);
    let id = example::settings("rte", 1).id();
    let found = root.find(&id.0[..6]).unwrap();
    assert_eq!(found.len(), 1);
    let claim = root.claims("mini").unwrap().claim(&id, &[]).unwrap().unwrap();
    let error = found[0].remove().unwrap_err().to_string();
    assert!(error.starts_with(&format!("run {id} is being worked on by ")), "{error}");
    drop(claim);
    found[0].remove().unwrap();
    assert!(root.find(&id.0).unwrap().is_empty() && !found[0].path().exists());
    assert_eq!(root.experiments().unwrap(), ["mini"]);
}
