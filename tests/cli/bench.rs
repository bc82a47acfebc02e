//! `bench step`: what it tells, in words and as JSON, and what it refuses.

use super::expected::assert_as_expected;
use super::program::Workplace;

/// A step of a millisecond.
const TINY: [&str; 15] = [
    "bench",
    "step",
    "--layers",
    "2",
    "--hidden",
    "16",
    "--heads",
    "2",
    "--vocab-size",
    "50",
    "--batch-size",
    "3",
    "--length",
    "5",
    "--steps=4",
];

#[test]
fn a_step_is_told_in_numbers() {
    let place = Workplace::new();
    let told = place.run(&[&TINY[..], &["--threads", "1", "--json"]].concat()).ok();
    assert_eq!(told.err, "");
    let told = told.json();
    let number = |path: &str| {
        told.pointer(path).and_then(|value| value.as_f64()).unwrap_or_else(|| panic!("no {path}: {told:#}"))
    };
    let seconds = number("/seconds_per_step");
    assert!(seconds > 0.0);
    assert!(number("/seconds_quartiles/0") <= seconds && seconds <= number("/seconds_quartiles/1"));
    assert_eq!(told["seconds_of_each_step"].as_array().unwrap().len(), 4);
    let tokens = number("/tokens_per_second") * seconds;
    assert!((tokens - 15.0).abs() < 1e-6, "3 × 5 tokens a step: {tokens}");
    // By hand, for 15 tokens of 3 sequences: 6 × (4 × 16² + 2 × 16 × 64) and 12 × 5 × 16 a layer and
    // token, 6 × 16² a sequence for the pooler; less 6 × (16² + 2 × 16 × 64) for the 12 tokens that are not read.
    let flop = 2.0 * 15.0 * (6.0 * (1024.0 + 2048.0) + 960.0) + 3.0 * 6.0 * 256.0 - 12.0 * 6.0 * (256.0 + 2048.0);
    assert!((number("/gflop_per_second") * 1e9 * seconds / flop - 1.0).abs() < 1e-9);
    let percent = 100.0 * number("/gflop_per_second") / number("/matrix_peak_gflop_per_second");
    assert!((number("/percent_of_matrix_peak") / percent - 1.0).abs() < 1e-9);
    let phases = ["batching", "forward", "backward", "optimizer"];
    let shares: f64 = phases.iter().map(|phase| number(&format!("/phases/{phase}/share"))).sum();
    assert!(shares > 0.2 && shares < 1.5, "the phases are most of a step: {shares}");
    assert!(number("/evaluation_seconds") > 0.0 && number("/peak_memory_bytes") > 1e6);
    assert_eq!(number("/host/threads"), 1.0);
    assert_eq!(told["settings"]["architecture"]["intermediate"], 64);
    assert_eq!(told["settings"]["training"]["precision"], "f32");
    assert_eq!(told["settings"]["training"]["dropout"], 0.1);
}

#[test]
fn a_step_is_told_in_words() {
    let told = Workplace::new().run(&[&TINY[..], &["--gradient-checkpointing", "--threads=2"]].concat()).ok();
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!(lines[0], "model        2 layers of width 16, 2 heads, feed-forward 64, vocabulary 50");
    assert_eq!(lines[1], "batch        3 × 5 tokens, f32, threads: 2, gradient checkpointing");
    // A second line says more of a step, and of the kernels where the clock of the cores is known.
    let names: Vec<&str> = lines[2..].iter().map(|line| line[..13].trim()).filter(|name| !name.is_empty()).collect();
    assert_eq!(names, ["step", "phases", "rate", "kernels", "evaluation", "peak memory", "machine"]);
}

#[test]
fn impossible_sizes_are_refused() {
    let place = Workplace::new();
    let base = ["bench", "step", "--layers=1", "--batch-size=1", "--length=4"];
    let wrong: [&[&str]; 4] =
        [&["--hidden=100", "--heads=3"], &["--hidden=64", "--threads=0"], &["--hidden=64", "--precision=fp16"], &[]];
    let told: Vec<String> =
        wrong.iter().map(|options| place.run(&[&base[..], options].concat()).ends_with(2).exchange()).collect();
    assert_as_expected("bench-step-refused", &told.join("\n"));
    let huge =
        place.run(&["bench", "step", "--layers=1000", "--hidden=65536", "--batch-size=1", "--length=4"]).ends_with(2);
    assert!(huge.err.contains("weights, gradients and optimizer moments need"), "{}", huge.err);
}

#[test]
fn encoders_are_measured_by_length_and_threads_and_kept_for_reports() {
    let place = Workplace::new();
    let options = ["--layers=1", "--hidden=16", "--batch-tokens=512", "--steps=1", "--threads=2,1", "--json"];
    let told = place.run(&[&["bench", "encoders"], &options[..]].concat()).ok().json();
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5 * 5 * 2, "encoders, lengths, threads");
    let fast = |row: &serde_json::Value| ["training", "inference"].iter().all(|what| row[what].as_f64().unwrap() > 0.0);
    assert!(rows.iter().all(fast), "{told:#}");
    assert_eq!(
        (&rows[0]["encoder"], &rows[0]["length"], &rows[0]["threads"]),
        (&"word_vectors".into(), &32.into(), &1.into())
    );
    let kept: serde_json::Value = serde_json::from_str(&place.read("runs/encoder-speed.json")).unwrap();
    assert_eq!(kept, told);
}
