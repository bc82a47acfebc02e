//! Help, lists, completions, wrong usage.

use super::expected::{assert_as_expected, names};
use super::program::Workplace;

/// Every subcommand.
const COMMANDS: [&[&str]; 43] = [
    &[],
    &["check"],
    &["plan"],
    &["run"],
    &["submit"],
    &["status"],
    &["cancel"],
    &["runs"],
    &["runs", "list"],
    &["runs", "show"],
    &["runs", "diff"],
    &["runs", "rm"],
    &["runs", "gc"],
    &["verify"],
    &["report"],
    &["serve"],
    &["compare"],
    &["predict"],
    &["extract"],
    &["ner"],
    &["export"],
    &["export", "glue-submission"],
    &["export", "tensorboard"],
    &["export", "mlflow"],
    &["check-submission"],
    &["convert"],
    &["bench"],
    &["bench", "step"],
    &["bench", "encoders"],
    &["list"],
    &["data"],
    &["data", "mini"],
    &["data", "fetch"],
    &["data", "verify"],
    &["corpus"],
    &["corpus", "export"],
    &["corpus", "prepare"],
    &["corpus", "show"],
    &["pretrain"],
    &["vocab"],
    &["vocab", "train"],
    &["schema"],
    &["completions"],
];

fn name(command: &[&str]) -> String {
    [&["help"], command].concat().join("-")
}

#[test]
fn every_help_text_is_as_kept() {
    let place = Workplace::new();
    let mut differences = Vec::new();
    for command in COMMANDS {
        let told = place.run(&[command, &["--help"]].concat()).ok();
        assert_eq!(told.err, "");
        let compared = std::panic::catch_unwind(|| assert_as_expected(&name(command), &told.exchange()));
        differences.extend(compared.err().map(|_| name(command)));
    }
    assert!(differences.is_empty(), "{differences:?}");
}

#[test]
fn every_subcommand_that_help_names_has_its_text_kept() {
    let place = Workplace::new();
    for command in COMMANDS {
        let help = place.run(&[command, &["-h"]].concat()).ok().out;
        let named = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        // Descriptions that are wrapped stand further to the right.
        let named = named.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        for sub in named.filter_map(|line| line.split_whitespace().next()).filter(|sub| *sub != "help") {
            let whole = [command, &[sub]].concat();
            assert!(COMMANDS.contains(&&whole[..]), "{whole:?} is not in the table");
        }
    }
    for kept in names().into_iter().filter(|kept| kept.starts_with("help")) {
        assert!(COMMANDS.iter().any(|command| name(command) == kept), "{kept}.txt belongs to no command");
    }
}

#[test]
fn lists_are_as_kept_and_programs_can_read_them() {
    let place = Workplace::new();
    for what in ["tasks", "models", "metrics", "datasets"] {
        let told = place.run(&["list", what]).ok();
        assert_as_expected(&format!("list-{what}"), &told.exchange());
        let rows = place.run(&["list", what, "--json"]).ok().json();
        let rows = rows.as_array().unwrap();
        // A row goes on in lines that begin with spaces.
        let begun = told.out.lines().filter(|line| !line.starts_with(' ')).count();
        assert_eq!(rows.len(), begun - 1, "a row for every line but the header");
        assert!(rows.iter().all(|row| row.is_object()));
    }
}

#[test]
fn experiment_files_are_listed_and_a_broken_one_says_why() {
    let place = Workplace::new();
    assert_eq!(place.run(&["list", "experiments"]).code, Some(2), "there is no folder");
    place.write("experiments/a.yaml", super::program::TINY);
    place.write("experiments/b.yaml", "experiment: [");
    let rows = place.run(&["list", "experiments", "--json"]).ok().json();
    assert_eq!(
        (&rows[0]["experiment"], &rows[0]["models"], &rows[0]["tasks"][1]),
        (&"tiny".into(), &1.into(), &"rte".into())
    );
    assert!(rows[1]["tasks"][0].as_str().unwrap().starts_with("does not load: "), "{rows}");
}

#[test]
fn completion_scripts_ask_the_program() {
    let place = Workplace::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]).ok().out;
        assert!(script.contains("COMPLETE") && script.contains("bertbench"), "{shell}:\n{script}");
    }
}

/// What bash offers in place of the last of `words`.
fn completed(place: &Workplace, words: &[&str]) -> Vec<String> {
    let mut command = place.command(&[&["--", "bertbench"], words].concat());
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true");
    let told = place.told(&mut command, words).ok();
    told.out.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn shells_complete_commands_experiments_tasks_models_and_runs() {
    let place = Workplace::with_tiny();
    place.write("experiments/other.yaml", "");
    place.run(&["run", "tiny.yaml", "--only", "task=wnli"]).ok();
    let ids: Vec<String> = place
        .run(&["runs", "list", "--json"])
        .ok()
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap().to_owned())
        .collect();
    let commands = completed(&place, &[""]);
    assert!(commands.contains(&"compare".into()) && !commands.contains(&"worker".into()), "{commands:?}");
    assert_eq!(completed(&place, &["status", "ti"]), ["tiny.yaml"]);
    assert_eq!(completed(&place, &["report", "experiments/"]), ["experiments/other.yaml"]);
    assert_eq!(completed(&place, &["runs", "list", "tin"]), ["tiny", "tiny.yaml"]);
    let mut shown = completed(&place, &["runs", "show", ""]);
    shown.sort();
    assert!(ids.iter().all(|id| shown.contains(id)), "{shown:?}");
    assert_eq!(completed(&place, &["runs", "show", &ids[0][..8]]), [ids[0].clone()]);
    assert_eq!(completed(&place, &["compare", "tiny.yaml:s"]), ["tiny.yaml:small"]);
    assert_eq!(completed(&place, &["run", "tiny.yaml", "--only", "seed=1,task=wn"]), ["seed=1,task=wnli"]);
    assert_eq!(completed(&place, &["run", "tiny.yaml", "--only", "model=s"]), ["model=small"]);
    let folders = place.command(&["--", "bertbench", "runs", "show", ""]).env("COMPLETE", "0").output().unwrap();
    assert_eq!(folders.status.code(), Some(2), "switched off, it is an ordinary command line");
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let told = Workplace::new().run(&["schema"]).ok();
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/schema.json")).unwrap();
    assert!(told.json() == super::program::parse(&kept), "`just bless` rewrites experiments/schema.json");
}

#[test]
fn wrong_usage_is_explained_with_exit_code_2() {
    let place = Workplace::new();
    let wrong: [&[&str]; 9] = [
        &["frob"],
        &["runn"],
        &["run", "x.yaml", "--slot", "2"],
        &["run", "x.yaml", "--slots", "0"],
        &["run", "x.yaml", "--threads", "0"],
        &["run"],
        &["list", "frobs"],
        &["runs", "show"],
        &["completions", "tcl"],
    ];
    let told: Vec<String> = wrong.iter().map(|arguments| place.run(arguments).ends_with(2).exchange()).collect();
    assert_as_expected("wrong-usage", &told.join("\n"));
    assert_eq!(place.run(&[]).ends_with(2).out, "", "without a command: help on standard error");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let place = Workplace::new();
    for arguments in [&["schema"][..], &["list", "tasks", "--json"], &["completions", "zsh"]] {
        let mut child = place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{arguments:?}");
    }
}
