//! Experiments that pretrain, and experiments that start from them, through the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::program::Workplace;

/// Two models of a fraction of a second; one keeps a model of an earlier step.
const FIRST: &str = "\
experiment: first
mini: {seed: 1}
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
  no-nsp: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}, pretrain: {objective: masked_lm}}
  left-to-right: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}, pretrain: {objective: causal_lm}}
pretrain:
  phases: [{max_length: 32, steps: 20}, {max_length: 48, steps: 10}]
  dupe_factor: 1
  batch_size: 8
  learning_rate: 1e-3
  snapshots: [15]
  eval_steps: 10
  logging_steps: 5
  save: {save_steps: 4}
device: cpu
";

const SECOND: &str = "\
experiment: second
mini: {seed: 1}
models:
  random: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
  early: {checkpoint: {experiment: first, model: small, step: 15}}
  pretrained: {checkpoint: {experiment: first, model: small}}
  causal: {checkpoint: {experiment: first, model: left-to-right}}
tasks: [wnli]
sweep: {batch_size: [32], learning_rate: [1e-3], epochs: [1]}
training: {max_length: 32}
device: cpu
";

pub(super) fn place() -> Workplace {
    let place = Workplace::new();
    place.write("first.yaml", FIRST);
    place.write("second.yaml", SECOND);
    place
}

/// The weights that were kept, by their places.
fn weights(place: &Workplace, experiment: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = place.files(&format!("runs/{experiment}"));
    let weights = files.into_iter().filter(|path| path.ends_with("model.safetensors"));
    weights.map(|path| (path.strip_prefix(place.path("")).unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

#[test]
fn a_dependent_experiment_runs_the_missing_pretraining_first_and_only_what_it_needs() {
    let place = place();
    let plan = place.run(&["plan", "--json", "second.yaml"]).ok().json();
    let needed = plan["pretraining"].as_array().unwrap();
    assert_eq!(needed.len(), 2, "two models start from `small`, one from `left-to-right`: {plan:#}");
    assert!(needed.iter().all(|one| one["state"] == "missing"));
    let told = place.run(&["run", "second.yaml", "--slots", "1"]).ok();
    assert_eq!(told.out, "second: 6 done now, 0 before, 0 failed, 0 interrupted\n");
    let pretrained = told.err.lines().position(|line| line.contains("pretraining first small")).unwrap();
    let started = told.err.lines().position(|line| line.contains("wnli pretrained")).unwrap();
    assert!(pretrained < started, "{}", told.err);
    let status = place.run(&["status", "first.yaml"]).ok();
    assert!(status.out.contains("first: 2 done, 0 running, 0 failed, 1 missing"), "{}", status.out);
    let again = place.run(&["run", "second.yaml"]).ok();
    assert_eq!(again.out, "second: 0 done now, 6 before, 0 failed, 0 interrupted\n");
    place.assert_tidy();

    // The records say where the weights come from, and those of two steps are not the same.
    let records: Vec<serde_json::Value> =
        place.records().values().map(|bytes| serde_json::from_slice(bytes).unwrap()).collect();
    let of = |model: &str| {
        let record =
            records.iter().find(|record| record["experiment"] == "second" && record["settings"]["model"] == model);
        record.unwrap()["pretraining"].clone()
    };
    assert!(of("random").is_null());
    assert_eq!((of("early")["step"].as_u64(), of("pretrained")["step"].as_u64()), (Some(15), Some(30)));
    assert_ne!(of("early")["weights_sha256"], of("pretrained")["weights_sha256"]);
    let evaluation = &of("early")["evaluation"];
    let perplexity = evaluation["scores"].as_array().unwrap().iter().find(|score| score["metric"] == "perplexity");
    assert!(perplexity.unwrap()["value"].as_f64().unwrap() > 1.0);
    assert_eq!(of("causal")["settings"]["architecture"]["causal"], true);

    // The page shows both kinds, and what pretraining gives.
    place.run(&["report", "second.yaml"]).ok();
    let page = place.read("reports/second/results.md");
    for heading in ["## Pretraining", "## Effect of pretraining"] {
        assert!(page.contains(heading), "no {heading:?} in {page}");
    }
    place.run(&["report", "first.yaml"]).ok();
    assert!(place.read("reports/first/results.md").contains("perplexity"));
}

#[test]
fn a_pretraining_that_is_killed_and_stopped_ends_with_the_same_bits() {
    let (whole, broken) = (place(), place());
    whole.run(&["run", "first.yaml", "--only", "model=small"]).ok();
    let mut kills = 0;
    for wait in [150, 250, 350, 500] {
        let mut started = broken.start(&["run", "first.yaml", "--only", "model=small", "--slots", "1"]);
        std::thread::sleep(Duration::from_millis(wait));
        kills += usize::from(!started.has_ended());
        started.signal_group("KILL");
        started.wait();
    }
    assert!(kills > 0, "no run was killed while it was at work");
    let last = broken.run(&["run", "first.yaml", "--only", "model=small"]).ok();
    assert!(last.out.contains(", 0 failed, 0 interrupted"), "{}", last.out);
    assert_eq!(weights(&whole, "first"), weights(&broken, "first"));
    assert_eq!(weights(&whole, "first").len(), 2, "the last model and the snapshot");
    broken.assert_tidy();
}

#[test]
fn a_status_knows_the_runs_before_any_text_is_tokens() {
    let place = place();
    let told = place.run(&["status", "--json", "first.yaml"]).ok().json();
    let dependent = place.run(&["status", "--json", "second.yaml"]).ok().json();
    assert_eq!((&dependent["totals"]["missing"], place.files("runs").len()), (&4.into(), 0), "{dependent:#}");
    let ids = |runs: &serde_json::Value| -> Vec<serde_json::Value> {
        runs.as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    let plan = place.run(&["plan", "--json", "first.yaml"]).ok().json();
    assert_eq!(ids(&told["runs"]), ids(&plan["runs"]));
    assert_eq!(place.files("runs").len(), 0, "a plan estimates");
    place.run(&["check", "first.yaml"]).ok();
    assert!(place.path("runs/.corpora").is_dir(), "a check counts tokens");
    let counted = place.run(&["plan", "--json", "first.yaml"]).ok().json();
    assert_eq!(ids(&plan["runs"]), ids(&counted["runs"]));
    let plan = place.run(&["plan", "--json", "second.yaml"]).ok().json();
    assert_eq!(ids(&dependent["pretraining"]), ids(&plan["pretraining"]));
}

#[test]
fn runs_are_listed_shown_and_compared() {
    let place = place();
    place.run(&["run", "first.yaml"]).ok();
    let list = place.run(&["runs", "list", "first", "--json"]).ok().json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 3);
    assert!(list.iter().all(|run| run["task"] == "pretraining" && run["metric"] == "perplexity"), "{list:?}");
    let id = |at: usize| list[at]["id"].as_str().unwrap().to_owned();
    let shown = place.run(&["runs", "show", &id(0)]).ok();
    assert!(shown.out.contains("step    30") && shown.out.contains("objective:"), "{}", shown.out);
    let differences = place.run(&["runs", "diff", &id(0), &id(1)]).ok();
    assert!(differences.out.contains("objective") && differences.out.contains("perplexity"), "{}", differences.out);
    place.run(&["runs", "rm", &id(0)]).ok();
    let status = place.run(&["status", "--json", "first.yaml"]).ok().json();
    assert_eq!((&status["totals"]["done"], &status["totals"]["missing"]), (&2.into(), &1.into()));
}

#[test]
fn check_tells_of_text_and_takes_a_step_of_every_model() {
    let place = place();
    let check = place.run(&["check", "first.yaml"]).ok();
    for line in
        ["examples of up to 48 tokens", "one step of no-nsp: loss", "one step of left-to-right: loss", "ok    disk"]
    {
        assert!(check.out.contains(line), "no {line:?} in {}", check.exchange());
    }
    let dependent = place.run(&["check", "second.yaml"]).ok();
    assert!(dependent.out.contains("pretraining first small"), "{}", dependent.exchange());
    assert!(!place.path("runs/first").exists(), "a check runs nothing");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let place = place();
    let refused = |name: &str, from: &str, to: &str, words: &[&str]| {
        let text = [FIRST, SECOND].into_iter().find(|text| text.contains(from)).unwrap().replace(from, to);
        place.write(name, &text);
        let told = place.run(&["plan", name]);
        assert_eq!(told.code, Some(2), "{}", told.exchange());
        for word in words.iter().chain(&["hint: "]) {
            assert!(told.err.contains(word), "no {word:?} in {}", told.exchange());
        }
    };
    refused(
        "a.yaml",
        "experiment: first, model: small}",
        "experiment: frist, model: small}",
        &["no experiment `frist`", "a.yaml:6:"],
    );
    refused(
        "b.yaml",
        "experiment: first, model: small}",
        "experiment: first, model: smal}",
        &["no model `smal`", "did you mean `small`?"],
    );
    refused("c.yaml", "step: 15", "step: 16", &["keeps no model of step 16", "[15]"]);
    refused("d.yaml", "mini: {seed: 1}\nmodels:\n  small", "models:\n  small", &["no text to pretrain on"]);
    let told = place.run(&["compare", "first.yaml", "second.yaml"]);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("this experiment pretrains"), "{}", told.exchange());
    let told = place.run(&["run", "first.yaml", "--only", "epochs=3"]);
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("no run has epochs `3`"), "{}", told.exchange());
}

#[test]
fn text_of_ones_own_and_prepared_corpora_are_pretrained_on() {
    let place = Workplace::new();
    place.generate("mini");
    let text = place.read("mini/corpus/train.txt");
    place.write("text/a.txt", &text[..60_000]);
    place
        .run(&[
            "corpus",
            "prepare",
            "--input",
            "text",
            "--vocab-file",
            "mini/vocab.txt",
            "--out",
            "long",
            "--max-length",
            "48",
            "--dupe-factor",
            "1",
        ])
        .ok();
    let own = "\
experiment: own
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}, vocab_file: mini/vocab.txt}
pretrain:
  text: [text]
  format: sentences
  held_out: [mini/corpus/heldout.txt]
  phases: [{max_length: 32, steps: 4}, {corpus: long, steps: 2}]
  dupe_factor: 1
  batch_size: 8
seeds: [1, 2]
device: cpu
";
    place.write("own.yaml", own);
    let told = place.run(&["run", "own.yaml"]).ok();
    assert_eq!(told.out, "own: 2 done now, 0 before, 0 failed, 0 interrupted\n");
    // The same from Parquet, whose text is told by its column.
    let rows = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/parquet/default.parquet");
    fs::copy(rows, place.path("rows.parquet")).unwrap();
    let parquet = own.replace("experiment: own", "experiment: rows").replace("[text]", "[rows.parquet]");
    let parquet = parquet.replace("format: sentences", "format: parquet").replace(", {corpus: long, steps: 2}", "");
    let parquet = parquet.replace("  held_out: [mini/corpus/heldout.txt]\n", "");
    place.write("rows.yaml", &parquet);
    let told = place.run(&["run", "rows.yaml"]).ok();
    assert_eq!(told.out, "rows: 2 done now, 0 before, 0 failed, 0 interrupted\n");
    place.write("rows.yaml", &parquet.replace("format: parquet", "format: parquet\n  column: words"));
    let told = place.run(&["check", "rows.yaml"]);
    assert!(told.err.contains("no column `words`") && told.code == Some(2), "{}", told.exchange());
    // A word more in the text, and it is another run.
    place.write("text/b.txt", "A sentence more .\n\nAnd another document .\n");
    let status = place.run(&["status", "own.yaml"]).ok();
    assert!(status.out.contains("own: 0 done, 0 running, 0 failed, 2 missing"), "{}", status.out);
    place.write(
        "second.yaml",
        &SECOND
            .replace("experiment: first, model: small}", "experiment: own, model: small}")
            .replace("experiment: first, model: small, step: 15}", "experiment: own, model: small, seed: 2}")
            .replace("  causal: {checkpoint: {experiment: first, model: left-to-right}}\n", ""),
    );
    let told = place.run(&["plan", "second.yaml"]);
    assert!(told.err.contains("several seeds") && told.code == Some(2), "{}", told.exchange());
}

/// Data, corpora, features, pretraining and runs are all still to be made.
#[test]
fn eight_processes_that_start_together_from_nothing_all_end_well_and_do_everything_once() {
    let place = place();
    let mut processes: Vec<_> = (0..8)
        .map(|_| {
            let mut command = place.command(&["run", "second.yaml", "--slots", "1", "--threads", "1"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .map(|child| std::thread::spawn(move || child.wait_with_output().unwrap()))
        .collect();
    let mut done_now = 0;
    for process in processes.drain(..) {
        let output = process.join().unwrap();
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert_eq!(output.status.code(), Some(0), "{out}{err}");
        let done = out.split_once("second: ").and_then(|(_, rest)| rest.split_once(" done now")).unwrap().0;
        done_now += done.parse::<usize>().unwrap();
    }
    assert_eq!(done_now, 6, "two pretraining runs and four that start from them or from random weights");
    place.assert_tidy();
}

/// Each encoder pretrained, and fine-tuned from there; and one frozen, under LSTMs with attention.
fn encoders() -> Workplace {
    let place = Workplace::new();
    let (mut models, mut starts) = (String::new(), String::new());
    for (name, sizes) in [
        ("bert", "layers: 1, hidden: 16, heads: 2, "),
        ("gpt", "layers: 1, hidden: 16, heads: 2, "),
        ("lstm", "layers: 1, hidden: 16, "),
        ("elmo", "layers: 1, hidden: 16, "),
        ("word_vectors", "hidden: 16, "),
    ] {
        models += &format!("  {name}: {{encoder: {name}, architecture: {{{sizes}max_positions: 64}}}}\n");
        starts += &format!("  {name}: {{checkpoint: {{experiment: first, model: {name}}}}}\n");
    }
    let features = "{feature_based: {layers: sum_with_embeddings, hidden: 8, attention: true}}";
    starts += &format!("  frozen: {{checkpoint: {{experiment: first, model: elmo}}, approach: {features}}}\n");
    let (head, rest) = (FIRST.split("  small:").next().unwrap(), FIRST.find("pretrain:\n").unwrap());
    let settings = FIRST[rest..].replace("  snapshots: [15]\n", "");
    place.write("first.yaml", &format!("{head}{models}{settings}"));
    let (head, rest) = (SECOND.split("  random:").next().unwrap(), SECOND.find("tasks:").unwrap());
    place.write("second.yaml", &format!("{head}{starts}{}", &SECOND[rest..]));
    place
}

#[test]
fn every_encoder_that_is_killed_in_pretraining_and_fine_tuning_ends_with_the_same_bits() {
    let (whole, broken) = (encoders(), encoders());
    let start = std::time::Instant::now();
    whole.run(&["run", "second.yaml"]).ok();
    let took = start.elapsed();
    let mut kills = 0;
    // Killed runs go on where they were: the kills move along the whole sweep.
    for _ in 0..8 {
        let mut started = broken.start(&["run", "second.yaml", "--slots", "1"]);
        std::thread::sleep(took.mul_f64(0.2));
        kills += usize::from(!started.has_ended());
        started.signal_group("KILL");
        started.wait();
    }
    assert!(kills > 2, "{kills} kills met the runs at work");
    let last = broken.run(&["run", "second.yaml"]).ok();
    assert!(last.out.contains(", 0 failed, 0 interrupted"), "{}", last.out);
    for (experiment, models) in [("first", 5), ("second", 6)] {
        let (whole, broken) = (weights(&whole, experiment), weights(&broken, experiment));
        assert_eq!(whole.len(), models, "{experiment}");
        assert!(whole == broken, "{experiment}: other bits");
    }
    assert_eq!(whole.results("second.yaml", "second"), broken.results("second.yaml", "second"));
    broken.assert_tidy();
}
