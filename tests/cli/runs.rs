//! Single runs: list, show, compare, remove; and the model that is kept.

use std::collections::BTreeMap;

use serde_json::Value;

use super::program::{Totals, Workplace, parse};

fn swept() -> Workplace {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml"]).ok();
    place
}

fn list(place: &Workplace) -> Vec<Value> {
    place.run(&["runs", "list", "tiny", "--json"]).ok().json().as_array().unwrap().clone()
}

fn id(run: &Value) -> &str {
    run["id"].as_str().unwrap()
}

#[test]
fn list_and_show_tell_what_the_record_says() {
    let place = swept();
    let listed = list(&place);
    assert_eq!(listed.len(), 4);
    for (path, record) in place.records() {
        let record = parse(&String::from_utf8(record).unwrap());
        let run = listed.iter().find(|run| run["id"] == record["id"]).unwrap();
        assert!(path.ends_with(format!("runs/tiny/{}/small/{}/record.json", run["task"].as_str().unwrap(), id(run))));
        assert_eq!(run["score"], record["scores"][0]["value"], "the primary score comes first");
        assert_eq!(run["seconds"], record["timings"]["wall"]);
        let shown = place.run(&["runs", "show", &id(run)[..8], "--json"]).ok().json();
        let mut unsealed = record.clone();
        unsealed.as_object_mut().unwrap().remove("blake3");
        assert_eq!(shown["record"], unsealed);
        assert_eq!((shown["state"].as_str(), &shown["step"]), (Some("done"), &record["steps"]));
    }
    let table = place.run(&["runs", "list"]).ok().out;
    assert_eq!(table.lines().count(), 5, "{table}");
    let shown = place.run(&["runs", "show", id(&listed[0])]).ok().out;
    for wanted in [
        "state   done",
        "host    ",
        "commit  ",
        "overhead), peak memory",
        "epoch  train loss",
        "loss    ",
        "dev    accuracy",
        "learning_rate: ",
        "numerics_version: ",
    ] {
        assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
    }
}

/// The lines that `runs list tiny.yaml` prints with `options`, as CSV, without the head.
fn csv(place: &Workplace, options: &[&str]) -> Vec<String> {
    let arguments = [&["runs", "list", "tiny.yaml", "--csv"], options].concat();
    place.run(&arguments).ok().out.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn runs_are_listed_by_conditions_in_order_and_with_the_columns_asked_for() {
    let place = swept();
    let rates =
        csv(&place, &["--where", "task == \"rte\" and not learning_rate < 1e-3", "--columns", "task,learning_rate"]);
    assert_eq!(rates, ["rte,0.001"]);
    // Names of folders decide some conditions without a look into the folders; the answers are those of the records.
    let all = csv(&place, &["--columns", "id,task,score"]);
    let of = |condition: &str| csv(&place, &["--where", condition, "--columns", "id,task,score"]);
    let with = |word: &str| all.iter().filter(|line| line.contains(word)).cloned().collect::<Vec<_>>();
    for (condition, word) in
        [("task == \"wnli\"", ",wnli,"), ("not (task == \"rte\" or model != \"small\") and score >= 0", ",wnli,")]
    {
        assert_eq!(of(condition), with(word), "{condition}");
    }
    let first = all[0].split(',').next().unwrap();
    assert_eq!(of(&format!("id == \"{first}\"")), [all[0].clone()]);
    assert_eq!(of("model == \"large\" or experiment == \"other\""), Vec::<String>::new());
    let scores: Vec<f64> =
        csv(&place, &["--sort", "-score", "--columns", "score"]).iter().map(|line| line.parse().unwrap()).collect();
    assert!(scores.len() == 4 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let ids = csv(&place, &["--columns", "id", "--sort", "id"]);
    let md = place.run(&["runs", "list", "--md", "--columns", "id,score", "--sort", "id"]).ok().out;
    assert!(md.starts_with("| id | score |\n| --- | ---: |\n| ") && md.contains(&ids[0]), "{md}");
    for (options, words) in [
        (["--where", "tsk == \"rte\""], "there is no column `tsk`"),
        (["--sort", "scor"], "hint: did you mean `score`?"),
        (["--columns", "id,rate"], "there is no column `rate`"),
    ] {
        let refused = place.run(&[&["runs", "list", "tiny"], &options[..]].concat()).ends_with(2);
        assert!(refused.err.contains(words), "{}", refused.err);
    }
    let none = place.run(&["runs", "list", "--where", "score > 2"]).ok();
    assert!(none.out.is_empty() && none.err.contains("no run meets the condition"), "{}", none.err);
}

#[test]
fn what_would_be_removed_is_said_first_and_kept_weights_are_those_of_the_best() {
    let place = swept();
    let (listed, before) = (list(&place), place.files("runs"));
    let told = place.run(&["runs", "rm", "--dry-run", id(&listed[0]), id(&listed[1])]).ok().out;
    assert_eq!(told.matches("would remove runs/tiny/").count(), 2, "{told}");
    assert!(told.contains("would free ") && place.files("runs") == before, "{told}");
    assert!(place.run(&["runs", "rm", "--failed"]).ok().out.contains("no run failed"));
    // The second best of a task gets weights, as another model's would have.
    let of_rte: Vec<&Value> = listed.iter().filter(|run| run["task"] == "rte").collect();
    let folder = |run: &Value| place.path(&format!("runs/tiny/rte/small/{}/model", id(run)));
    let (with, without): (Vec<&Value>, Vec<&Value>) = of_rte.into_iter().partition(|run| folder(run).is_dir());
    std::fs::create_dir(folder(without[0])).unwrap();
    std::fs::write(folder(without[0]).join("model.safetensors"), "weights").unwrap();
    let dry = place.run(&["runs", "gc", "tiny.yaml", "--keep", "best-per-task", "--dry-run"]).ok().out;
    assert!(dry.contains("would remove") && folder(without[0]).is_dir(), "{dry}");
    let told = place.run(&["runs", "gc", "--keep", "best-per-task", "--json"]).ok().json();
    assert_eq!((&told["bytes"], told["removed"].as_array().unwrap().len()), (&7.into(), 1));
    assert!(folder(with[0]).is_dir() && !folder(without[0]).exists());
    assert_eq!(list(&place).len(), 4, "records stay");
}

#[test]
fn diff_shows_the_settings_that_differ_and_both_scores() {
    let place = swept();
    let listed = list(&place);
    let of_rte: Vec<&Value> = listed.iter().filter(|run| run["task"] == "rte").collect();
    let rows = place.run(&["runs", "diff", id(of_rte[0]), id(of_rte[1]), "--json"]).ok().json();
    let keys: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["optimization.learning_rate", "dev accuracy", "dev loss"]);
    let mut rates = [rows[0]["a"].as_str().unwrap(), rows[0]["b"].as_str().unwrap()];
    rates.sort_unstable();
    assert_eq!(rates, ["0.0005", "0.001"]);
}

#[test]
fn a_removed_run_is_missing_and_runs_again_to_the_same_scores() {
    let place = swept();
    let results = place.results("tiny.yaml", "tiny");
    let removed = id(&list(&place)[0]).to_owned();
    let told = place.run(&["runs", "rm", &removed]).ok().out;
    assert!(told.starts_with("removed runs/tiny/") && told.contains(&format!("/{removed} (")), "{told}");
    assert_eq!(place.totals(&["tiny.yaml"]), Totals { done: 3, running: 0, failed: 0, missing: 1 });
    let again = place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(again.out, "tiny: 1 done now, 3 before, 0 failed, 0 interrupted\n");
    assert_eq!(place.results("tiny.yaml", "tiny"), results);
}

#[test]
fn no_id_is_no_run() {
    let place = swept();
    let found = list(&place);
    place.run(&["runs", "rm", id(&found[0])]).ok();
    for run in &found[2..] {
        place.run(&["runs", "rm", id(run)]).ok();
    }
    // One run is left, whose id starts with nothing, as every id does.
    let refused = place.run(&["runs", "rm", ""]).ends_with(2);
    assert_eq!(refused.err.lines().next(), Some("error: the id is empty"));
    assert_eq!(list(&place), found[1..2]);
}

#[test]
fn the_best_model_of_each_task_is_kept_and_only_that() {
    let place = swept();
    place.assert_tidy();
    let mut best: BTreeMap<String, (f64, String)> = BTreeMap::new();
    for run in list(&place) {
        let (score, task) = (run["score"].as_f64().unwrap(), run["task"].as_str().unwrap().to_owned());
        let known = best.entry(task).or_insert((f64::MIN, String::new()));
        // Of equal scores the smaller id is kept; the list is sorted by id.
        if score > known.0 {
            *known = (score, id(&run).to_owned());
        }
    }
    let kept = place.files("runs").into_iter().filter(|path| path.ends_with("model/model.safetensors"));
    let kept: Vec<String> = kept.map(|path| path.ancestors().nth(2).unwrap().display().to_string()).collect();
    assert_eq!(kept.len(), best.len(), "{kept:?}");
    for (_, id) in best.values() {
        assert!(kept.iter().any(|folder| folder.ends_with(id)), "the weights of {id} are not among {kept:?}");
    }
}
