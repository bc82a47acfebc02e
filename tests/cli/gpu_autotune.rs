//! `training: {autotune: true}` on a GPU: choices are kept in the folder of runs, and with them the bits.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::gpu::{GPU, PRETRAIN, place, pretrain_with_a_kill, weights};
use super::program::{Workplace, parse};

fn record(place: &Workplace) -> Value {
    let records = place.records();
    assert_eq!(records.len(), 1);
    parse(&String::from_utf8(records.into_values().next().unwrap()).unwrap())
}

/// The files in `runs/.products`, by their path.
fn choices(place: &Workplace) -> BTreeMap<PathBuf, Value> {
    let files = place.files("runs").into_iter().filter(|path| path.to_string_lossy().contains("/.products/"));
    files.map(|path| (path.clone(), parse(&fs::read_to_string(path).unwrap()))).collect()
}

#[test]
fn runs_of_one_folder_use_the_kernels_of_the_first_and_have_its_bits() {
    let place = place(GPU);
    let plain = short(PRETRAIN);
    place.write("first.yaml", &plain);
    let untuned = ids(&place);
    place.write("first.yaml", &format!("{plain}training: {{autotune: true}}\n"));
    place.run(&["check", "first.yaml"]).ok();
    assert!(choices(&place).is_empty(), "`check` chooses nothing");
    place.run(&["run", "first.yaml"]).ok();
    let (first, kept, bits) = (record(&place), choices(&place), weights(&place));
    assert_eq!(first["settings"]["optimization"]["autotune"], true);
    assert!(first["notes"].to_string().contains("autotuned: kernels of matrix products of "), "{}", first["notes"]);
    assert!(!kept.is_empty());
    for choice in kept.values() {
        let [device, product, kernel] = ["device", "product", "kernel"].map(|key| choice[key].as_str().unwrap());
        println!("{product}: {kernel} of {}", choice["seconds"]);
        assert_eq!(device, first["host"]["device"].as_str().unwrap());
        assert!(product.starts_with("f32 [") && !choice["seconds"][kernel].is_null(), "{choice:#}");
    }

    // Trained again, killed on the way: nothing is chosen anew.
    fs::remove_dir_all(place.path("runs/first")).unwrap();
    pretrain_with_a_kill(&place);
    assert!(weights(&place) == bits, "the same bits");
    assert_eq!(choices(&place), kept);
    assert_eq!(record(&place)["id"], first["id"]);

    // Without the key it is another run.
    let tuned = ids(&place);
    assert_ne!(untuned, tuned);
    assert!(tuned.contains(first["id"].as_str().unwrap()), "{tuned}");
}

/// Fewer kernels and steps than others take, as every kernel is compiled and timed several times over.
fn short(experiment: &str) -> String {
    let shorter = experiment.replace("layers: 2", "layers: 1").replace("steps: 16", "steps: 6");
    shorter.replace("eval_steps: 8", "eval_steps: 6").replace("DEVICE", GPU)
}

fn ids(place: &Workplace) -> String {
    place.run(&["plan", "first.yaml", "--json"]).ok().json()["runs"].to_string()
}
