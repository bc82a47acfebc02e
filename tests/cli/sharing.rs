//! Many processes on one experiment at once, and what they leave each other.

use std::process::{Child, Stdio};

use super::program::{TINY, Totals, Workplace, is_running, kill, wait_until};

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

/// Pretraining, its corpus, the data and the features are all still to be made.
#[test]
fn thirty_two_processes_from_nothing_do_everything_once() {
    let architecture = "{architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}";
    let start = "experiment: first\nmini: {seed: 1}\nmodels:\n  small: ".to_owned() + architecture;
    let pretrain =
        "pretrain: {phases: [{max_length: 32, steps: 10}], dupe_factor: 1, batch_size: 8, learning_rate: 1e-3}";
    let first = format!("{start}\n{pretrain}\nseeds: [1]\ndevice: cpu\n");
    let second =
        TINY.replace("tiny", "second").replace(architecture, "{checkpoint: {experiment: first, model: small}}");
    let write = |place: &Workplace| {
        place.write("first.yaml", &first);
        place.write("second.yaml", &second);
    };
    let place = Workplace::new();
    write(&place);
    let started: Vec<Child> = (0..32)
        .map(|_| {
            let mut command = place.command(&["run", "second.yaml", "--slots", "1"]);
            // A machine this crowded may let a heart miss many beats.
            command.env("BERTBENCH_CLAIM_TIMEOUT", "600");
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let outputs: Vec<_> = started.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let (mut done, mut said) = (0, String::new());
    for output in outputs {
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(0), "{out}{err}");
        done += out.split(" done now").next().unwrap().rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        said += &err;
    }
    assert_eq!(done, 5, "one pretraining and four runs, each once: {said}");
    // Of the text that is learned from, and of the text that is held out.
    assert_eq!(said.matches("preparing examples of ").count(), 2, "{said}");
    assert_eq!(place.records().len(), 5);
    place.assert_tidy();
    let left: Vec<_> =
        place.files("datasets").into_iter().filter(|path| !path.starts_with(place.path("datasets/mini-1"))).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!place.files("runs/.features").iter().any(|path| path.extension().is_some_and(|end| end == "lock")));

    let alone = Workplace::new();
    write(&alone);
    alone.run(&["run", "second.yaml"]).ok();
    assert_eq!(place.results("second.yaml", "second"), alone.results("second.yaml", "second"));
}

/// As a process of another machine whose clock lies ahead: its file's time is in the future and does not change.
#[test]
fn a_claim_from_the_future_dies_and_the_messages_name_it() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=rte,learning_rate=1e-3"]).ok();
    let done = place.records().into_keys().next().unwrap();
    let id = done.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    place.run(&["runs", "rm", &id]).ok();
    let claim = format!("runs/tiny/.claims/{id}");
    place.write(
        &claim,
        r#"{"token":"t","host":"far","machine":"ffffffff","processes":[{"pid":1,"started_unix":1}],"since_unix":5}"#,
    );
    let file = std::fs::File::options().write(true).open(place.path(&claim)).unwrap();
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_hours(48)).unwrap();
    let mut command = place.command(&["run", "tiny.yaml", "--slots", "1"]);
    let output = command.env("BERTBENCH_CLAIM_TIMEOUT", "2").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains(&format!("waiting for 1 runs of other processes: far, process 1 ({claim})")), "{err}");
    assert!(err.contains(&format!("taken over from far, process 1 ({claim}), which gives no sign of life")), "{err}");
    place.assert_tidy();
}

#[test]
fn a_stopped_worker_is_ended_and_its_run_started_again() {
    let place = Workplace::with_tiny();
    let long =
        ["run", "tiny.yaml", "--only", "task=rte,learning_rate=1e-3", "--set", "sweep.epochs=[20]", "--slots", "1"];
    let mut sweep = place.start_with(&long, &[("BERTBENCH_CLAIM_TIMEOUT", "2")]);
    let at_work = |path: &std::path::PathBuf| path.ends_with("metrics.jsonl");
    wait_until("a run is at work", || place.files("runs").iter().any(at_work));
    let workers = sweep.workers();
    kill("STOP", &workers[0].to_string());
    assert_eq!(sweep.wait_for(std::time::Duration::from_mins(5)), Some(0));
    assert!(!is_running(workers[0]));
    assert_eq!(place.records().len(), 1);
    place.assert_tidy();
}

#[test]
fn folders_among_the_claims_do_no_harm() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml", "--only", "task=rte,learning_rate=1e-3"]).ok();
    let plan = place.run(&["plan", "tiny.yaml", "--json"]).ok().json();
    for run in plan["runs"].as_array().unwrap() {
        std::fs::create_dir_all(place.path(&format!("runs/tiny/.claims/{}", run["id"].as_str().unwrap()))).unwrap();
    }
    place.run(&["status", "tiny.yaml"]).ok();
    place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(place.records().len(), 4);
}

#[test]
fn a_pretrained_model_that_is_damaged_is_made_again() {
    let place = Workplace::with_tiny();
    let architecture = "{architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}";
    let pretrain =
        "pretrain: {phases: [{max_length: 32, steps: 10}], dupe_factor: 1, batch_size: 8, learning_rate: 1e-3}";
    place.write(
        "first.yaml",
        &format!("experiment: first\nmini: {{seed: 1}}\nmodels: {{small: {architecture}}}\n{pretrain}\nseeds: [1]\ndevice: cpu\n"),
    );
    let from_it = TINY.replace(architecture, "{checkpoint: {experiment: first, model: small}}");
    place.write("second.yaml", &from_it.replace("tiny", "second"));
    place.run(&["run", "second.yaml", "--only", "task=wnli"]).ok();
    let weights: Vec<_> =
        place.files("runs/first").into_iter().filter(|path| path.ends_with("model.safetensors")).collect();
    let whole = std::fs::read(&weights[0]).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&weights[0], &damaged).unwrap();
    // Nothing starts from it any more, so nothing is done.
    assert!(place.run(&["run", "second.yaml", "--only", "task=wnli"]).ok().out.starts_with("second: 0 done now"));
    let told = place.run(&["run", "second.yaml"]).ok();
    assert!(told.out.starts_with("second: 3 done now, 2 before"), "{}", told.exchange());
    assert!(told.err.contains("model/model.safetensors is damaged") && told.err.contains("damaged-1"), "{}", told.err);
    assert_eq!(std::fs::read(&weights[0]).unwrap(), whole, "the same bits");
}

/// The plan of the file keeps its best weights, whatever is run with `--set`; what is gone can be made again.
#[test]
fn weights_of_a_plan_stay_and_an_export_says_how_they_come_back() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml"]).ok();
    let kept = || -> Vec<_> {
        place.files("runs").into_iter().filter(|path| path.ends_with("model/model.safetensors")).collect()
    };
    let before = kept();
    for rate in ["2e-3", "3e-3", "1e-2"] {
        place.run(&["run", "tiny.yaml", "--set", &format!("sweep.learning_rate=[{rate}]")]).ok();
    }
    assert!(before.iter().all(|path| path.exists()), "{before:?} and now {:?}", kept());
    let told = place.run(&["export", "glue-submission", "tiny.yaml"]).ok();
    assert!(told.out.contains("2 of 11 files predicted"), "{}", told.exchange());

    for weights in kept() {
        std::fs::remove_dir_all(weights.parent().unwrap()).unwrap();
    }
    let told = place.run(&["export", "glue-submission", "tiny.yaml"]).ends_with(2);
    assert!(told.err.contains("the weights of `rte`'s runs are gone: `bertbench runs rm "), "{}", told.err);
    assert!(told.err.contains(" and `bertbench run tiny.yaml` make them again"), "{}", told.err);
}
