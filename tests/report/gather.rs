//! From run folders to a report: what is damaged is named, and the report goes on without it.

use std::fs;
use std::path::Path;

use bertbench::report::{self, Input, gather};
use bertbench::store::{Record, RunIdentity, RunsRoot, StoredPlan, write_sealed};

use super::synthetic::complete;
use super::text;

fn write_run(runs: &Path, record: &Record) -> std::path::PathBuf {
    let settings = &record.settings;
    let place = [&record.experiment, settings.task_name(), &settings.model, record.id.0.as_str()];
    let folder = place.iter().fold(runs.to_owned(), |path, part| path.join(part));
    fs::create_dir_all(&folder).unwrap();
    write_sealed(&folder.join("settings.json"), settings).unwrap();
    write_sealed(&folder.join("record.json"), record).unwrap();
    folder
}

#[test]
fn damaged_files_and_folders_in_the_way_are_named_and_left_out() {
    let place = tempfile::tempdir().unwrap();
    let records: Vec<Record> = complete("x", "mini", ["base", "large"], &[1]).records.into_iter().take(6).collect();
    let folders: Vec<_> = records.iter().map(|record| write_run(place.path(), record)).collect();
    fs::write(folders[1].join("metrics.jsonl"), "{\"event\":\n").unwrap();
    fs::write(folders[2].join("record.json"), "{\"id\":").unwrap();
    fs::remove_file(folders[3].join("record.json")).unwrap();
    fs::create_dir(folders[3].join("record.json")).unwrap();
    fs::create_dir(folders[4].join("metrics.jsonl")).unwrap();
    let run = |record: &Record| RunIdentity { id: record.id.clone(), settings: record.settings.clone() };
    let plan = StoredPlan {
        experiment_sha256: String::new(),
        overrides: Vec::new(),
        device: "cpu".into(),
        pretraining: Vec::new(),
        runs: records.iter().take(5).map(run).collect(),
    };
    let root = RunsRoot::new(place.path());
    let found = gather(&root, ("x", None), Some(&plan));
    let mut whole: Vec<_> = found.records.iter().map(|record| &record.id).collect();
    let mut expected: Vec<_> = [0, 1, 4].map(|at: usize| &records[at].id).to_vec();
    whole.sort();
    expected.sort();
    assert_eq!(whole, expected);
    for (at, file) in [(1, "metrics.jsonl"), (2, "record.json"), (3, "record.json"), (4, "metrics.jsonl")] {
        let id = &records[at].id.0;
        let names = |note: &&String| note.contains(id.as_str()) && note.contains(file);
        assert_eq!(found.notes.iter().filter(names).count(), 1, "{id} {file}: {:?}", found.notes);
    }
    assert!(found.notes.iter().any(|note| note.starts_with("1 records are left out")), "{:?}", found.notes);
    let files = report::render(&Input { title: "x".into(), experiments: vec![found.clone()] }).unwrap();
    let page = text(&files, "results.md");
    assert_eq!(page.matches("> **Note:** x: ").count(), found.notes.len(), "{page}");
    assert_eq!(gather(&root, ("x", None), None).records.len(), 4, "without a plan, every record counts");
    // A file where the experiment's folder belongs.
    fs::write(place.path().join("y"), "").unwrap();
    assert_eq!(gather(&root, ("y", None), None).notes.len(), 1);
}
