//! `experiments/schema.json` is the schema of the types, and every experiment of the folder loads.
//!
//! `BERTBENCH_UPDATE=1 cargo test --release --test integration schema::` rewrites a stale schema, and fails once.

use std::fs;
use std::path::{Path, PathBuf};

use bertbench::cli::render;
use bertbench::config;
use bertbench::plan::known_tasks;

fn experiments() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir("experiments")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn the_stored_schema_is_that_of_the_types() {
    let path = Path::new("experiments/schema.json");
    let fresh = serde_json::to_string_pretty(&config::schema(&known_tasks())).unwrap() + "\n";
    if fs::read_to_string(path).unwrap_or_default() == fresh {
        return;
    }
    if std::env::var_os("BERTBENCH_UPDATE").is_some() {
        fs::write(path, fresh).unwrap();
        panic!("experiments/schema.json was rewritten: read the difference and run again");
    }
    panic!("experiments/schema.json is stale: run with BERTBENCH_UPDATE=1, read the difference");
}

#[test]
fn every_experiment_loads_and_names_the_schema() {
    let files = experiments();
    assert!(files.len() >= 4, "{files:?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().next(), Some("# yaml-language-server: $schema=schema.json"), "{}", path.display());
        let experiment =
            config::load(&path, &known_tasks(), &[]).unwrap_or_else(|found| panic!("{}", render(&found, false)));
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(experiment.base().name, stem, "an experiment is found by its file's name");
    }
}

/// Follows `$ref`, then looks a property up.
fn property<'a>(schema: &'a serde_json::Value, of: &'a serde_json::Value, key: &str) -> &'a serde_json::Value {
    let found = &of["properties"][key];
    let reference = found["$ref"].as_str().or_else(|| found["allOf"][0]["$ref"].as_str());
    reference.map_or(found, |path| schema.pointer(path.trim_start_matches('#')).unwrap())
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let schema = config::schema(&known_tasks());
    let names: Vec<&str> = known_tasks().iter().map(|task| task.name).collect();
    assert_eq!(schema["properties"]["tasks"]["items"]["anyOf"][0]["enum"], serde_json::json!(names));
    assert_eq!(schema["required"], serde_json::json!(["experiment", "models"]));
    let kinds = serde_json::json!([{"required": ["tasks", "sweep"]}, {"required": ["pretrain"]}]);
    assert_eq!(schema["oneOf"], kinds);
    assert_eq!(schema["properties"]["tasks"]["default"], serde_json::Value::Null);
    let sweep = property(&schema, &schema, "sweep");
    assert_eq!(sweep["required"], serde_json::json!(["batch_size", "learning_rate", "epochs"]));
    let training = property(&schema, &schema, "training");
    for of in [&schema, sweep, training] {
        assert_eq!(of["additionalProperties"], false);
    }
    assert_eq!(property(&schema, training, "dropout")["default"], 0.1);
    assert!(property(&schema, training, "max_length")["default"].is_null(), "each task has its own");
    assert!(!schema.to_string().contains("\"null\""), "a key without a value is refused");
}

/// Every key that a person can write has a description for the editor to show.
#[test]
fn every_key_is_described() {
    fn walk(value: &serde_json::Value, described: &mut usize) {
        if let Some(properties) = value["properties"].as_object() {
            for (key, property) in properties {
                assert!(
                    property["description"].as_str().is_some_and(|text| text.len() > 3),
                    "{key} lacks a description"
                );
                *described += 1;
            }
        }
        value.as_object().into_iter().flat_map(serde_json::Map::values).for_each(|inner| walk(inner, described));
        value.as_array().into_iter().flatten().for_each(|inner| walk(inner, described));
    }
    let mut described = 0;
    walk(&config::schema(&known_tasks()), &mut described);
    assert!(described >= 30, "{described}");
}
