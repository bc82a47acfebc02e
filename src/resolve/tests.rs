//! An experiment of the mini benchmark, resolved without the command line.

use std::path::Path;

use super::*;
use crate::mini;

const FILE: &str = "\
experiment: x
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
tasks: [wnli, rte]
sweep: {batch_size: [16], learning_rate: [1e-3, 5e-4], epochs: [1]}
seeds: [1]
training: {max_length: 32}
device: cpu
";

fn request(folder: &Path, text: &str, set: &[&str]) -> Request {
    let file = folder.join("x.yaml");
    std::fs::write(&file, text).unwrap();
    let set = set.iter().map(|set| (*set).to_owned()).collect();
    Request { file, set, skip_bad_rows: false, lossy: false, runs: folder.join("runs") }
}

#[test]
fn a_file_becomes_a_plan_and_what_its_runs_find_here() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("glue");
    mini::generate(1, &data).unwrap();
    let text = format!("{FILE}data: {}\n", data.display());
    let identity = request(folder.path(), &text, &[]).identify(&Silent).unwrap();
    assert!(!folder.path().join("runs").exists(), "no tokens were made");
    let prepared = request(folder.path(), &text, &[]).prepare(&Silent).unwrap();
    assert!(folder.path().join("runs/.features").is_dir());
    assert!(identity.runs.iter().map(|run| &run.id).eq(prepared.plan.runs.iter().map(|run| &run.id)));
    assert_eq!(prepared.plan.runs.len(), 4);
    assert_eq!((prepared.context.data.as_path(), prepared.context.mini), (data.as_path(), true));
    assert_eq!(prepared.context.vocabularies["small"], data.join("vocab.txt"));
    assert!(prepared.plan.runs.iter().all(|run| run.steps > 0 && run.tokens.0 > 0));
    assert!(["wnli", "rte"].iter().all(|task| prepared.context.ceilings.contains_key(*task)));

    // What a report needs of it is kept, and found again by what the file says.
    let stored = prepared.stored();
    prepared.root.add_plan("x", stored.clone()).unwrap();
    let known = prepared.root.plan_file("x").unwrap().unwrap();
    let of = |text: &str, set: &[&str]| request(folder.path(), text, set).load().unwrap().base().sha256();
    assert_eq!(known.plan_of(&of(&format!("# A comment.\n{text}"), &[])), Some(&stored));
    assert_eq!(known.plan_of(&of(&text, &["seeds=[2]"])), None);
}

#[test]
fn the_first_fault_of_every_model_and_task_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("glue");
    mini::generate(1, &data).unwrap();
    std::fs::remove_file(data.join("RTE/train.tsv")).unwrap();
    let text = format!("{FILE}data: {}\n", data.display());
    let missing = "models.other={checkpoint: nowhere}";
    let Err(Error::Input(findings)) = request(folder.path(), &text, &[missing]).prepare(&Silent) else {
        panic!("it was resolved");
    };
    let told: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|message| message.contains("no checkpoint folder at nowhere")), "{told:?}");
}
