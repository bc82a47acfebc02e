//! What bertbench keeps for itself: runs, claims, plans, features, checkpoints, prepared corpora.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bertbench::corpus::examples::{ExampleSet, ExampleSettings, TokenizedBy, prepare};
use bertbench::corpus::text::{Corpus, CorpusOptions};
use bertbench::diagnostic::Diagnostic;
use bertbench::settings::TextFormat;
use bertbench::store::{Checkpoints, ClaimTimeout, Claims, Evaluation, Event, Record, RunFolder, RunId, RunSettings};
use bertbench::store::{RunIdentity, RunsRoot, StepEvent, StoredPlan};
use bertbench::text::{FeatureCache, FeatureKey, FeatureSet, SkippedRows, TextPair, Tokenizer};
use serde_json::Value;

use super::sealed;
use crate::report::synthetic;

/// A record of an experiment `x`, and the run's folder among the runs in `folder`.
fn run(folder: &Path) -> (Record, RunFolder) {
    let record = synthetic::complete("x", "mini", ["a", "b"], &[1]).records.remove(0);
    let run = RunsRoot::new(folder).folder("x", &record.settings).unwrap();
    (record, run)
}

/// The run's folder, as it is named beside the folder that the input is put into.
fn run_in(folder: &Path) -> RunFolder {
    static SETTINGS: std::sync::OnceLock<RunSettings> = std::sync::OnceLock::new();
    let settings = SETTINGS.get_or_init(|| run(folder).0.settings);
    let run = RunsRoot::new(folder).folder("x", settings).unwrap();
    fs::create_dir_all(run.path()).unwrap();
    run
}

/// What `write` leaves in the file `name` of a run's folder.
fn written(name: &str, write: impl FnOnce(&Record, &RunFolder)) -> Vec<Vec<u8>> {
    let place = tempfile::tempdir().unwrap();
    let (record, folder) = run(place.path());
    folder.begin(&record.settings).unwrap();
    write(&record, &folder);
    vec![fs::read(folder.path().join(name)).unwrap()]
}

pub fn records() -> Vec<Vec<u8>> {
    written("record.json", |record, folder| folder.write_record(record).unwrap())
}

pub fn record(folder: &Path, bytes: &[u8]) {
    let run = run_in(folder);
    for name in ["record.json", "settings.json", "failure.json"] {
        fs::write(run.path().join(name), bytes).unwrap();
    }
    let _ = (run.record(), run.settings(), run.failure(), run.state());
    let _ = RunsRoot::new(folder).failures("x");
}

pub fn logs() -> Vec<Vec<u8>> {
    written("metrics.jsonl", |record, folder| {
        let mut log = folder.event_log_after(0).unwrap();
        for step in 1..4 {
            log.append(&Event::Step(StepEvent { step, loss: f64::INFINITY, ..StepEvent::default() })).unwrap();
        }
        let evaluation = |evaluation: &Evaluation| log.append(&Event::Evaluation(evaluation.clone())).unwrap();
        record.evaluations.iter().for_each(evaluation);
    })
}

pub fn log(folder: &Path, bytes: &[u8]) {
    let run = run_in(folder);
    fs::write(run.path().join("metrics.jsonl"), bytes).unwrap();
    let _ = run.events();
    let _ = run.event_log_after(2);
}

fn claims_in(folder: &Path) -> Claims {
    Claims::new(folder, ClaimTimeout(std::time::Duration::from_mins(1)))
}

pub fn claims() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let claim = claims_in(folder.path()).claim(&RunId("0".into()), &[1]).unwrap();
    let bytes = fs::read(folder.path().join("0")).unwrap();
    drop(claim);
    vec![bytes]
}

pub fn claim(folder: &Path, bytes: &[u8]) {
    fs::write(folder.join("0"), bytes).unwrap();
    let _ = claims_in(folder).holder(&RunId("0".into()));
    let _ = claims_in(folder).is_held_with(&RunId("0".into()), "token");
}

pub fn plans() -> Vec<Vec<u8>> {
    let place = tempfile::tempdir().unwrap();
    let (record, _) = run(place.path());
    let plan = StoredPlan {
        experiment_sha256: "00".into(),
        overrides: vec!["seeds=[1]".into()],
        device: "cpu".into(),
        pretraining: Vec::new(),
        runs: vec![RunIdentity::of(record.settings)],
    };
    RunsRoot::new(place.path()).add_plan("x", plan).unwrap();
    vec![fs::read(place.path().join("x/plan.json")).unwrap()]
}

pub fn plan(folder: &Path, bytes: &[u8]) {
    fs::create_dir_all(folder.join("x")).unwrap();
    fs::write(folder.join("x/plan.json"), bytes).unwrap();
    if let Ok(Some(file)) = RunsRoot::new(folder).plan_file("x") {
        let _ = file.plan_of("00");
    }
}

fn key() -> FeatureKey {
    FeatureKey {
        dataset: "x".into(),
        split: "dev".into(),
        data_sha256: BTreeMap::new(),
        vocabulary_sha256: "00".into(),
        lower_case: true,
        max_length: 8,
        skip_bad_rows: false,
        options: String::new(),
    }
}

pub fn features() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let cache = FeatureCache::new(folder.path());
    let tokenizer = Tokenizer::new(&super::vocabulary(), true).unwrap();
    let pairs = [("the unable", Some("the")), ("un", None)];
    let pairs = pairs.map(|(first, second)| TextPair { first, second, label: 1.0 });
    let build = || FeatureSet::build(&tokenizer, &pairs, 8, SkippedRows::default());
    cache.get_or_build(&key(), build).unwrap();
    vec![fs::read(cache.path(&key())).unwrap()]
}

pub fn feature_file(folder: &Path, bytes: &[u8]) {
    let cache = FeatureCache::new(folder);
    for bytes in [bytes.to_vec(), sealed::features(bytes)] {
        fs::write(cache.path(&key()), bytes).unwrap();
        if let Ok((set, _)) = cache.get_or_build(&key(), || Err(Diagnostic::new("not built"))) {
            let _ = (set.len(), set.sequences(), (0..set.sequences()).map(|i| set.example(i).ids.len()).sum::<usize>());
        }
    }
}

const STEP: &str = "step-0000003";

fn checkpoints_in(folder: &Path) -> Checkpoints {
    Checkpoints::new(folder, RunId("0".into()), 1)
}

/// The description of a checkpoint, and its list of checksums.
pub fn checkpoints() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let write =
        |into: &mut bertbench::store::CheckpointWriter<'_>| into.file("moments.bin", |file| file.write_all(b"0"));
    checkpoints_in(folder.path()).write(3, &serde_json::json!({"step": 3}), write).unwrap();
    ["state.json", "checksums.b3"].map(|name| fs::read(folder.path().join(STEP).join(name)).unwrap()).to_vec()
}

pub fn checkpoint(folder: &Path, bytes: &[u8]) {
    let step = folder.join(STEP);
    fs::create_dir_all(&step).unwrap();
    fs::write(step.join("moments.bin"), "0").unwrap();
    fs::write(step.join("state.json"), bytes).unwrap();
    let right = format!("{}  moments.bin\n{}  state.json\n", blake3::hash(b"0").to_hex(), blake3::hash(bytes).to_hex());
    for checksums in [right.as_bytes(), bytes] {
        fs::write(step.join("checksums.b3"), checksums).unwrap();
        let _ = checkpoints_in(folder).newest();
    }
}

/// The files of a prepared corpus in the order of their names.
fn corpus_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    paths
}

/// Prepares a corpus of three documents in `folder`.
pub fn corpus_folder(folder: &Path) {
    let text = folder.join("text");
    fs::write(&text, "the unable the.\nun the able.\n\nthe the.\nable un.\n\nthe.\n").unwrap();
    let options = CorpusOptions { format: Some(TextFormat::Sentences), ..CorpusOptions::default() };
    let mut source = Corpus::open(&[text], options).unwrap();
    let vocabulary = super::vocabulary();
    let tokenizer = Tokenizer::new(&vocabulary, true).unwrap();
    let by = TokenizedBy { vocabulary: &vocabulary, tokenizer: &tokenizer };
    let settings = ExampleSettings { max_length: 16, dupe_factor: 1, ..ExampleSettings::default() };
    prepare(&mut source, by, &settings, &folder.join("corpus"), &|_| ()).unwrap();
    for path in corpus_files(&folder.join("corpus")) {
        fs::create_dir_all(folder.join("whole")).unwrap();
        fs::copy(&path, folder.join("whole").join(path.file_name().unwrap())).unwrap();
    }
}

/// Each file of a prepared corpus behind a byte that says which it is.
pub fn corpora() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    corpus_folder(folder.path());
    let paths = corpus_files(&folder.path().join("corpus"));
    (0..).zip(paths).map(|(number, path)| [vec![number], fs::read(path).unwrap()].concat()).collect()
}

/// One file of a prepared corpus that is not as it was written, under a manifest that says it was.
pub fn corpus(folder: &Path, bytes: &[u8]) {
    let whole = corpus_files(&folder.join("whole"));
    let Some((number, content)) = bytes.split_first() else { return };
    let original = &whole[usize::from(*number) % whole.len()];
    let name = original.file_name().unwrap().to_str().unwrap();
    let place = folder.join("corpus");
    let manifest = if name == "corpus.json" {
        content.to_vec()
    } else {
        fs::write(place.join(name), content).unwrap();
        let mut manifest: Value = serde_json::from_slice(&fs::read(folder.join("whole/corpus.json")).unwrap()).unwrap();
        seal(&mut manifest, name, content);
        serde_json::to_vec(&manifest).unwrap()
    };
    fs::write(place.join("corpus.json"), sealed::manifest(&manifest)).unwrap();
    if let Ok(set) = ExampleSet::open(&place) {
        let _ = set.in_order(0..set.len().min(100));
        let _ = set.verify();
    }
    fs::copy(original, place.join(name)).unwrap();
}

/// Puts length and checksum of the file `name` where the manifest has them.
fn seal(value: &mut Value, name: &str, content: &[u8]) {
    match value {
        Value::Object(object) if object.get("name").is_some_and(|found| found == name) => {
            object["bytes"] = content.len().into();
            object["blake3"] = blake3::hash(content).to_hex().to_string().into();
        }
        Value::Object(object) => object.values_mut().for_each(|value| seal(value, name, content)),
        Value::Array(values) => values.iter_mut().for_each(|value| seal(value, name, content)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
