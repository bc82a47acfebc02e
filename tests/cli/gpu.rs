//! Experiments on a GPU, which may be a software one: the scores of the processor within a bound, and the same bits after a
//! kill. `just test-gpu` runs these.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{Workplace, parse};

/// One model, pretrained for a few steps, checkpoints all along.
pub(super) const PRETRAIN: &str = "\
experiment: first
mini: {seed: 1}
models:
  small: {architecture: {layers: 2, hidden: 24, heads: 2, max_positions: 64}}
pretrain:
  phases: [{max_length: 32, steps: 16}]
  dupe_factor: 1
  batch_size: 8
  learning_rate: 1e-3
  eval_steps: 8
  logging_steps: 4
  save: {save_steps: 3}
device: DEVICE
";

/// Two tasks that start from it.
pub(super) const TASKS: &str = "\
experiment: second
mini: {seed: 1}
models:
  pretrained: {checkpoint: {experiment: first, model: small}}
tasks: [wnli, stsb]
sweep: {batch_size: [32], learning_rate: [1e-3], epochs: [1]}
training: {max_length: 32}
device: DEVICE
";

/// Of every score, as a fraction, and of every loss, relative to it.
const BOUND: f64 = 0.01;

/// The kind of GPU that this build reaches first.
pub(super) const GPU: &str = if cfg!(feature = "cuda") {
    "cuda"
} else if cfg!(feature = "vulkan") {
    "vulkan"
} else {
    "wgpu"
};

pub(super) fn place(device: &str) -> Workplace {
    let place = Workplace::new();
    place.write("first.yaml", &PRETRAIN.replace("DEVICE", device));
    place.write("second.yaml", &TASKS.replace("DEVICE", device));
    place
}

/// Each run's evaluations and device, by its objective.
pub(super) fn runs(place: &Workplace) -> Vec<(String, Value, String)> {
    let records = place.records().into_values().map(|record| parse(&String::from_utf8(record).unwrap()));
    let mut found: Vec<_> = records
        .map(|record| {
            let objective = &record["settings"]["objective"];
            let name = objective["task"]["task"].as_str().unwrap_or("pretraining").to_owned();
            (name, record["evaluations"].clone(), record["host"]["device"].as_str().unwrap().to_owned())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Every number of two evaluations that is a score or a loss is the same within `bound`.
pub(super) fn assert_near(cpu: &Value, gpu: &Value, at: &str, bound: f64) {
    match (cpu, gpu) {
        (Value::Object(cpu), Value::Object(gpu)) => {
            assert!(cpu.keys().eq(gpu.keys()), "{at}");
            for (key, value) in cpu {
                assert_near(value, &gpu[key], &format!("{at}.{key}"), bound);
            }
        }
        (Value::Array(cpu), Value::Array(gpu)) => {
            assert_eq!(cpu.len(), gpu.len(), "{at}");
            cpu.iter().zip(gpu).for_each(|(cpu, gpu)| assert_near(cpu, gpu, at, bound));
        }
        (Value::Number(cpu), Value::Number(gpu)) => {
            let (cpu, gpu) = (cpu.as_f64().unwrap(), gpu.as_f64().unwrap());
            println!("{at}: {cpu} {gpu}");
            assert!((cpu - gpu).abs() <= bound * cpu.abs().max(1.0), "{at}: {cpu} on the CPU, {gpu} on the GPU");
        }
        _ => assert_eq!(cpu, gpu, "{at}"),
    }
}

#[test]
fn a_pretraining_and_two_tasks_score_as_on_the_cpu() {
    let [cpu, gpu] = ["cpu", GPU].map(|device| {
        let place = place(device);
        place.run(&["check", "second.yaml"]).ok();
        place.run(&["run", "second.yaml"]).ok();
        runs(&place)
    });
    assert_eq!((cpu.len(), gpu.len()), (3, 3));
    for ((name, on_cpu, device), (_, on_gpu, adapter)) in cpu.iter().zip(&gpu) {
        assert_eq!(device, "cpu");
        assert!(adapter.contains('('), "the record names adapter and backend: {adapter}");
        assert_near(on_cpu, on_gpu, name, BOUND);
    }
}

/// One after the other or side by side, on whichever of the devices: the same runs with the same bits.
#[test]
fn runs_of_several_devices_are_those_of_one() {
    let records = |line: &str| {
        let place = place(GPU);
        place.run(&["run", "first.yaml"]).ok();
        place.write("second.yaml", &TASKS.replace("device: DEVICE", line));
        place.run(&["run", "second.yaml"]).ok();
        let mut runs = runs(&place);
        runs.retain(|(name, ..)| name != "pretraining");
        (runs.len(), format!("{runs:?}"))
    };
    let several = records(&format!("devices: [{GPU}:0, {GPU}:0]"));
    assert_eq!(several.0, 2);
    assert_eq!(several, records(&format!("device: {GPU}:0")));
    let place = place(GPU);
    place.write("second.yaml", &TASKS.replace("device: DEVICE", &format!("devices: [{GPU}:0, {GPU}:9]")));
    let refused = place.run(&["check", "second.yaml"]).ends_with(2);
    assert!(refused.err.contains(&format!("there is no device `{GPU}:9` here")), "{}", refused.err);
}

/// Losses are read late, but what is said of them is the same: a step that diverges is named, and lines before it are in
/// the log, as on the processor.
#[test]
fn a_divergence_names_the_step_at_which_it_happened() {
    let [cpu, gpu] = ["cpu", GPU].map(|device| {
        let place = place(device);
        // The weights overflow in the first step, and the second finds it.
        let sets = ["training.weight_decay=1e300", "pretrain.logging_steps=1", "pretrain.eval_steps=16"];
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        place.run(&[&["run", "first.yaml"][..], &sets].concat()).ends_with(1);
        let of = |name: &str| {
            let found = place.files("runs").into_iter().find(|path| path.ends_with(name)).unwrap();
            fs::read_to_string(found).unwrap()
        };
        let failure = parse(&of("failure.json"));
        assert_eq!(failure["kind"], "diverged", "{failure}");
        let cause = failure["cause"].as_str().unwrap().split(':').next().unwrap().to_owned();
        (cause, of("metrics.jsonl").lines().filter(|line| line.contains("\"step\"")).count())
    });
    assert_eq!(cpu, gpu);
}

#[test]
fn a_killed_pretraining_goes_on_to_the_same_bits() {
    same_bits_after_a_kill(|| place(GPU));
}

/// Pretrains in one of the places that `place` makes, and in another with a `kill -9` after the first checkpoint.
pub(super) fn same_bits_after_a_kill(place: impl Fn() -> Workplace) {
    let whole = place();
    whole.run(&["run", "first.yaml"]).ok();
    let killed = place();
    pretrain_with_a_kill(&killed);
    assert!(weights(&whole) == weights(&killed), "the same bits");
}

/// The weights of the first run, of one that was pretrained.
pub(super) fn weights(place: &Workplace) -> Vec<u8> {
    let file = place.files("runs").into_iter().find(|path| path.ends_with("model.safetensors")).unwrap();
    fs::read(file).unwrap()
}

/// Pretrains with a `kill -9` after the first checkpoint.
pub(super) fn pretrain_with_a_kill(place: &Workplace) {
    let mut started = place.start(&["run", "first.yaml"]);
    let begin = Instant::now();
    let is_checkpoint = |path: &str| path.contains("/checkpoints/") && !path.contains("/.tmp-");
    while !place.files("runs").iter().any(|path| is_checkpoint(&path.to_string_lossy())) {
        assert!(begin.elapsed() < Duration::from_secs(300), "no checkpoint");
        sleep(Duration::from_millis(20));
    }
    started.signal_group("KILL");
    started.wait();
    assert!(place.records().is_empty(), "it was killed on its way");
    let told = place.run(&["run", "first.yaml"]).ok();
    let record = place.records().into_values().next().unwrap();
    let notes = parse(&String::from_utf8(record).unwrap())["notes"].to_string();
    assert!(notes.contains("resumed from the checkpoint"), "{notes}\n{}", told.err);
}

#[test]
fn devices_are_listed_and_wrong_ones_refused_before_any_run() {
    let place = place(GPU);
    let listed = place.run(&["list", "devices", "--json"]).ok().json();
    let listed = listed.as_array().unwrap();
    let works = |device: &Value| device["device"].as_str().unwrap().starts_with(GPU) && device["problem"].is_null();
    let gpu = listed.iter().find(|device| works(device)).unwrap();
    assert!(!gpu["name"].as_str().unwrap().is_empty() && !gpu["backend"].as_str().unwrap().is_empty(), "{gpu}");
    let refused = place.run(&["check", "second.yaml", "--set", &format!("device={GPU}:7")]).ends_with(2);
    assert!(refused.err.contains(&format!("there is no device `{GPU}:7` here")), "{}", refused.err);
}

#[test]
fn a_step_of_the_benchmark_counts_launches_and_bytes() {
    let told = |layers: &str| {
        let sizes = "--hidden 16 --heads 2 --vocab-size 50 --batch-size 3 --length 5 --steps 2 --json";
        let arguments =
            [&["bench", "step", "--device", GPU, "--layers", layers][..], &sizes.split(' ').collect::<Vec<_>>()];
        Workplace::new().run(&arguments.concat()).ok().json()
    };
    let [two, three] = ["2", "3"].map(told);
    let number = |told: &Value, key: &str| told[key].as_f64().unwrap_or_else(|| panic!("no {key}: {told:#}"));
    let per_layer = number(&three, "launches_per_step") - number(&two, "launches_per_step");
    println!("{per_layer} launches a layer, {two:#}");
    // Twelve products and twelve kernels, and what the optimizer's twelve tensors more add: on a device that binds few
    // buffers at a time fourteen.
    assert!((24.0..=38.0).contains(&per_layer), "{per_layer}");
    // Ids, positions and segments twice, in two orders, offsets and labels: no layer adds to it, as masks would.
    let uploaded = [&two, &three].map(|told| number(told, "uploaded_bytes_per_step"));
    assert!(uploaded[0] > 0.0 && uploaded[0] < 1500.0 && uploaded[0] == uploaded[1], "{uploaded:?}");
    // The loss and the norm.
    assert_eq!([&two, &three].map(|told| number(told, "downloaded_bytes_per_step")), [8.0; 2]);
    // What a step takes is not told of a step that was over before: its parts are no longer than it.
    for told in [&two, &three] {
        let parts = ["forward", "optimizer"].map(|phase| told["phases"][phase]["seconds"].as_f64().unwrap());
        assert!(parts.iter().sum::<f64>() <= 1.5 * number(told, "seconds_per_step"), "{told:#}");
    }
    // Where the device has time stamps.
    for told in [&two, &three].into_iter().filter(|told| !told["percent_device_idle"].is_null()) {
        assert!((0.0..100.0).contains(&number(told, "percent_device_idle")), "{told:#}");
        assert!(number(told, "device_busy_seconds_per_step") > 0.0, "{told:#}");
    }
}
