//! Malformed rows of data.

use super::expected::assert_as_expected;
use super::program::{TINY, Workplace};

const WNLI: &str = "WNLI/train.tsv";

/// A workplace whose WNLI has a row of 3 columns (line 3) and a label that is none (line 5).
fn with_bad_rows() -> Workplace {
    let place = Workplace::new();
    place.generate("glue");
    let file = format!("glue/{WNLI}");
    let text = place.read(&file);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[2] = lines[2].replacen('\t', " ", 1);
    let label = lines[4].rfind('\t').unwrap();
    lines[4].replace_range(label + 1.., "maybe");
    place.write(&file, &(lines.join("\n") + "\n"));
    place.write("bad.yaml", &TINY.replace("tiny", "bad").replace("mini: {seed: 1}", "data: glue"));
    place
}

#[test]
fn the_first_bad_row_ends_every_command_before_anything_is_written() {
    let place = with_bad_rows();
    let [check, others @ ..] = ["check", "plan", "run"].map(|command| place.run(&[command, "bad.yaml"]).ends_with(2));
    assert_as_expected("bad-row", &check.exchange());
    for other in others {
        assert_eq!((&*other.out, other.err), ("", check.err.clone()), "{}", other.command);
    }
    place.run(&["status", "bad.yaml"]).ok();
    let written = place.files("runs");
    assert!(written.iter().all(|path| !path.to_string_lossy().contains("wnli")), "{written:?}");
    assert!(!place.path("runs/bad").exists(), "no run was begun");
}

#[test]
fn skipped_rows_are_counted_in_the_record_and_in_the_report() {
    let place = with_bad_rows();
    let only = ["--skip-bad-rows", "--only", "task=wnli,learning_rate=1e-3"];
    place.run(&[&["run", "bad.yaml"], &only[..]].concat()).ok();
    let id = place.run(&["runs", "list", "bad", "--json"]).ok().json()[0]["id"].as_str().unwrap().to_owned();
    let record = place.run(&["runs", "show", &id, "--json"]).ok().json()["record"].clone();
    let outcome = &record["outcome"]["task"];
    assert_eq!(outcome["skipped_rows"], serde_json::json!({WNLI: 2}));
    assert_eq!(record["notes"], serde_json::json!(["2 malformed rows of WNLI/train.tsv were skipped"]));
    let whole = place.read(&format!("glue/{WNLI}")).lines().count() - 1;
    assert_eq!(outcome["examples"]["train"], whole - 2);

    place.run(&["report", "bad.yaml"]).ok();
    let markdown = place.read("reports/bad/results.md");
    assert_eq!(markdown.matches("2 malformed rows of WNLI/train.tsv").count(), 1, "{markdown}");
    assert!(place.read("reports/bad/index.html").contains("2 malformed rows of WNLI"));
    // The file is refused as before: skipping was chosen for that command alone.
    place.run(&["run", "bad.yaml"]).ends_with(2);
}
