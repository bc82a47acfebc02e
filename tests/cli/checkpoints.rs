//! Checkpoints: one that a sweep kept is good; damaged in every way, it is refused before any run.

use std::fs;

use super::expected::assert_as_expected;
use super::program::{Told, Workplace};

/// Starts from the folder `checkpoint`.
const EXPERIMENT: &str = "\
experiment: further
data: datasets/mini-1
models:
  small:
    checkpoint: checkpoint
tasks: [wnli]
sweep: {batch_size: [16], learning_rate: [1e-3], epochs: [1]}
seeds: [1]
training: {max_length: 32}
device: cpu
";

/// A workplace with a checkpoint of one layer and width 16, from a run on RTE.
fn with_checkpoint() -> Workplace {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=rte,learning_rate=1e-3"]).ok();
    let weights = place.files("runs").into_iter().find(|path| path.ends_with("model/model.safetensors")).unwrap();
    fs::rename(weights.parent().unwrap(), place.path("checkpoint")).unwrap();
    fs::remove_dir_all(place.path("runs")).unwrap();
    place.write("further.yaml", EXPERIMENT);
    place
}

#[test]
fn the_best_model_of_a_sweep_is_a_checkpoint() {
    let place = with_checkpoint();
    place.run(&["check", "further.yaml"]).ok();
    place.run(&["run", "further.yaml"]).ok();
    let record = place.records().into_values().next().unwrap();
    let record = super::program::parse(&String::from_utf8(record).unwrap());
    let note =
        "the outputs of the checkpoint's head are entailment, not_entailment: the head was initialised at random";
    assert_eq!(record["notes"], serde_json::json!([note]), "a head of two other classes is not taken over");
    // Another head size: three classes where the checkpoint has two.
    place.run(&["run", "further.yaml", "--set", "tasks=[stsb]", "--set", "experiment=stsb"]).ok();
    let list = place.run(&["runs", "list", "stsb", "--json"]).ok().json();
    let shown = place.run(&["runs", "show", list[0]["id"].as_str().unwrap()]).ok().out;
    assert!(shown.contains("note    the file's head has 2 outputs, the task 1: the head was initialised"), "{shown}");
}

/// A damage, by name: it is done to the checkpoint's folder.
type Damage = (&'static str, fn(&Workplace));

fn replace(place: &Workplace, file: &str, from: &str, to: &str) {
    let text = place.read(file);
    assert!(text.contains(from), "{file} has no {from}");
    place.write(file, &text.replacen(from, to, 1));
}

fn cut(place: &Workplace, length: u64) {
    let file = fs::OpenOptions::new().write(true).open(place.path("checkpoint/model.safetensors")).unwrap();
    file.set_len(length).unwrap();
}

const CONFIG: &str = "checkpoint/config.json";

const DAMAGES: [Damage; 13] = [
    ("no folder", |place| fs::remove_dir_all(place.path("checkpoint")).unwrap()),
    ("no config.json", |place| fs::remove_file(place.path(CONFIG)).unwrap()),
    ("config.json is not JSON", |place| place.write(CONFIG, "{")),
    ("not a BERT", |place| replace(place, CONFIG, "\"model_type\": \"bert\"", "\"model_type\": \"roberta\"")),
    ("a key is missing", |place| replace(place, CONFIG, "hidden_size", "size_hidden")),
    ("no weights", |place| fs::remove_file(place.path("checkpoint/model.safetensors")).unwrap()),
    ("truncated weights", |place| cut(place, 20_000)),
    ("weights without a header", |place| cut(place, 5)),
    ("a shape that config.json does not have", |place| {
        replace(place, CONFIG, "\"intermediate_size\": 64", "\"intermediate_size\": 32")
    }),
    ("a layer too few", |place| replace(place, CONFIG, "\"num_hidden_layers\": 1", "\"num_hidden_layers\": 2")),
    ("no vocabulary", |place| {
        for file in ["vocab.txt", "tokenizer.json"] {
            fs::remove_file(place.path("checkpoint").join(file)).unwrap();
        }
    }),
    ("a vocabulary of another size", |place| {
        let text = place.read("checkpoint/vocab.txt");
        place.write("checkpoint/vocab.txt", &(text + "onemore\n"));
    }),
    ("a vocabulary that is not BERT's", |place| replace(place, "checkpoint/vocab.txt", "[SEP]", "<sep>")),
];

#[test]
fn a_damaged_checkpoint_is_refused_by_check_and_by_run_alike() {
    let place = with_checkpoint();
    let intact = tempfile::tempdir().unwrap();
    copy(&place.path("checkpoint"), intact.path());
    let mut exchanges = String::new();
    for (name, damage) in DAMAGES {
        damage(&place);
        let [check, run] = ["check", "run"].map(|command| place.run(&[command, "further.yaml"]).ends_with(2));
        assert_eq!(run.err, check.err, "{name}");
        assert_eq!(check.out, "", "{name}: nothing is said to be well");
        exchanges += &format!("# {name}\n{}\n", sizes_blotted(&check));
        fs::remove_dir_all(place.path("checkpoint")).unwrap_or_default();
        copy(intact.path(), &place.path("checkpoint"));
    }
    assert_as_expected("checkpoint-damaged", &exchanges);
    assert!(!place.path("runs/further").exists(), "no run was begun");
    place.run(&["check", "further.yaml"]).ok();
}

/// The sizes of the generated vocabulary, and so of the weights, may change with the generator.
fn sizes_blotted(told: &Told) -> String {
    let large = |word: &str| word.trim_end_matches([' ', ':']).parse::<u32>().is_ok_and(|number| number > 500);
    let text = told.exchange();
    text.split_inclusive(' ')
        .map(
            |word| {
                if large(word) { format!("…{}", word.trim_start_matches(char::is_numeric)) } else { word.to_owned() }
            },
        )
        .collect()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
