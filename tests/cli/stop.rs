//! Ctrl-C.

use super::program::{TINY, Workplace, wait_until};

/// Runs of a second or so.
fn with_long_runs() -> Workplace {
    let place = Workplace::new();
    place.write("long.yaml", &TINY.replace("tiny", "long").replace("epochs: [1]", "epochs: [20]"));
    place
}

/// Waits until a run has taken steps.
fn wait_for_work(place: &Workplace) {
    let has_steps = |path: &std::path::PathBuf| {
        path.ends_with("metrics.jsonl") && std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 500)
    };
    wait_until("a run has taken steps", || place.files("runs").iter().any(has_steps));
}

#[test]
fn ctrl_c_leaves_everything_consistent_and_the_next_start_finishes() {
    let place = with_long_runs();
    let mut sweep = place.start(&["run", "long.yaml", "--slots", "2"]);
    wait_for_work(&place);
    sweep.signal_group("INT");
    assert_eq!(sweep.wait(), Some(130));
    place.assert_tidy();
    let totals = place.totals(&["long.yaml"]);
    assert_eq!((totals.running, totals.failed, totals.done + totals.missing), (0, 0, 4), "{totals:?}");
    assert!(totals.missing > 0, "it was stopped at work");

    place.run(&["run", "long.yaml"]).ok();
    place.assert_tidy();
    let elsewhere = with_long_runs();
    elsewhere.run(&["run", "long.yaml"]).ok();
    assert_eq!(place.results("long.yaml", "long"), elsewhere.results("long.yaml", "long"));
}

#[test]
fn a_second_ctrl_c_or_a_sigterm_is_heard_as_well() {
    let place = with_long_runs();
    let mut sweep = place.start(&["run", "long.yaml"]);
    wait_for_work(&place);
    sweep.signal("TERM");
    sweep.signal("INT");
    assert_eq!(sweep.wait(), Some(130));
    assert_eq!(place.totals(&["long.yaml"]).failed, 0);
    place.run(&["status", "long.yaml"]).ok();
}
