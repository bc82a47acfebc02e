//! Mixed precision on a GPU: the scores of float32 within a bound, the same bits after a kill, and refusals before any run.

use std::fs;

use serde_json::Value;

use super::gpu::{GPU, PRETRAIN, TASKS, assert_near, place, runs, same_bits_after_a_kill};
use super::program::{Workplace, parse};

/// Of every score, as a fraction, and of every loss, relative to it: a few products of numbers of 11 bits more than in
/// float32.
const BOUND: f64 = 0.02;

/// The precisions of the first GPU that works, as `list devices` names them.
fn precisions() -> Vec<String> {
    let listed = Workplace::new().run(&["list", "devices", "--json"]).ok().json();
    let works = |device: &&Value| device["device"].as_str().unwrap().starts_with(GPU) && device["problem"].is_null();
    let gpu = listed.as_array().unwrap().iter().find(works).unwrap();
    gpu["precisions"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn has(precision: &str) -> bool {
    let found = precisions();
    if !found.iter().any(|name| name == precision) {
        println!("skipped: this GPU has no {precision}, only {}", found.join(", "));
        return false;
    }
    true
}

/// Both experiments in f16.
fn half() -> Workplace {
    let half = place(GPU);
    half.write("first.yaml", &format!("{}training: {{precision: f16}}\n", PRETRAIN.replace("DEVICE", GPU)));
    let tasks = TASKS.replace("DEVICE", GPU).replace("max_length: 32}", "max_length: 32, precision: f16}");
    half.write("second.yaml", &tasks);
    half
}

#[test]
fn f16_scores_as_f32_on_the_cpu_and_records_what_it_skipped() {
    if !has("f16") {
        return;
    }
    let cpu = place("cpu");
    cpu.run(&["run", "second.yaml"]).ok();
    let gpu = half();
    gpu.run(&["check", "second.yaml"]).ok();
    gpu.run(&["run", "second.yaml"]).ok();
    for ((name, on_cpu, _), (_, on_gpu, _)) in runs(&cpu).iter().zip(&runs(&gpu)) {
        assert_near(on_cpu, on_gpu, name, BOUND);
    }
    let mut all = 0;
    for record in gpu.records().into_values().map(|record| parse(&String::from_utf8(record).unwrap())) {
        assert_eq!(record["settings"]["optimization"]["precision"], "f16");
        all += record["skipped_steps"].as_u64().unwrap_or_else(|| panic!("none recorded: {record:#}"));
    }
    println!("{all} steps skipped");
    for log in gpu.files("runs").into_iter().filter(|path| path.ends_with("metrics.jsonl")) {
        let text = fs::read_to_string(log).unwrap();
        let steps: Vec<Value> = text.lines().map(parse).filter(|line| !line["learning_rate"].is_null()).collect();
        assert!(!steps.is_empty());
        for line in steps {
            // A step that was skipped has no norm. The scale is what the skipped ones before it left.
            let before = line["skipped_steps"].as_u64().unwrap() - u64::from(line["gradient_norm"].is_null());
            assert_eq!(line["loss_scale"].as_f64(), Some(65536.0 / 2f64.powi(before as i32)), "{line}");
        }
    }
    assert!(cpu.records().into_values().all(|record| !String::from_utf8(record).unwrap().contains("skipped_steps")));
}

#[test]
fn a_killed_pretraining_in_f16_goes_on_to_the_same_bits() {
    if has("f16") {
        same_bits_after_a_kill(half);
    }
}

#[test]
fn precisions_that_the_device_has_not_are_refused_before_any_run() {
    let found = precisions();
    assert_eq!(found[0], "f32");
    for precision in ["bf16", "f16"].into_iter().filter(|precision| !found.iter().any(|name| name == precision)) {
        let place = place(GPU);
        for command in ["check", "run"] {
            let set = format!("training.precision={precision}");
            let refused = place.run(&[command, "second.yaml", "--set", &set]).ends_with(2);
            let expected = format!("the device `{GPU}` does not compute in `precision: {precision}`, only in f32");
            assert!(refused.err.contains(&expected), "{}", refused.err);
            assert!(refused.err.contains("bertbench list devices"), "{}", refused.err);
        }
        assert!(place.records().is_empty());
    }
}
