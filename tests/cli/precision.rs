//! `training.precision`: part of a run's id unless it is `f32`, and refused where the CPU lacks bfloat16.

use bertbench::kernel::Bf16Support;

use super::program::{Told, Workplace};

const BF16: &str = "training.precision=bf16";

fn ids(told: Told) -> Vec<String> {
    let plan = told.ok().json();
    plan["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn f32_changes_no_id_and_bf16_every() {
    let place = Workplace::with_tiny();
    let plan = |set: &[&str]| place.run(&[&["plan", "tiny.yaml", "--json"], set].concat());
    let default = ids(plan(&[]));
    assert_eq!(default.len(), 4);
    assert_eq!(ids(plan(&["--set", "training.precision=f32"])), default);
    if Bf16Support::detect() != Bf16Support::None {
        let bf16 = ids(plan(&["--set", BF16]));
        assert!(bf16.len() == 4 && bf16.iter().all(|id| !default.contains(id)), "{bf16:?}");
    }
}

#[test]
fn bf16_runs_where_the_processor_has_it() {
    let place = Workplace::with_tiny();
    let file = super::program::TINY.replace("max_length: 32", "max_length: 32, precision: bf16");
    place.write("bf16.yaml", &file);
    if Bf16Support::detect() == Bf16Support::None {
        return;
    }
    place.run(&["run", "bf16.yaml", "--only", "task=wnli,learning_rate=1e-3"]).ok();
    let records = place.records();
    assert_eq!(records.len(), 1);
    let record: serde_json::Value = serde_json::from_slice(records.values().next().unwrap()).unwrap();
    assert_eq!(record["settings"]["optimization"]["precision"], "bf16");
    // A run of the same name in f32 is another run beside it.
    place.run(&["run", "tiny.yaml", "--only", "task=wnli,learning_rate=1e-3"]).ok();
    assert_eq!(place.records().len(), 2);
}

/// The processor lacks it with AVX2. The data of the experiment does not exist, which nobody notices before.
#[test]
fn bf16_is_refused_by_what_computes_and_no_other_command_without_the_instructions() {
    let place = Workplace::with_tiny();
    let file = super::program::TINY.replace("max_length: 32", "max_length: 32, precision: bf16");
    place.write("bf16.yaml", &file);
    place.write("no-data.yaml", &file.replace("mini: {seed: 1}", "data: nowhere"));
    let run = |arguments: &[&str]| place.told(place.command(arguments).env("BERTBENCH_ISA", "portable"), arguments);
    for (command, file) in ["check", "plan", "run"].into_iter().flat_map(|c| [(c, "bf16.yaml"), (c, "no-data.yaml")]) {
        let told = run(&[command, file]).ends_with(2);
        let expected = "`precision: bf16` needs a CPU with AVX512-BF16 or AMX, and this one has neither";
        assert!(told.err.contains(expected) && told.err.contains(&format!("{file}:8:39")), "{}", told.err);
        assert!(told.err.contains("hint: `precision: f32` runs everywhere"), "{}", told.err);
    }
    assert_eq!(run(&["status", "bf16.yaml", "--json"]).ok().json()["totals"]["missing"], 4);
    // A record of another machine.
    if Bf16Support::detect() != Bf16Support::None {
        place.run(&["run", "bf16.yaml", "--only", "task=wnli,learning_rate=1e-3"]).ok();
        assert_eq!(run(&["status", "bf16.yaml", "--json"]).ok().json()["totals"]["done"], 1);
        run(&["report", "bf16.yaml"]).ok();
    }
}

/// There the instructions decide. The data of the experiment does not exist, which nobody notices before.
#[test]
fn autotune_is_another_run_and_refused_on_the_cpu() {
    let place = Workplace::with_tiny();
    let file = super::program::TINY.replace("max_length: 32", "max_length: 32, autotune: true");
    place.write("tuned.yaml", &file);
    for command in ["check", "plan", "run"] {
        let told = place.run(&[command, "tuned.yaml"]).ends_with(2);
        let expected = "`autotune` times the kernels of a GPU, and the device is `cpu`";
        assert!(told.err.contains(expected) && told.err.contains("tuned.yaml:8:38"), "{}", told.err);
        assert!(told.err.contains("hint: leave `autotune` out"), "{}", told.err);
    }
    assert_eq!(place.run(&["status", "tuned.yaml", "--json"]).ok().json()["totals"]["missing"], 4);
    let sizes = "--layers 1 --hidden 16 --heads 2 --vocab-size 50 --batch-size 2 --length 4 --steps 1";
    let arguments = [&["bench", "step", "--autotune"][..], &sizes.split(' ').collect::<Vec<_>>()].concat();
    let told = place.run(&arguments).ends_with(2);
    assert!(told.err.contains("the device is `cpu`"), "{}", told.err);
}
