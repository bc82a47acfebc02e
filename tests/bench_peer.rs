//! `tests/bench_peer.py` with programs that only pretend to work: what it runs, in which order, and what it makes
//! of what they print.

#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A folder with `ours`, a program that notes its arguments in `calls` and prints `told`.
fn with_ours(told: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("ours");
    let calls = folder.path().join("calls");
    let text = format!("#!/bin/sh\necho ours \"$@\" >> {}\nprintf '{told}\\n'\n", calls.display());
    // A shell writes it: Linux starts no program that is open for writing, and a process that another test starts
    // meanwhile would inherit the open file.
    let write = ["-c", r#"printf %s "$2" > "$1" && chmod 755 "$1""#, "sh", ours.to_str().unwrap(), &text];
    assert!(Command::new("sh").args(write).status().unwrap().success());
    (folder, ours)
}

/// The exit code, standard output and standard error of the script; nothing without Python.
fn bench_peer(arguments: &[&str]) -> Option<(i32, String, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench_peer.py");
    let Ok(output) = Command::new("python3").arg(script).args(arguments).output() else {
        println!("skipped: no python3");
        return None;
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Some((output.status.code().unwrap(), text(output.stdout), text(output.stderr)))
}

/// The cells of the table's only row.
fn row(table: &str) -> Vec<String> {
    let line = table.lines().nth(2).unwrap();
    line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn both_take_turns_and_medians_are_compared() {
    let (folder, ours) = with_ours(r#"{"seconds_per_step": 0.5}"#);
    let calls = folder.path().join("calls");
    let peer = format!(
        "echo peer {{layers}} {{batch}} {{mode}} >> {}; printf 'seconds 9\\nseconds 8\\nseconds 1\\nseconds 1\\nseconds 5\\n'",
        calls.display()
    );
    let base = ["step", "--rows=minilm-bf16", "--rounds", "2", "--bertbench", ours.to_str().unwrap()];
    let Some((code, out, err)) = bench_peer(&[&base[..], &["sh", "-c", &peer]].concat()) else { return };
    let found = row(&out);
    assert_eq!(found[0], "minilm-bf16");
    // The first two steps of the peer are left out; the median of 1, 1 and 5 counts.
    assert_eq!(found[3..7], ["0.5", "1", "0.500", "0.80 ok"], "{out}{err}");
    assert!(code == 0 || found[10].ends_with("over"), "{out}{err}");
    let calls = fs::read_to_string(calls).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    let ours = "ours bench step --layers=6 --hidden=384 --heads=12 --batch-size=32 --length=64 --precision=bf16 --steps=8 --json";
    let peer = "peer 6 32 compile-bf16";
    assert_eq!(calls, [ours, peer, ours, peer, "ours --version"]);
}

#[test]
fn a_ratio_over_its_limit_is_said() {
    let (_folder, ours) = with_ours(r#"{"seconds_per_step": 0.9}"#);
    let base = ["step", "--rows", "base-f32", "--rounds=1", "--bertbench", ours.to_str().unwrap(), "--"];
    let peer = ["echo", r#"{"seconds_per_step": 1.0}"#];
    let Some((code, out, err)) = bench_peer(&[&base[..], &peer].concat()) else { return };
    assert_eq!((code, &row(&out)[5..7]), (1, &["0.900".to_owned(), "0.85 over".to_owned()][..]), "{out}{err}");
}

#[test]
fn what_is_not_understood_is_an_error() {
    let (_folder, ours) = with_ours("nothing");
    let base = ["step", "--rows", "base-f32", "--rounds=1", "--bertbench", ours.to_str().unwrap()];
    let Some((code, _, err)) = bench_peer(&[&base[..], &["true"]].concat()) else { return };
    assert_eq!(code, 2);
    assert!(err.contains("no seconds of a step"), "{err}");
    let (code, _, err) = bench_peer(&["step", "--rows", "tiny"]).unwrap();
    assert_eq!(code, 2);
    assert!(err.contains("unknown row tiny; known: step-f32, step-bf16"), "{err}");
}

#[test]
fn on_a_gpu_both_are_told_where_and_limits_of_the_cpu_are_not_judged() {
    let (folder, ours) = with_ours(r#"{"seconds_per_step": 0.9}"#);
    let options = ["step", "--rows=base-f32", "--rounds=1", "--device=vulkan:1", "--peer-device", "cuda:1"];
    let base = [&options[..], &["--bertbench", ours.to_str().unwrap(), "--"]].concat();
    let peer = ["sh", "-c", r#"echo "{device} {peer_device}" >&2; echo '{"seconds_per_step": 0.3}'"#];
    let Some((code, out, err)) = bench_peer(&[&base[..], &peer].concat()) else { return };
    let found = row(&out);
    assert_eq!((code, &found[5..7], &*found[10]), (0, &["3.000".to_owned(), "–".to_owned()][..], "–"), "{out}{err}");
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert!(calls.lines().next().unwrap().ends_with("--steps=8 --json --device=vulkan:1"), "{calls}");
    // PyTorch's own program, in place of which one prints what it is told.
    let print = folder.path().join("print.py");
    fs::write(&print, "import sys\nprint(f'seconds 1\\nseconds 1\\nseconds {len(sys.argv)}.0')\nassert sys.argv[-1] == '--device=cuda:1'\n").unwrap();
    let base = [&base[..base.len() - 1], &["--python", "python3", "--peer", print.to_str().unwrap()]].concat();
    let (code, out, err) = bench_peer(&base).unwrap();
    assert_eq!((code, &*row(&out)[4]), (0, "9"), "{out}{err}");
}
