//! A sweep from nothing to its report, and again.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::program::{TINY, Totals, Workplace, deterministic_columns};

const ALL_DONE: Totals = Totals { done: 4, running: 0, failed: 0, missing: 0 };

/// Every file with its content and its time.
fn snapshot(place: &Workplace) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let of = |path: PathBuf| {
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let content = fs::read(&path).unwrap();
        (path, (modified, content))
    };
    place.files("").into_iter().map(of).collect()
}

#[test]
fn a_second_start_runs_nothing_and_touches_nothing() {
    let place = Workplace::with_tiny();
    assert_eq!(place.totals(&["tiny.yaml"]), Totals { done: 0, missing: 4, ..ALL_DONE });
    let first = place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(first.out, "tiny: 4 done now, 0 before, 0 failed, 0 interrupted\n");
    assert_eq!(first.err.lines().count(), 5, "a line for each run, and what is next:\n{}", first.err);
    place.assert_tidy();
    assert_eq!(place.totals(&["tiny.yaml"]), ALL_DONE);

    let before = snapshot(&place);
    let second = place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(second.out, "tiny: 0 done now, 4 before, 0 failed, 0 interrupted\n");
    assert!(snapshot(&place) == before, "a file was written or removed");
}

#[test]
fn only_runs_what_it_names_and_the_rest_follows() {
    let place = Workplace::with_tiny();
    let first = place.run(&["run", "tiny.yaml", "--only", "task=wnli,learning_rate=5e-4"]).ok();
    assert_eq!(first.out, "tiny: 1 done now, 0 before, 0 failed, 0 interrupted\n");
    place.run(&["run", "tiny.yaml", "--only", "task=wnli", "--only", "learning_rate=1e-3"]).ok();
    assert_eq!(place.totals(&["tiny.yaml"]), Totals { done: 3, missing: 1, ..ALL_DONE });
    assert_eq!(place.results("tiny.yaml", "tiny").lines().filter(|line| line.contains(",accuracy,")).count(), 3);
    assert!(place.read("reports/tiny/results.md").contains("**3 of 4**"), "{}", place.read("reports/tiny/results.md"));
    let last = place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(last.out, "tiny: 1 done now, 3 before, 0 failed, 0 interrupted\n");
    place.assert_tidy();
}

#[test]
fn another_setting_makes_other_runs_and_leaves_the_first() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml"]).ok();
    let (records, results) = (place.records(), place.results("tiny.yaml", "tiny"));
    let shorter = ["tiny.yaml", "--set", "training.max_length=16"];
    assert_eq!(place.totals(&shorter), Totals { done: 0, missing: 4, ..ALL_DONE });
    let run = place.run(&[&["run"], &shorter[..]].concat()).ok();
    assert_eq!(run.out, "tiny: 4 done now, 0 before, 0 failed, 0 interrupted\n");
    assert_eq!((place.totals(&shorter), place.totals(&["tiny.yaml"])), (ALL_DONE, ALL_DONE));
    assert!(records.iter().all(|(path, record)| place.records().get(path) == Some(record)));

    // The report is of the file as it stands, and says what it leaves out.
    let report = place.run(&["report", "tiny.yaml"]).ok();
    assert_eq!(report.err, "note: 4 records are left out: tiny.yaml no longer asks for their settings\n");
    assert_eq!(place.results("tiny.yaml", "tiny"), results);
}

#[test]
fn one_slot_or_two_give_the_same_results() {
    let results = ["1", "2"].map(|slots| {
        let place = Workplace::with_tiny();
        place.run(&["run", "tiny.yaml", "--slots", slots]).ok();
        place.results("tiny.yaml", "tiny")
    });
    assert_eq!(results[0], results[1]);
    // A row for each run and score, each with its number.
    let rows: Vec<&str> = results[0].lines().skip(1).collect();
    assert_eq!(rows.iter().filter(|row| row.contains(",accuracy,0.")).count(), 4, "{}", results[0]);
}

#[test]
fn a_report_needs_nothing_but_a_copy_of_the_runs() {
    let here = Workplace::new();
    here.generate("glue");
    here.write("tiny.yaml", &TINY.replace("mini: {seed: 1}", "data: glue"));
    here.run(&["run", "tiny.yaml"]).ok();
    here.run(&["report", "tiny.yaml"]).ok();

    let there = Workplace::new();
    there.write("tiny.yaml", &here.read("tiny.yaml"));
    for path in here.files("runs") {
        let name = path.strip_prefix(here.path("")).unwrap().to_str().unwrap().to_owned();
        if !name.contains(".features") {
            fs::create_dir_all(there.path(&name).parent().unwrap()).unwrap();
            fs::copy(path, there.path(&name)).unwrap();
        }
    }
    // Neither the data nor a model of the hub is looked for: here there is no folder `glue`, no network and no cache.
    there.run(&["report", "tiny.yaml"]).ok();
    assert!(!there.path("glue").exists());
    for name in ["results.csv", "results.md", "results.json", "index.html"] {
        let name = format!("reports/tiny/{name}");
        assert!(there.read(&name) == here.read(&name), "{name} differs");
    }
    // A run that is missing there is missing in its report, not forgotten.
    let gone = there.records().into_keys().next().unwrap();
    fs::remove_dir_all(gone.parent().unwrap()).unwrap();
    there.run(&["report", "tiny.yaml"]).ok();
    assert!(there.read("reports/tiny/results.md").contains("**3 of 4**"));
}

#[test]
fn a_report_is_made_from_records_and_the_plan_alone() {
    let place = Workplace::with_tiny();
    let told = place.run(&["report", "tiny.yaml"]).ends_with(2);
    assert!(told.err.contains("there is no runs/tiny/plan.json"), "{}", told.err);
    assert!(told.err.contains("hint: `bertbench run tiny.yaml` plans and runs it"), "{}", told.err);
    place.run(&["run", "tiny.yaml", "--only", "task=wnli,learning_rate=1e-3"]).ok();
    place.run(&["report", "tiny.yaml"]).ok();
    let before = place.read("reports/tiny/results.csv");

    // A comment changes nothing; data that is nowhere and a model that no hub has are told of, and not looked for.
    let text = place.read("tiny.yaml");
    place.write("tiny.yaml", &format!("# A comment.\n{text}"));
    assert_eq!(place.run(&["report", "tiny.yaml"]).ok().err, "");
    let elsewhere = text.replace("mini: {seed: 1}", "data: nowhere");
    let hub = "models.published={checkpoint: {hub: nobody/nothing, revision: main}}";
    place.write("tiny.yaml", &elsewhere);
    let told = place.run(&["report", "tiny.yaml", "--set", hub]).ends_with(2);
    assert!(told.err.contains("`tiny` was not run as this file says now"), "{}", told.err);
    assert_eq!(place.read("reports/tiny/results.csv"), before);

    place.write("runs/tiny/plan.json", "{");
    let told = place.run(&["report", "tiny.yaml"]).ok();
    assert!(told.err.contains("runs/tiny/plan.json") && told.err.contains("writes it anew"), "{}", told.err);
    assert!(place.read("reports/tiny/results.md").contains("The plan of tiny was not found"));
}

#[test]
fn the_columns_that_vary_are_told_from_those_that_do_not() {
    let csv = "task,value,tokens,wall_seconds,host\nrte,0.5,7,1.25,here\n";
    assert_eq!(deterministic_columns(csv), "task,value,tokens\nrte,0.5,7\n");
}
