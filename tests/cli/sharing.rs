//! Two processes on one experiment at once.

use std::process::{Child, Stdio};

use super::program::{TINY, Totals, Workplace};

/// A sweep of 16 runs.
fn sweep() -> String {
    TINY.replace("tiny", "shared").replace("epochs: [1]", "epochs: [2, 4]").replace("seeds: [1]", "seeds: [1, 2]")
}

/// The number before `words` in what a finished process said.
fn count(child: Child, words: &str) -> u64 {
    let output = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let before = out.split(words).next().unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("no `{words}` in {out}"))
}

#[test]
fn two_processes_share_the_work_and_do_no_run_twice() {
    let place = Workplace::new();
    place.write("shared.yaml", &sweep());
    // From nothing: both generate the data and build the features as well.
    let started = [(); 2].map(|()| {
        let mut command = place.command(&["run", "shared.yaml", "--slots", "1"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let done = started.map(|child| count(child, " done now"));
    assert_eq!(done.iter().sum::<u64>(), 16, "{done:?}");
    assert!(done.iter().all(|done| *done > 0), "one did everything: {done:?}");
    assert_eq!(place.totals(&["shared.yaml"]), Totals { done: 16, running: 0, failed: 0, missing: 0 });
    assert_eq!(place.records().len(), 16);
    place.assert_tidy();

    let alone = Workplace::new();
    alone.write("shared.yaml", &sweep());
    alone.run(&["run", "shared.yaml"]).ok();
    assert_eq!(place.results("shared.yaml", "shared"), alone.results("shared.yaml", "shared"));
}
