//! `--lossy`: a column file with bytes that are no text is refused with its line, or read with U+FFFD in their place.

use std::fs;

use super::program::{TINY, Workplace};

const FILE: &str = "data/MSRA/msra_train_bio.txt";

/// A workplace whose Chinese training file has a broken character in its second line.
fn with_broken_bytes() -> Workplace {
    let place = Workplace::new();
    place.generate("data");
    place.write("tiny.yaml", &TINY.replace("[wnli, rte]", "[msra, rte]").replace("mini: {seed: 1}", "data: data"));
    place
}

fn break_line(place: &Workplace, file: &str, number: usize) {
    let mut lines: Vec<Vec<u8>> =
        fs::read(place.path(file)).unwrap().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines[number - 1].remove(0);
    fs::write(place.path(file), lines.join(&b'\n')).unwrap();
}

/// The ids of the runs on a task.
fn ids(place: &Workplace, task: &str, arguments: &[&str]) -> Vec<String> {
    let plan = place.run(&[&["plan", "--json", "tiny.yaml"], arguments].concat()).ok().json();
    let runs = plan["runs"].as_array().unwrap().iter().filter(|run| run["task"] == task);
    runs.map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn bytes_that_are_no_text_are_refused_or_replaced() {
    let place = with_broken_bytes();
    // Whole files too: another reading is another run.
    assert_ne!(ids(&place, "msra", &[]), ids(&place, "msra", &["--lossy"]));
    assert_eq!(ids(&place, "rte", &[]), ids(&place, "rte", &["--lossy"]), "tables know no such thing");
    break_line(&place, FILE, 2);
    for command in ["check", "plan", "run"] {
        let told = place.run(&[command, "tiny.yaml"]).ends_with(2);
        let expected = format!("error: the line is not valid UTF-8\n  --> {FILE}:2\nhint: `--lossy` reads such bytes");
        assert!(told.err.starts_with(&expected), "{}", told.err);
    }
    place.run(&["check", "tiny.yaml", "--lossy"]).ok();
    place.run(&["run", "tiny.yaml", "--lossy"]).ok();
    assert_eq!(place.totals(&["tiny.yaml", "--lossy"]).done, 4);
    let results = place.results("tiny.yaml", "tiny");
    assert_eq!(results.lines().filter(|line| line.contains("msra")).count() % 2, 0);
    assert!(results.contains("msra") && results.contains("rte"), "{results}");
    // And what is predicted.
    let model = place.files("runs/tiny/msra").into_iter().find(|path| path.ends_with("model/config.json")).unwrap();
    let predict =
        ["predict", model.parent().unwrap().to_str().unwrap(), "--task=msra", "--output=out.txt", "--input", FILE];
    let told = place.run(&predict).ends_with(2);
    assert!(told.err.contains("`--lossy` reads such bytes"), "{}", told.err);
    let told = place.run(&[&predict[..], &["--lossy"]].concat()).ok();
    assert_eq!(told.err, "note: lines have bytes that are not UTF-8, which were read as U+FFFD: 1\n");
    assert!(place.read("out.txt").lines().nth(1).unwrap().starts_with('\u{fffd}'));
}
