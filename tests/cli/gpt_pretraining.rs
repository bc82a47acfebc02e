//! The published GPT pretrained further, and fine-tuned from there, through the program.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::program::Workplace;

const FURTHER: &str = "\
experiment: further
models:
  gpt: {checkpoint: gpt}
pretrain:
  text: [train.txt]
  held_out: [held-out.txt]
  format: sentences
  objective: causal_lm
  phases: [{max_length: 32, steps: 40}]
  dupe_factor: 1
  batch_size: 4
  learning_rate: 1e-2
  eval_steps: 20
  logging_steps: 1
  save: {save_steps: 3}
training: {optimizer: {adamw: {}}}
device: cpu
";

const TUNED: &str = "\
experiment: tuned
mini: {seed: 1}
models:
  further: {checkpoint: {experiment: further, model: gpt}}
  published: {checkpoint: gpt}
tasks: [wnli]
sweep: {batch_size: [32], learning_rate: [1e-3], epochs: [1]}
training: {max_length: 32}
device: cpu
";

/// The golden model, and the mini benchmark's text.
fn place() -> Workplace {
    let place = Workplace::new();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openai_gpt");
    fs::create_dir(place.path("gpt")).unwrap();
    for name in ["config.json", "model.safetensors", "vocab.json", "merges.txt"] {
        fs::copy(golden.join(name), place.path("gpt").join(name)).unwrap();
    }
    place.generate("mini");
    let text = place.read("mini/corpus/train.txt");
    place.write("train.txt", &text[..30_000]);
    place.write("held-out.txt", &text[30_000..36_000]);
    place.write("further.yaml", FURTHER);
    place.write("tuned.yaml", TUNED);
    place
}

fn pretrained(place: &Workplace) -> (Value, std::path::PathBuf) {
    let records = place.records();
    let (path, record) = records.iter().find(|(path, _)| path.display().to_string().contains("runs/further/")).unwrap();
    (serde_json::from_slice(record).unwrap(), path.parent().unwrap().join("model"))
}

#[test]
fn a_published_gpt_is_pretrained_further_by_its_own_tokens_and_fine_tuned_from_there() {
    let (whole, broken) = (place(), place());
    whole.run(&["check", "further.yaml"]).ok();
    whole.run(&["run", "tuned.yaml"]).ok();
    let (record, model) = pretrained(&whole);
    assert_eq!(record["settings"]["architecture"]["vocab_size"], 300, "{record}");
    let evaluations = record["evaluations"].as_array().unwrap();
    let perplexity = |evaluation: &Value| {
        let scores = evaluation["scores"].as_array().unwrap();
        scores.iter().find(|score| score["metric"] == "perplexity").unwrap()["value"].as_f64().unwrap()
    };
    let [first, .., last] = &evaluations[..] else { panic!("two evaluations: {record}") };
    assert!(perplexity(last) < perplexity(first), "{evaluations:?}");

    // What is kept has the form of what OpenAI published, and is read by tasks as such.
    let config: Value = serde_json::from_slice(&fs::read(model.join("config.json")).unwrap()).unwrap();
    assert_eq!((&config["vocab_size"], &config["architectures"][0]), (&300.into(), &"OpenAIGPTLMHeadModel".into()));
    assert!(config.get("bertbench_special_tokens").is_none());
    for name in ["vocab.json", "merges.txt"] {
        assert_eq!(fs::read(model.join(name)).unwrap(), fs::read(whole.path("gpt").join(name)).unwrap(), "{name}");
    }

    // Killed at any moment, it ends with the same bits.
    let mut kills = 0;
    for pause in [50, 100, 200, 300, 400, 700, 1000, 1300] {
        let mut started = broken.start(&["run", "further.yaml"]);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        kills += usize::from(!started.has_ended());
        started.signal_group("KILL");
        started.wait();
    }
    broken.run(&["run", "further.yaml"]).ok();
    let (_, again) = pretrained(&broken);
    let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(kills > 0, "no run was killed while it was at work");
    assert!(weights(&model) == weights(&again), "other bits after {kills} kills");
}

#[test]
fn what_reads_no_byte_pairs_is_refused_by_name() {
    let place = place();
    let refused = |name: &str, from: &str, to: &str, words: &[&str]| {
        place.write(name, &FURTHER.replace(from, to));
        let told = place.run(&["plan", name]).ends_with(2);
        for word in words {
            assert!(told.err.contains(word), "no {word:?} in {}", told.exchange());
        }
    };
    refused(
        "bert.yaml",
        "gpt: {checkpoint: gpt}",
        "bert: {preset: bert-tiny, vocab_file: gpt/vocab.json}",
        &["gpt/vocab.json is a GPT's vocabulary, and this is BERT", "bert.yaml:3:", "`encoder: openai_gpt` reads it"],
    );
    refused("masked.yaml", "objective: causal_lm", "objective: masked_lm", &["for models that predict the next token"]);
    let prepare = ["corpus", "prepare", "--input", "train.txt", "--vocab-file", "gpt/vocab.json", "--out", "corpus"];
    let told = place.run(&prepare).ends_with(2);
    assert!(told.err.contains("`--segments contiguous --causal-lm`"), "{}", told.exchange());
    place.run(&[&prepare[..], &["--segments", "contiguous", "--causal-lm", "--max-length", "32"]].concat()).ok();
    let corpus = "phases: [{corpus: corpus, steps: 2}]";
    let text = FURTHER.replace("phases: [{max_length: 32, steps: 40}]", corpus).replace("  text: [train.txt]\n", "");
    place.write("corpus.yaml", &text.replace("eval_steps: 20", "eval_steps: 2"));
    let told = place.run(&["run", "corpus.yaml"]).ok();
    assert_eq!(told.out, "further: 1 done now, 0 before, 0 failed, 0 interrupted\n");
}
