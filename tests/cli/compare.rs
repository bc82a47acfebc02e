//! `compare` on runs on disk. Stand-in records: no model was trained for them.

use std::fs;
use std::path::Path;

use bertbench::store::{RunIdentity, RunSettings, RunsRoot, StoredPlan};
use bertbench::{config, plan};

use super::program::Workplace;
use crate::report::answers;

/// Runs of `experiments/bert-base.yaml` and `experiments/bert-large.yaml`, with plans and answers.
fn base_and_large() -> Workplace {
    let place = Workplace::new();
    for (name, large) in [("bert-base", false), ("bert-large", true)] {
        let file = format!("experiments/{name}.yaml");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        place.write(&file, &fs::read_to_string(&source).unwrap());
        let read = config::load(&source, &plan::known_tasks(), &[]).unwrap();
        let root = RunsRoot::new(place.path("runs"));
        let experiment = answers::experiment(name, large);
        for record in &experiment.records {
            let folder = root.folder(name, &record.settings).unwrap();
            folder.begin(&record.settings).unwrap();
            folder.write_answers("dev", experiment.answers[&record.id].clone()).unwrap();
            folder.write_record(record).unwrap();
        }
        let run = |settings: &RunSettings| RunIdentity { id: settings.id(), settings: settings.clone() };
        let plan = StoredPlan {
            experiment_sha256: read.base().sha256(),
            overrides: Vec::new(),
            device: "cpu".into(),
            pretraining: Vec::new(),
            runs: experiment.planned.iter().map(run).collect(),
        };
        root.add_plan(name, plan).unwrap();
    }
    place
}

const BOTH: [&str; 3] = ["compare", "experiments/bert-base.yaml", "experiments/bert-large.yaml"];

#[test]
fn base_against_large_is_one_command_one_table_and_one_sentence() {
    let place = base_and_large();
    let told = place.run(&BOTH).ok();
    assert!(told.out.starts_with("bert-large against bert-base\n"), "{}", told.out);
    assert!(told.out.lines().all(|line| line.chars().count() <= 80), "{}", told.out);
    let words = told.out.replace('\n', " ");
    for wanted in [
        "bert-large has a better score than bert-base on 5 of 5 tasks, by ",
        " times the time.",
        "Best run of the best point, example by example",
        "Best points over all seeds",
    ] {
        assert!(words.contains(wanted), "{wanted:?} is not in\n{}", told.out);
    }
    let json = place.run(&[&BOTH[..], &["--json"]].concat()).ok().json();
    assert_eq!((json["format"].as_u64(), json["comparisons"][0]["tasks"].as_array().unwrap().len()), (Some(1), 5));
    for (flag, wanted) in [("--csv", "reference,model,task,"), ("--md", "| Task |"), ("--latex", "\\midrule")] {
        assert!(place.run(&[&BOTH[..], &[flag]].concat()).ok().out.contains(wanted), "{flag}");
    }
}

#[test]
fn models_names_and_runs_are_compared_and_the_baseline_is_the_users() {
    let place = base_and_large();
    let told = place.run(&["compare", "experiments/bert-base.yaml:bert-base-uncased", "bert-large:bert-large-uncased"]);
    assert!(told.ok().out.starts_with("bert-large-uncased against bert-base-uncased\n"));
    let told = place.run(&["compare", "bert-base", "bert-large", "--baseline", "bert-large"]).ok();
    assert!(told.out.starts_with("bert-base against bert-large\n"), "{}", told.out);
    let of = |experiment: &str| {
        let folders = RunsRoot::new(place.path("runs")).folders(experiment).unwrap();
        let rte = folders.iter().find(|folder| folder.task() == "rte").unwrap();
        rte.id().0.clone()
    };
    let json = place.run(&["compare", &of("bert-base"), &of("bert-large"), "--json"]).ok().json();
    assert_eq!(json["comparisons"][0]["tasks"][0]["examples"]["examples"], 277, "{json}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let place = base_and_large();
    for (arguments, words) in [
        (&["bert-base:bert-base-cased", "bert-large:bert-large-uncased"][..], "nothing can be compared: only "),
        (&["bert-base", "bert-base:bert-base-case"][..], "has no runs of a model `bert-base-case`"),
        (&["bert-bse", "bert-large"][..], "did you mean `bert-base`?"),
        (&["experiments/bert-bas.yaml", "bert-large"][..], "experiments/bert-bas.yaml"),
        (&["bert-base", "ffffffffffff"][..], "no run's id starts with `ffffffffffff`"),
    ] {
        let told = place.run(&[&["compare"], arguments].concat());
        assert_eq!(told.code, Some(2), "{}", told.exchange());
        assert!(told.err.contains(words), "{words:?} is not in\n{}", told.exchange());
    }
    // An answer that is changed by hand is not believed.
    let answers = place.files("runs/bert-large/rte").into_iter().filter(|path| path.ends_with("answers-dev.json"));
    for path in answers {
        let text = fs::read_to_string(&path).unwrap();
        let from = text.find("\"predicted\":[").unwrap() + "\"predicted\":[".len();
        let zeros = text[from..].replace('1', "0");
        fs::write(&path, text[..from].to_owned() + &zeros).unwrap();
    }
    let told = place.run(&BOTH).ok();
    assert!(told.err.contains("it is left out of statistics on examples"), "{}", told.exchange());
}

#[test]
fn a_finished_run_leaves_answers_that_give_its_scores() {
    let place = Workplace::with_tiny();
    let two = super::program::TINY.replace(
        "  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}\n",
        "  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}\n  \
         wide: {architecture: {layers: 1, hidden: 32, heads: 2, max_positions: 64}}\n",
    );
    place.write("two.yaml", &two.replace("experiment: tiny", "experiment: two"));
    place.run(&["run", "two.yaml"]).ok();
    let told = place.run(&["compare", "two.yaml", "--json"]).ok();
    assert!(!told.err.contains("left out"), "{}", told.err);
    let json = told.json();
    assert_eq!(json["comparisons"][0]["reference"], "small");
    for task in json["comparisons"][0]["tasks"].as_array().unwrap() {
        assert_eq!(task["examples"]["reference"], task["best_a"], "{task}");
        assert_eq!(task["examples"]["model"], task["best_b"]);
    }
}
