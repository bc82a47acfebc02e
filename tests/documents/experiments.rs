//! Every experiment that is shown loads, every error is one that is given, every key is explained.

use std::collections::BTreeMap;
use std::fs;

use bertbench::cli::render;
use bertbench::config;
use bertbench::plan::known_tasks;
use serde_json::Value;

use super::markdown::{self, Document, spans};

/// What a fragment is put into, a line per key.
const BASE: &str = "experiment: fragment
mini: {seed: 1}
models: {base: {preset: bert-tiny}}
tasks: [rte]
sweep: {batch_size: [16], learning_rate: [5e-5], epochs: [3]}
";

/// The experiment of a block, or why it has none. A `fragment` replaces keys of [`BASE`].
fn load(text: &str, kind: &str) -> Result<config::ExperimentFile, String> {
    let text = match kind {
        "" => text.to_owned(),
        "fragment" => {
            let replaced = |line: &&str| {
                let key = line.split(':').next().unwrap_or_default();
                text.lines().any(|own| own.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
            };
            BASE.split_inclusive('\n').filter(|line| !replaced(line)).collect::<String>() + text
        }
        other => return Err(format!("a yaml block is an experiment or a fragment of one, not `{other}`")),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shown.yaml");
    fs::write(&path, text).unwrap();
    config::load(&path, &known_tasks(), &[]).map_err(|found| render(&found, false))
}

#[test]
fn every_experiment_that_is_shown_loads() {
    let mut loaded = 0;
    for document in markdown::all() {
        for fence in document.fences() {
            let place = document.place(fence.line);
            assert!(
                ["yaml", "sh", "console", "text", "rust"].contains(&fence.language.as_str()),
                "{place}: what is it?"
            );
            if fence.language == "yaml" {
                load(&fence.text, &fence.kind).unwrap_or_else(|why| panic!("{place}: {why}"));
                loaded += 1;
            }
        }
    }
    assert!(loaded >= 3, "only {loaded} experiments were found");
}

/// Whether the lines of a block follow one another in a text, however far they are indented; `…` is any lines.
fn stands_in(block: &str, text: &str) -> bool {
    let text: Vec<&str> = text.lines().map(str::trim).collect();
    let mut from = 0;
    block.split("…\n").all(|part| {
        let part: Vec<&str> = part.lines().map(str::trim).collect();
        let found = text[from..].windows(part.len()).position(|lines| lines == part);
        from += found.map_or(0, |at| at + part.len());
        found.is_some()
    })
}

/// Code that is shown is the code of the file that its block names.
#[test]
fn all_code_that_is_shown_is_the_crates() {
    let mut found = 0;
    for document in markdown::all() {
        for fence in document.fences().iter().filter(|fence| fence.language == "rust") {
            let text = fs::read_to_string(&fence.kind).unwrap_or_default();
            assert!(stands_in(&fence.text, &text), "{}: not in {}", document.place(fence.line), fence.kind);
            found += 1;
        }
    }
    assert!(found >= 3, "only {found} blocks were found");
    assert!(stands_in("a\n  b\n", "a\nb\nc\n") && stands_in("a\n…\nc\n", "a\nb\n\nc\n"));
    assert!(!stands_in("a\nc\n", "a\nb\nc\n") && !stands_in("c\n…\na\n", "a\nb\nc\n"));
}

#[test]
fn an_experiment_that_does_not_load_is_found() {
    assert!(load(BASE, "").is_ok());
    let shorter = load("training: {max_length: 64}\n", "fragment").unwrap().with_tasks().unwrap();
    assert_eq!(shorter.base.training.max_length, Some(64));
    assert!(load("training: {max_lenght: 64}\n", "fragment").unwrap_err().contains("did you mean `max_length`?"));
    assert!(load(&BASE.replace("[rte]", "[rta]"), "").unwrap_err().contains("unknown task `rta`"));
    assert!(load(BASE, "exampel").is_err());
}

/// One experiment is shown in the README, and it is the one that its first commands run.
#[test]
fn the_readme_shows_the_experiment_that_its_commands_run() {
    const TRIED: &str = "experiments/try.yaml";
    let readme = markdown::read("README.md");
    let (experiments, commands): (Vec<_>, Vec<_>) =
        readme.fences().into_iter().partition(|fence| fence.language == "yaml");
    let [shown] = &experiments[..] else { panic!("{} experiments are shown", experiments.len()) };
    let stored = fs::read_to_string(TRIED).unwrap();
    let content: Vec<&str> = stored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(shown.text.lines().collect::<Vec<_>>(), content);
    assert!(commands[0].text.lines().any(|line| line == "just try"), "{}", commands[0].text);
    let justfile = fs::read_to_string("justfile").unwrap();
    assert!(justfile.contains(&format!("\ntry: (run-sweep '{TRIED}')\n")), "`just try` runs something else");
    for command in ["check", "plan", "run", "report"] {
        let line = format!("bertbench {command} {TRIED}");
        assert!(commands[1].text.lines().any(|shown| shown.starts_with(&line)), "{}", commands[1].text);
    }
}

/// Whether an error that is shown is one of the stored expectations of the broken files.
fn is_given(kind: &str, shown: &str) -> bool {
    if kind == "data error" {
        return fs::read_to_string("tests/broken_data.rs").unwrap().contains(&format!("/{}\"", shown.trim_end()));
    }
    let stored = fs::read_dir("tests/broken/experiments").unwrap().map(|entry| entry.unwrap().path());
    let mut messages = stored.filter(|path| path.extension().is_some_and(|kind| kind == "txt"));
    messages.any(|path| fs::read_to_string(path).unwrap().replace("tests/broken/", "") == shown)
}

#[test]
fn every_error_that_is_shown_is_given() {
    let mut found = 0;
    for document in markdown::all() {
        for fence in document.fences().iter().filter(|fence| fence.kind.ends_with("error")) {
            assert!(is_given(&fence.kind, &fence.text), "{}: no such message", document.place(fence.line));
            found += 1;
        }
        let unmarked = |text: &str| text.starts_with("error:");
        assert!(document.fences().iter().all(|fence| fence.kind.ends_with("error") || !unmarked(&fence.text)));
    }
    assert!(found >= 6, "only {found} errors were found");
    assert!(!is_given("error", "error: something else\n") && !is_given("data error", "x.tsv:1: something else\n"));
}

/// Every key that has no keys below it, by path, with its schema and whether it must be there.
fn keys(schema: &Value, of: &Value, prefix: &str, into: &mut BTreeMap<String, (Value, bool)>) {
    let required = |key: &str| of["required"].as_array().is_some_and(|keys| keys.iter().any(|name| name == key));
    for (key, property) in of["properties"].as_object().unwrap() {
        let path = format!("{prefix}{key}");
        let reference =
            |value: &Value| value["$ref"].as_str().or_else(|| value["allOf"][0]["$ref"].as_str()).map(str::to_owned);
        let below = |value: &Value| {
            let target = schema.pointer(reference(value)?.trim_start_matches('#')).unwrap();
            target["properties"].is_object().then_some(target)
        };
        if let Some(target) = below(property) {
            keys(schema, target, &format!("{path}."), into);
        } else if let Some(target) = below(&property["additionalProperties"]) {
            keys(schema, target, &format!("{path}.NAME."), into);
        } else {
            into.insert(path, (property.clone(), required(key)));
        }
    }
}

/// What is wrong with the tables of keys of a document.
fn problems(document: &Document) -> Vec<String> {
    let schema = config::schema(&known_tasks());
    let mut expected = BTreeMap::new();
    keys(&schema, &schema, "", &mut expected);
    let mut problems = Vec::new();
    for row in document.rows_of("key") {
        let key = spans(&row[0]).join(" ");
        let below = format!("{key}.");
        if expected.keys().any(|other| other.starts_with(&below)) {
            // One row for all of them.
            expected.retain(|other, _| !other.starts_with(&below));
            continue;
        }
        let Some((property, required)) = expected.remove(&key) else {
            problems.push(format!("`{key}` is no key, or stands there twice"));
            continue;
        };
        let default = &property["default"];
        let shown: Option<Value> = spans(&row[1]).first().and_then(|span| serde_yaml::from_str(span).ok());
        let right = match (default.is_null(), required) {
            (false, _) => shown.is_some_and(|shown| alike(&shown, default)),
            (true, true) => row[1] == "required",
            (true, false) => row[1] != "required" && spans(&row[1]).join("") != row[1].trim_matches('`'),
        };
        if !right {
            problems.push(format!("the default of `{key}` is {default}, required: {required}; shown: {}", row[1]));
        }
    }
    problems.extend(expected.into_keys().map(|key| format!("`{key}` is missing")));
    problems
}

/// Equal, where 1 and 1.0 are.
fn alike(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

#[test]
fn every_key_is_explained_with_its_default() {
    let problems = problems(&markdown::read("docs/experiments.md"));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_wrong_or_missing_key_is_found() {
    let page = markdown::read("docs/experiments.md").text;
    for (from, to, said) in [
        ("| `training.dropout` |", "| training.dropout |", "`training.dropout` is missing"),
        (
            "| `training.dropout` | `0.1` |",
            "| `training.dropout` | `0.2` |",
            "the default of `training.dropout` is 0.1",
        ),
        ("| `device` | `auto` |", "| `device` | `cpu` |", "the default of `device`"),
        ("| `slots` |", "| `slot` |", "`slot` is no key"),
        ("| `tasks` | this or [`pretrain`](#pretraining) |", "| `tasks` | required |", "the default of `tasks`"),
    ] {
        assert!(page.contains(from), "{from}");
        let problems = problems(&Document::of(&page.replace(from, to)));
        assert!(problems.iter().any(|problem| problem.starts_with(said)), "{said}: {problems:?}");
    }
}
