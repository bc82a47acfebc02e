//! Records and side files that were changed or moved after they were written: named, never believed, never silently
//! replaced.

use std::fs;
use std::path::PathBuf;

use super::program::{Told, Workplace};

fn swept() -> Workplace {
    let place = Workplace::with_tiny();
    place.run(&["run", "tiny.yaml"]).ok();
    place
}

/// The folder of a run on RTE.
fn of_rte(place: &Workplace) -> PathBuf {
    let records = place.records().into_keys();
    records.filter(|path| path.to_string_lossy().contains("/rte/")).min().unwrap().parent().unwrap().to_path_buf()
}

fn edit(path: &PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[track_caller]
fn names(told: &Told, wanted: &[&str]) {
    for wanted in wanted {
        assert!(told.err.contains(wanted) || told.out.contains(wanted), "{wanted} is not in\n{}", told.exchange());
    }
}

#[test]
fn an_edited_score_is_noticed_by_every_command_that_reads_it() {
    let place = swept();
    let run = of_rte(&place);
    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
    let record = run.join("record.json");
    let whole = fs::read_to_string(&record).unwrap();
    // The first value of a score, whatever it is, becomes another.
    let (before, after) = whole.split_once("\"value\": 0.").unwrap();
    fs::write(&record, format!("{before}\"value\": 0.9{after}")).unwrap();
    let edited = fs::read(&record).unwrap();

    let damage = format!("{id}/record.json is damaged: it was changed: its checksum does not match");
    let status = place.run(&["status", "tiny.yaml"]).ok();
    names(&status, &[&damage, "3 done, 0 running, 0 failed, 0 missing, 1 damaged"]);
    names(&place.run(&["plan", "tiny.yaml"]).ok(), &[&damage, "to do: 1 of 4 runs"]);
    names(&place.run(&["runs", "list"]).ok(), &[&damage, "damaged"]);
    names(&place.run(&["runs", "show", &id]).ok(), &[&damage, "state   damaged"]);
    names(&place.run(&["report", "tiny.yaml"]).ok(), &[&damage]);
    assert!(place.read("reports/tiny/results.md").contains(&damage), "the page says so too");
    names(&place.run(&["compare", "tiny.yaml", "tiny.yaml"]).ok(), &[&damage]);
    names(&place.run(&["export", "glue-submission", "tiny.yaml", "--out", "x.zip"]).ok(), &[&damage]);

    let told = place.run(&["run", "tiny.yaml"]).ok();
    assert_eq!(told.out, "tiny: 1 done now, 3 before, 0 failed, 0 interrupted\n");
    names(&told, &[&damage, &format!("it is kept in runs/tiny/rte/small/{id}/damaged-1, and rte small ")]);
    assert_eq!(fs::read(run.join("damaged-1/record.json")).unwrap(), edited);
    assert!(!place.run(&["status", "tiny.yaml"]).ok().out.contains("damaged"));
}

#[test]
fn damaged_side_files_and_folders_in_the_way_do_not_end_a_report() {
    let place = swept();
    let run = of_rte(&place);
    edit(&run.join("metrics.jsonl"), "\"step\":1,", "\"step\":2,");
    edit(&run.join("predictions-dev.tsv"), "\t", " ");
    let told = place.run(&["report", "tiny.yaml"]).ok();
    names(&told, &["metrics.jsonl is damaged", "the run's curves are left out", "predictions-dev.tsv is damaged"]);
    let page = place.read("reports/tiny/results.md");
    assert!(page.contains("metrics.jsonl is damaged") && page.contains("**4 of 4**"), "{page}");

    fs::remove_file(run.join("metrics.jsonl")).unwrap();
    fs::create_dir(run.join("metrics.jsonl")).unwrap();
    names(&place.run(&["report", "tiny.yaml"]).ok(), &["metrics.jsonl is damaged"]);
    names(
        &place.run(&["runs", "show", run.file_name().unwrap().to_str().unwrap()]).ok(),
        &["metrics.jsonl is damaged"],
    );
}

#[test]
fn the_runs_of_a_renamed_experiment_are_named_and_kept_aside() {
    let place = swept();
    fs::rename(place.path("runs/tiny"), place.path("runs/renamed")).unwrap();
    let id = of_rte(&place).file_name().unwrap().to_str().unwrap().to_owned();
    let renamed = ["tiny.yaml", "--set", "experiment=renamed"];
    let of =
        format!("runs/renamed/rte/small/{id}/record.json is the record of tiny/rte/small/{id}: its folder was renamed");
    names(&place.run(&[&["status"], &renamed[..]].concat()).ok(), &[&of, "4 damaged"]);
    let told = place.run(&[&["run"], &renamed[..]].concat()).ok();
    assert_eq!(told.out, "renamed: 4 done now, 0 before, 0 failed, 0 interrupted\n");
    names(&told, &[&of, &format!("it is kept in runs/renamed/rte/small/{id}/damaged-1")]);
    assert!(place.path(&format!("runs/renamed/rte/small/{id}/damaged-1/record.json")).is_file());
}

#[test]
fn a_whole_id_wins_and_several_places_are_listed() {
    let place = swept();
    let run = of_rte(&place);
    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
    let copy = run.with_file_name(format!("{id}.bak"));
    assert!(std::process::Command::new("cp").arg("-r").args([&run, &copy]).status().unwrap().success());
    let shown = place.run(&["runs", "show", &id]).ok();
    assert!(shown.out.contains(&format!("folder  runs/tiny/rte/small/{id}\n")), "{}", shown.out);
    names(&place.run(&["runs", "list"]).ok(), &[&format!("{id}.bak/record.json is the record of tiny/rte/small/{id}")]);
    fs::remove_dir_all(copy).unwrap();

    place.run(&["run", "tiny.yaml", "--set", "experiment=copy"]).ok();
    let told = place.run(&["runs", "show", &id]).ends_with(2);
    let places = format!("run {id} is in 2 places: `runs/copy/rte/small/{id}`, `runs/tiny/rte/small/{id}`");
    names(&told, &[&places, "name one of these folders, or `--experiment NAME`"]);
    let folder = format!("runs/copy/rte/small/{id}");
    for arguments in [vec!["runs", "show", &folder], vec!["runs", "show", &id, "--experiment", "copy"]] {
        names(&place.run(&arguments).ok(), &[&format!("folder  {folder}\n")]);
    }
    place.run(&["runs", "rm", &folder]).ok();
    assert!(!place.path(&folder).exists() && run.exists());
    place.run(&["runs", "show", "runs"]).ends_with(2);
    place.run(&["runs", "rm", ""]).ends_with(2);
}
