//! `BERTBENCH_ISA`: what it refuses, what it forces, and that it changes no result.

use bertbench::kernel::Isa;

use super::program::{Told, Workplace};

fn with(isa: &str, place: &Workplace, arguments: &[&str]) -> Told {
    place.told(place.command(arguments).env("BERTBENCH_ISA", isa), arguments)
}

#[test]
fn an_unknown_instruction_set_is_refused_by_every_command() {
    let place = Workplace::with_tiny();
    for arguments in [&["list", "tasks"][..], &["check", "tiny.yaml"], &["run", "tiny.yaml"]] {
        let told = with("sse9", &place, arguments).ends_with(2);
        let expected = "error: `BERTBENCH_ISA` is `sse9`, which is no instruction set that there are kernels for\n\
                        hint: known are `portable`, `avx2`, `avx512`; without the variable the best one is used\n";
        assert_eq!(told.err, expected);
    }
    assert!(!place.path("runs").exists());
}

#[test]
fn a_step_is_measured_with_the_forced_instruction_set() {
    let place = Workplace::new();
    let step = ["bench", "step", "--layers=1", "--hidden=16", "--vocab-size=50", "--batch-size=1", "--length=4"];
    // A large product takes the portable kernels long.
    for isa in Isa::available().iter().filter(|isa| **isa != Isa::Portable) {
        let told = with(isa.name(), &place, &[&step[..], &["--steps=1", "--json"]].concat()).ok().json();
        let name = told["kernel"].as_str().unwrap().split(',').next().unwrap().to_lowercase().replace('-', "");
        assert_eq!(name, isa.name());
        assert!(told["clock_peak_gflop_per_second"].as_f64().unwrap() > 0.0);
    }
}

/// Workers are processes of their own, which must heed it too.
#[test]
fn runs_have_the_same_scores_with_every_instruction_set_that_rounds_once() {
    let results = Isa::available().iter().filter(|isa| **isa != Isa::Portable).map(|isa| {
        let place = Workplace::with_tiny();
        with(isa.name(), &place, &["run", "tiny.yaml"]).ok();
        place.results("tiny.yaml", "tiny")
    });
    let results: Vec<String> = results.collect();
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{results:#?}");
}
