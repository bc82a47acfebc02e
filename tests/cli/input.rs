//! Wrong input: what a user is told, exit code 2, and nothing written.

use super::expected::assert_as_expected;
use super::program::{TINY, Workplace};

/// The commands that resolve an experiment.
const COMMANDS: [&str; 4] = ["check", "plan", "run", "status"];

/// Those of them that can do nothing without the data; `plan` counts runs.
const READING: [&str; 3] = ["check", "run", "status"];

/// The exchange of `check` with wrong input; the other commands must say the same.
fn exchange(place: &Workplace, arguments: &[&str]) -> String {
    exchange_of(COMMANDS, place, arguments)
}

fn exchange_of<const N: usize>(commands: [&str; N], place: &Workplace, arguments: &[&str]) -> String {
    let told = commands.map(|command| place.run(&[&[command], arguments].concat()).ends_with(2));
    let (check, others) = told.split_first().unwrap();
    for other in others {
        assert_eq!((&*other.out, &other.err), ("", &check.err), "{}", other.command);
    }
    check.exchange()
}

#[test]
fn a_missing_file_a_folder_and_a_broken_file() {
    let place = Workplace::new();
    assert_as_expected("experiment-missing", &exchange(&place, &["no-such.yaml"]));
    assert_as_expected("experiment-folder", &exchange(&place, &["."]));
    place.write("broken.yaml", &TINY.replace("rte", "mrcp").replace("epochs: [1]", "epoch: [1]"));
    assert_as_expected("experiment-broken", &exchange(&place, &["broken.yaml"]));
    assert_as_expected("experiment-broken-report", &place.run(&["report", "broken.yaml"]).ends_with(2).exchange());
    assert_eq!(place.files("").len(), 1, "only the experiment file: {:?}", place.files(""));
}

#[test]
fn what_the_machine_or_the_disk_does_not_have() {
    let place = Workplace::with_tiny();
    let [computing @ .., status] = COMMANDS;
    let cuda = ["tiny.yaml", "--set", "device=cuda"];
    assert_as_expected("device-not-built-in", &exchange_of(computing, &place, &cuda));
    // Runs of another machine can be looked at.
    place.run(&[&[status], &cuda[..]].concat()).ok();
    let no_data = ["tiny.yaml", "--set", "mini=null", "--set", "data=no/such/folder"];
    assert_as_expected("data-missing", &exchange_of(READING, &place, &no_data));
    let too_long = ["tiny.yaml", "--set", "training.max_length=128"];
    assert_as_expected("setting-out-of-range", &exchange(&place, &too_long));
    assert_eq!(place.files("runs"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_dataset_file_or_the_vocabulary_is_missing() {
    let place = Workplace::with_tiny();
    place.generate("glue");
    std::fs::remove_file(place.path("glue/RTE/dev.tsv")).unwrap();
    let here = ["tiny.yaml", "--set", "mini=null", "--set", "data=glue"];
    assert_as_expected("data-file-missing", &exchange_of(READING, &place, &here));
    std::fs::remove_file(place.path("glue/vocab.txt")).unwrap();
    let wnli = [&here[..], &["--set", "tasks=[wnli]"]].concat();
    assert_as_expected("vocabulary-missing", &exchange_of(READING, &place, &wnli));
    assert_eq!(place.files("runs").into_iter().filter(|path| !path.to_string_lossy().contains(".features")).count(), 0);
}

#[test]
fn filters_that_leave_nothing() {
    let place = Workplace::with_tiny();
    let wrong = ["task=wnil", "model=large", "learning_rate=9", "task=rte,seed=2", "tusk=rte", "rte", "seed=first"];
    let told = wrong.map(|filter| place.run(&["run", "tiny.yaml", "--only", filter]).ends_with(2).exchange());
    assert_as_expected("only-nothing", &told.join("\n"));
    assert!(!place.path("runs/tiny").exists());
}

#[test]
fn runs_that_do_not_exist() {
    let place = Workplace::new();
    let commands: [&[&str]; 5] = [
        &["runs", "show", "c0ffee"],
        &["runs", "rm", "c0ffee"],
        &["runs", "diff", "c0ffee", "decaf"],
        &["runs", "list", "tiny"],
        &["runs", "show", ""],
    ];
    let told = commands.map(|arguments| place.run(arguments).ends_with(2).exchange());
    assert_as_expected("runs-unknown", &told.join("\n"));
    assert_as_expected("runs-none", &place.run(&["runs", "list"]).ok().exchange());
    assert_eq!(place.run(&["runs", "list", "--json"]).ok().json(), serde_json::json!([]));
}
