//! Runs that fail: recorded with their cause, and the others go on.

use std::fs;

use super::program::{Told, Totals, Workplace, kill, parse, wait_until};

/// A rate of 0.9 with this decay multiplies every weight by -8999 at each step: infinite within ten. The
/// other rate with the same decay is harmless.
const DIVERGING: [&str; 5] =
    ["tiny.yaml", "--set", "training.weight_decay=1e4", "--set", "sweep.learning_rate=[0.9, 1e-6]"];

const HALF: Totals = Totals { done: 2, running: 0, failed: 2, missing: 0 };

fn run(place: &Workplace, arguments: &[&[&str]]) -> Told {
    place.run(&[&["run"], &arguments.concat()[..]].concat())
}

#[test]
fn a_run_that_diverges_is_recorded_and_the_others_are_done() {
    let place = Workplace::with_tiny();
    let told = run(&place, &[&DIVERGING]).ends_with(1);
    assert_eq!(told.out, "tiny: 2 done now, 0 before, 2 failed, 0 interrupted\n");
    assert_eq!(told.err.matches("rate 9e-1 epochs 1 seed 1: failed: diverged: step ").count(), 2, "{}", told.err);
    assert_eq!(place.totals(&DIVERGING), HALF);
    place.assert_tidy();
    let failures = place.files("runs").into_iter().filter(|path| path.ends_with("failure.json"));
    let failures: Vec<_> = failures.map(|path| parse(&fs::read_to_string(path).unwrap())).collect();
    assert_eq!(failures.len(), 2);
    for failure in &failures {
        assert_eq!(failure["kind"], "diverged");
        assert!(failure["cause"].as_str().unwrap().contains("loss NaN"), "{failure}");
    }

    let told = place.run(&[&["report"], &DIVERGING[..]].concat()).ok();
    assert_eq!(told.out, "reports/tiny/index.html\n");
    let page = place.read("reports/tiny/results.md");
    assert!(page.contains("**2 of 4** (2 failed)") && page.matches("| diverged | step ").count() == 2, "{page}");
    assert_eq!(place.read("reports/tiny/results.csv").matches(",accuracy,").count(), 2);
}

#[test]
fn what_failed_stays_failed_until_it_is_tried_again() {
    let place = Workplace::with_tiny();
    run(&place, &[&DIVERGING]).ends_with(1);
    let failures = || -> Vec<_> {
        let paths = place.files("runs").into_iter().filter(|path| path.ends_with("failure.json"));
        paths.map(|path| fs::metadata(path).unwrap().modified().unwrap()).collect()
    };
    let first = failures();
    let told = run(&place, &[&DIVERGING]).ends_with(1);
    assert_eq!(told.out, "tiny: 0 done now, 2 before, 2 failed, 0 interrupted\n");
    assert_eq!(failures(), first, "nothing was tried");
    let told = run(&place, &[&DIVERGING, &["--retry-failed"]]).ends_with(1);
    assert_eq!(told.out, "tiny: 0 done now, 2 before, 2 failed, 0 interrupted\n");
    let second = failures();
    assert!(second.iter().zip(&first).all(|(now, before)| now > before) && second.len() == 2, "both were tried");
}

#[test]
fn fail_fast_stops_at_the_first_failure() {
    let place = Workplace::with_tiny();
    let only = ["--only", "learning_rate=0.9", "--slots", "1", "--fail-fast"];
    let told = run(&place, &[&DIVERGING, &only]).ends_with(1);
    assert_eq!(told.out, "tiny: 0 done now, 0 before, 1 failed, 1 interrupted\n");
    assert_eq!(place.totals(&DIVERGING), Totals { done: 0, running: 0, failed: 1, missing: 3 });
}

#[test]
fn a_worker_that_is_killed_takes_one_run_with_it_and_no_more() {
    let place = Workplace::with_tiny();
    // Long enough to be met at work.
    let long = ["tiny.yaml", "--set", "sweep.epochs=[20]", "--slots", "1"];
    let mut sweep = place.start(&[&["run"], &long[..]].concat());
    let at_work = |path: &std::path::PathBuf| path.ends_with("metrics.jsonl");
    wait_until("a run is at work", || place.files("runs").iter().any(at_work));
    let workers = sweep.workers();
    assert_eq!(workers.len(), 1, "one slot, one worker");
    kill("KILL", &workers[0].to_string());
    assert_eq!(sweep.wait(), Some(1));

    let long = &long[..3];
    assert_eq!(place.totals(long), Totals { done: 3, running: 0, failed: 1, missing: 0 });
    let failures = place.run(&[&["status", "--json"], long].concat()).ok().json()["failures"].clone();
    assert_eq!(failures[0]["kind"], "killed");
    assert_eq!(failures[0]["cause"], "the worker process ended with SIGKILL");
    let told = run(&place, &[long, &["--retry-failed"]]).ok();
    assert_eq!(told.out, "tiny: 1 done now, 3 before, 0 failed, 0 interrupted\n");
    place.assert_tidy();
    assert!(!place.files("runs").iter().any(|path| path.ends_with("failure.json")), "a record leaves no failure");
}
