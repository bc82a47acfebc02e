//! Commands that read leave the file system as it is; reports show only what was asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::Value;

use super::program::{TINY, Workplace};

/// Everything under `folder`: names, kinds, bytes and times of modification.
pub(super) fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
        found.insert(path, (bytes, metadata.modified().unwrap()));
    }
    found
}

#[track_caller]
fn leaves_all_as_it_is(place: &Workplace, commands: &[&[&str]]) {
    for command in commands {
        let before = snapshot(&place.path(""));
        place.run(command).ok();
        let after = snapshot(&place.path(""));
        let changed: Vec<_> =
            before.iter().filter(|(path, was)| after.get(*path) != Some(*was)).map(|(path, _)| path).collect();
        let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
        assert!(changed.is_empty() && new.is_empty(), "{command:?} changed {changed:?} and made {new:?}");
    }
}

/// A pretraining and an experiment that starts from it.
fn with_pretraining() -> Workplace {
    let place = Workplace::with_tiny();
    place.write(
        "first.yaml",
        "experiment: first\nmini: {seed: 1}\nmodels:\n  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}\n\
         pretrain: {phases: [{max_length: 32, steps: 4}], dupe_factor: 1, batch_size: 8, learning_rate: 1e-3}\nseeds: [1]\ndevice: cpu\n",
    );
    let from_it = TINY.replace(
        "{architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}",
        "{checkpoint: {experiment: first, model: small}}",
    );
    place.write("second.yaml", &from_it.replace("tiny", "second"));
    place
}

#[test]
fn commands_that_read_leave_the_file_system_as_it_is() {
    let place = with_pretraining();
    place.run(&["run", "tiny.yaml", "--only", "task=rte"]).ok();
    place.run(&["run", "second.yaml", "--only", "task=wnli"]).ok();
    let record = place.records().into_keys().next().unwrap();
    let id = record.parent().unwrap().file_name().unwrap().to_str().unwrap();
    // A claim of a machine that is gone, a damaged record, a temporary name.
    place.write("runs/tiny/.claims/0123456789ab", "{");
    place.write("runs/tiny/.tmp-00000000-1-1-x", "half");
    fs::write(&record, "{").unwrap();
    place.run(&["report", "tiny.yaml"]).ok();
    leaves_all_as_it_is(
        &place,
        &[
            &["status", "tiny.yaml"],
            &["status", "first.yaml"],
            &["status", "second.yaml", "--json"],
            &["runs", "show", id],
            &["runs", "list"],
            &["runs", "list", "--json"],
            &["compare", "tiny.yaml", "second.yaml"],
        ],
    );
    // A report writes its folder alone.
    let outside = |place: &Workplace| {
        let mut all = snapshot(&place.path(""));
        all.retain(|path, _| !path.starts_with(place.path("reports")));
        all
    };
    let before = outside(&place);
    place.run(&["report", "tiny.yaml", "second.yaml", "--output", "reports/both"]).ok();
    assert!(outside(&place) == before);
}

#[test]
fn a_plan_leaves_nothing_behind_even_where_nothing_was_made_yet() {
    let place = with_pretraining();
    leaves_all_as_it_is(
        &place,
        &[
            &["status", "tiny.yaml"],
            &["status", "second.yaml"],
            &["plan", "tiny.yaml"],
            &["plan", "first.yaml"],
            &["plan", "second.yaml", "--json"],
        ],
    );
    let ids = |file: &str| place.run(&["plan", file, "--json"]).ok().json()["runs"].clone();
    let told = place.run(&["plan", "first.yaml"]).ok();
    assert_eq!(told.err.matches("the text of `first` is not prepared yet").count(), 1, "{}", told.err);
    // `run` pretrains first, in one slot, and the runs that start from it wait.
    let planned = place.run(&["plan", "second.yaml", "--json"]).ok().json();
    let seconds = |value: &Value| value.as_f64().unwrap();
    let pretraining = seconds(&planned["pretraining"][0]["missing_seconds"]);
    let longest = planned["runs"].as_array().unwrap().iter().map(|run| seconds(&run["seconds"])).fold(0.0, f64::max);
    let wall = seconds(&planned["totals"]["wall_seconds"]);
    assert!(pretraining > 0.0 && wall >= 0.999 * (pretraining + longest), "{wall}: {pretraining} and {longest}");
    let told = place.run(&["plan", "second.yaml"]).ok();
    assert!(told.out.contains("to do: 4 of 4 runs, pretraining 1 model before, disk"), "{}", told.out);
    let (before, first) = (ids("second.yaml"), ids("first.yaml"));
    place.run(&["check", "second.yaml"]).ok();
    assert!(place.path("runs/.corpora").is_dir() && place.path("runs/.features").is_dir());
    // What was estimated is what was then counted, but for the tokens of the corpus.
    let told = place.run(&["plan", "first.yaml"]).ok();
    assert!(!told.err.contains("not prepared"), "{}", told.err);
    for (estimated, counted) in [(before, ids("second.yaml")), (first.clone(), ids("first.yaml"))] {
        for key in ["id", "steps"] {
            assert_eq!(estimated[0][key], counted[0][key]);
        }
    }
    let (estimated, counted) = (first[0]["tokens"].as_f64().unwrap(), ids("first.yaml")[0]["tokens"].as_f64().unwrap());
    assert!((0.5..=1.0).contains(&(counted / estimated)), "{counted} of {estimated}");
}

#[test]
fn a_report_shows_the_runs_that_the_file_asks_for_and_no_others() {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml"]).ok();
    let other = ["tiny.yaml", "--set", "sweep.learning_rate=[2e-3]"];
    place.run(&[&["run"], &other[..]].concat()).ok();
    // What is run elsewhere, last, is not shown.
    let own = place.results("tiny.yaml", "tiny");
    assert!(own.contains("0.0005") && !own.contains("0.002"), "{own}");
    // Its data need not be readable: what was run is known.
    fs::rename(place.path("datasets"), place.path("away")).unwrap();
    assert_eq!(place.results("tiny.yaml", "tiny"), own);

    // With `--set` the report is of those runs, and says how to make it again.
    place.run(&[&["report"], &other[..]].concat()).ok();
    let page = place.read("reports/tiny/results.md");
    let set = "--set 'sweep.learning_rate=[2e-3]'";
    assert!(page.contains(&format!("bertbench run tiny.yaml {set}")), "{page}");
    assert!(page.contains(&format!("bertbench report tiny.yaml {set}")), "{page}");
    assert!(place.read("reports/tiny/results.csv").contains("0.002"));

    // What was never run so has no report: another plan's runs are not what the file asks for.
    place.write("tiny.yaml", &TINY.replace("5e-4", "7e-4"));
    let told = place.run(&["report", "tiny.yaml", "--output", "edited"]).ends_with(2);
    assert!(told.err.contains("`tiny` was not run as this file says now"), "{}", told.err);
    assert!(!place.path("edited").exists());
    place.run(&["compare", "tiny.yaml", "tiny.yaml"]).ends_with(2);
    // A `--set` that was forgotten is named.
    place.write("tiny.yaml", &TINY.replace("[1e-3, 5e-4]", "[9e-3]"));
    let told = place.run(&["report", "tiny.yaml"]).ends_with(2);
    assert!(told.err.contains(&format!("it was last run with {set}")), "{}", told.err);
}
