//! What was changed after it was written is noticed, and kept aside before a run is done again.

use std::fs;
use std::path::Path;

use super::super::example;
use super::super::{Event, RunFolder, RunState, RunsRoot, StepEvent, StoreError};

fn folder(root: &RunsRoot, seed: u64) -> RunFolder {
    root.folder("mini", &example::settings("rte", seed)).unwrap()
}

/// A run with all kinds of files, of which `seed` decides the id.
fn finish(root: &RunsRoot, seed: u64) -> RunFolder {
    let (folder, settings) = (folder(root, seed), example::settings("rte", seed));
    folder.begin(&settings).unwrap();
    let step = StepEvent { step: 1, epoch: Some(1), loss: 0.7, ..StepEvent::default() };
    folder.event_log_after(0).unwrap().append(&Event::Step(step)).unwrap();
    folder.write_predictions("predictions-dev.tsv", "index\tprediction\n0\tx\n").unwrap();
    folder.write_model::<StoreError>(|path| Ok(fs::write(path.join("model.safetensors"), "weights")?)).unwrap();
    folder.write_record(&example::record("mini", &settings, Some(0.5))).unwrap();
    folder
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn said(folder: &RunFolder) -> String {
    folder.record().unwrap_err().to_string()
}

#[test]
fn an_edited_score_a_cut_a_copy_and_another_runs_settings_are_noticed() {
    let (_disk, root) = example::runs();
    let folders: Vec<RunFolder> = (0..6).map(|seed| finish(&root, seed)).collect();
    let record = |seed: usize| folders[seed].path().join("record.json");
    edit(&record(0), "\"value\": 0.5", "\"value\": 0.9");
    let whole = fs::read(record(1)).unwrap();
    fs::write(record(1), &whole[..whole.len() / 2]).unwrap();
    fs::copy(record(5), record(2)).unwrap();
    // Settings that do not hash to the id, under a checksum of their own.
    let mut other = folders[3].record().unwrap().unwrap();
    other.settings.seed = 99;
    super::super::write_sealed(&record(3), &other).unwrap();
    fs::remove_file(record(4)).unwrap();
    fs::create_dir(record(4)).unwrap();

    assert!(said(&folders[0]).ends_with("record.json is damaged: it was changed: its checksum does not match"));
    assert!(said(&folders[1]).contains("record.json is damaged: EOF while parsing"));
    let of = format!("record.json is the record of mini/rte/bert-tiny/{}: ", folders[5].id());
    assert!(said(&folders[2]).contains(&of), "{}", said(&folders[2]));
    assert!(said(&folders[3]).contains("its settings are those of run "), "{}", said(&folders[3]));
    assert!(said(&folders[4]).contains("record.json is damaged: "), "{}", said(&folders[4]));
    for folder in &folders[..5] {
        assert!(matches!(folder.state().unwrap(), RunState::Damaged(_)) && !folder.is_done());
    }
    let all = root.folders("mini").unwrap();
    let damaged = all.iter().filter(|folder| folder.record().is_err_and(|error| error.is_damage()));
    assert_eq!((all.len(), damaged.count()), (6, 5));
}

#[test]
fn a_damaged_record_is_kept_aside_with_what_belongs_to_it() {
    let (_disk, root) = example::runs();
    let folder = finish(&root, 1);
    for times in 1..=2 {
        folder.log("something went wrong").unwrap();
        edit(&folder.path().join("record.json"), "\"value\": 0.5", "\"value\": 0.9");
        let edited = fs::read(folder.path().join("record.json")).unwrap();
        finish(&root, 1);
        assert_eq!(folder.state().unwrap(), RunState::Done);
        let aside = folder.path().join(format!("damaged-{times}"));
        assert_eq!(fs::read(aside.join("record.json")).unwrap(), edited);
        for kept in ["metrics.jsonl", "predictions-dev.tsv", "settings.json", "model/model.safetensors"] {
            assert!(aside.join(kept).is_file(), "{kept}");
        }
        assert_eq!(folder.events().unwrap().len(), 1, "the log starts anew");
    }
    assert!(folder.set_aside().unwrap().is_none(), "a good record stays");
}

#[test]
fn side_files_that_were_changed_are_named() {
    let (_disk, root) = example::runs();
    let folder = finish(&root, 1);
    let record = folder.record().unwrap().unwrap();
    let names: Vec<&str> = record.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["metrics.jsonl", "model/model.safetensors", "predictions-dev.tsv"]);
    assert!(folder.damaged_side_files(&record).is_empty() && folder.check_weights(&record).is_ok());

    edit(&folder.path().join("metrics.jsonl"), "0.7", "0.1");
    assert!(folder.events().unwrap_err().to_string().contains("metrics.jsonl is damaged: it was changed"));
    fs::remove_file(folder.path().join("metrics.jsonl")).unwrap();
    fs::create_dir(folder.path().join("metrics.jsonl")).unwrap();
    assert!(folder.events().unwrap_err().is_damage(), "a folder in the way");

    edit(&folder.path().join("predictions-dev.tsv"), "x", "y");
    let damaged = folder.damaged_side_files(&record);
    assert_eq!(damaged.len(), 1);
    assert!(damaged[0].to_string().contains("predictions-dev.tsv is damaged: it was changed"));
    fs::remove_file(folder.path().join("predictions-dev.tsv")).unwrap();
    assert!(folder.damaged_side_files(&record).is_empty(), "what was removed is not damaged");

    edit(&folder.model_folder().join("model.safetensors"), "w", "W");
    assert!(folder.check_weights(&record).unwrap_err().is_damage());
    edit(&folder.path().join("settings.json"), "\"seed\": 1", "\"seed\": 2");
    assert!(folder.settings().unwrap_err().to_string().contains("settings.json is damaged: it was changed"));
}

/// What stands where a run's files belong does not keep it from being done.
#[test]
fn folders_in_the_way_are_cleared_when_a_run_starts() {
    let (_disk, root) = example::runs();
    for name in ["metrics.jsonl", "settings.json", "failure.json", "log.txt"] {
        fs::create_dir_all(folder(&root, 1).path().join(name)).unwrap();
    }
    let folder = finish(&root, 1);
    assert_eq!((folder.state().unwrap(), folder.events().unwrap().len()), (RunState::Done, 1));
}
