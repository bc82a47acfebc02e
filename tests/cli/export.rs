//! `export glue-submission` and `check-submission`: what is in the zip, from which run, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::expected::assert_as_expected;
use super::program::{TINY, Told, Workplace, parse};

/// The files, and the rows of the published test sets, as the benchmark's site and paper give them.
const PUBLISHED: [(&str, usize); 11] = [
    ("CoLA.tsv", 1063),
    ("SST-2.tsv", 1821),
    ("MRPC.tsv", 1725),
    ("STS-B.tsv", 1379),
    ("MNLI-m.tsv", 9796),
    ("MNLI-mm.tsv", 9847),
    ("QNLI.tsv", 5463),
    ("QQP.tsv", 390_965),
    ("RTE.tsv", 3000),
    ("WNLI.tsv", 146),
    ("AX.tsv", 1104),
];

/// A workplace with finished runs on `tasks`.
fn with_runs(tasks: &str) -> Workplace {
    let place = Workplace::new();
    place.write("tiny.yaml", &TINY.replace("[wnli, rte]", tasks));
    place.run(&["run", "tiny.yaml"]).ok();
    place
}

/// The files of a zip, by name.
fn unpacked(zip: &[u8]) -> BTreeMap<String, String> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = BTreeMap::new();
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(entry.name().unwrap().into_owned(), text);
    }
    files
}

fn packed(files: &BTreeMap<String, String>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The run with the highest score of a task, by its record: model, id and score.
fn best(place: &Workplace, task: &str) -> (String, String, f64) {
    let records = place.records().into_values().map(|bytes| parse(&String::from_utf8(bytes).unwrap()));
    let of_task = records.filter(|record| record["settings"]["objective"]["task"]["task"] == task);
    let scored = of_task.map(|record| {
        let named = |score: &&serde_json::Value| {
            let of = &record["outcome"]["task"];
            score["metric"] == of["primary_metric"] && score["split"] == of["primary_split"]
        };
        let score = record["scores"].as_array().unwrap().iter().find(named).unwrap()["value"].as_f64().unwrap_or(-2.0);
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (text(&record["settings"]["model"]), text(&record["id"]), score)
    });
    // Of equals the smaller id.
    scored.max_by(|a, b| a.2.total_cmp(&b.2).then_with(|| b.1.cmp(&a.1))).unwrap()
}

#[test]
fn the_best_run_of_each_task_answers_its_test_files() {
    let place = with_runs("[wnli, rte, mnli, stsb]");
    let told = place.run(&["export", "glue-submission", "tiny.yaml"]).ok();
    let zip = fs::read(place.path("reports/tiny/glue-submission.zip")).unwrap();
    let files = unpacked(&zip);
    assert_eq!(files.len(), 11);
    for (task, file, test) in [
        ("wnli", "WNLI.tsv", "WNLI/test.tsv"),
        ("rte", "RTE.tsv", "RTE/test.tsv"),
        ("mnli", "MNLI-m.tsv", "MNLI/test_matched.tsv"),
        ("mnli", "MNLI-mm.tsv", "MNLI/test_mismatched.tsv"),
        ("mnli", "AX.tsv", "AX/diagnostic.tsv"),
        ("stsb", "STS-B.tsv", "STS-B/test.tsv"),
    ] {
        let (model, id, score) = best(&place, task);
        // What `predict` says of the same model and file.
        let folder = format!("runs/tiny/{task}/{model}/{id}/model");
        let input = format!("datasets/mini-1/{test}");
        place.run(&["predict", &folder, "--task", task, "--input", &input, "--output", "out.tsv"]).ok();
        let table = place.read("out.tsv");
        let rows = table.lines().skip(1).map(|line| line.split('\t').take(2).collect::<Vec<_>>());
        let on_scale = |answer: &str| match answer.parse::<f32>() {
            Ok(score) if task == "stsb" => score.clamp(0.0, 5.0).to_string(),
            Ok(_) | Err(_) => answer.to_owned(),
        };
        let expected = rows.map(|row| format!("{}\t{}\n", row[0], on_scale(row[1]))).collect::<String>();
        assert!(files[file] == format!("index\tprediction\n{expected}"), "{file}");
        let line = told.out.lines().find(|line| line.starts_with(&format!("{file} "))).unwrap();
        let shown = format!("{score:.4}");
        assert!([&model, &id, &shown].iter().all(|part| line.contains(part.as_str())), "{line}");
    }
    for (file, rows) in PUBLISHED {
        if !["WNLI.tsv", "RTE.tsv", "MNLI-m.tsv", "MNLI-mm.tsv", "AX.tsv", "STS-B.tsv"].contains(&file) {
            let answers: Vec<&str> = files[file].lines().skip(1).map(|line| line.split_once('\t').unwrap().1).collect();
            assert!(answers.len() == rows && answers.iter().all(|answer| *answer == answers[0]), "{file}");
            let line = told.out.lines().find(|line| line.starts_with(&format!("{file} "))).unwrap();
            assert!(line.contains(&format!("constant `{}`", answers[0])), "{line}");
        }
    }
    assert!(told.out.ends_with("not a submission: these are the test sets of the mini benchmark, not GLUE's\n"));
    // The same predictions are the same bytes, wherever they go.
    let mut command = place.command(&["export", "glue-submission", "tiny.yaml", "--out=-"]);
    let output = command.output().unwrap();
    assert!(output.stdout == zip && String::from_utf8(output.stderr).unwrap().contains("constant `entailment`"));
}

#[test]
fn what_no_run_answers_is_said() {
    let place = with_runs("[wnli]");
    fs::remove_file(place.path("datasets/mini-1/mini.json")).unwrap();
    fs::rename(place.path("datasets/mini-1"), place.path("glue")).unwrap();
    let by_folder = TINY.replace("mini: {seed: 1}", "data: glue").replace("[wnli, rte]", "[wnli]");
    place.write("tiny.yaml", &by_folder);
    // The same data, so the same runs: nothing is run, and the plan is that of the file as it is now.
    assert!(place.run(&["run", "tiny.yaml"]).ok().out.starts_with("tiny: 0 done now, 2 before"));
    let export = || place.run(&["export", "glue-submission", "tiny.yaml", "--out=x.zip"]);
    // The data's marker is gone, so these count as GLUE's files; their number of rows gives them away.
    let told = export().ends_with(1);
    assert!(told.out.contains("rejected: WNLI.tsv: 60 rows where the test set has 146\n"), "{}", told.out);
    assert!(told.out.ends_with("not a submission: the server would reject this\n"), "{}", told.out);
    assert!(told.out.contains("no run of `rte` is done"), "{}", told.out);
    // Only the best run keeps its weights; without them nothing answers.
    let (model, id, _) = best(&place, "wnli");
    fs::remove_dir_all(place.path(&format!("runs/tiny/wnli/{model}/{id}/model"))).unwrap();
    let told = export().ends_with(2);
    assert_as_expected("export-nothing", &told.exchange());
    fs::remove_file(place.path("x.zip")).unwrap();
    let told = place.run(&["export", "glue-submission", "tiny.yaml", "--out=no/such/x.zip"]).ends_with(1);
    assert_eq!(told.err, "error: cannot write no/such/x.zip: its folder does not exist\n");
}

#[test]
fn malformed_test_rows_are_refused_or_answered_with_the_constant() {
    let place = with_runs("[wnli]");
    let path = "datasets/mini-1/WNLI/test.tsv";
    let export =
        |options: &[&str]| place.run(&[&["export", "glue-submission", "tiny.yaml", "--out=x.zip"], options].concat());
    export(&[]).ok();
    let read = || unpacked(&fs::read(place.path("x.zip")).unwrap())["WNLI.tsv"].clone();
    let whole = read();
    let mut lines: Vec<String> = place.read(path).lines().map(str::to_owned).collect();
    lines[8] = "7\tonly one text".into();
    place.write("glue/WNLI/test.tsv", &(lines.join("\n") + "\n"));
    for name in ["train", "dev"] {
        place.write(&format!("glue/WNLI/{name}.tsv"), &place.read(&format!("datasets/mini-1/WNLI/{name}.tsv")));
    }
    place.write("glue/vocab.txt", &place.read("datasets/mini-1/vocab.txt"));
    place.write("tiny.yaml", &TINY.replace("mini: {seed: 1}", "data: glue").replace("[wnli, rte]", "[wnli]"));
    // The same runs, asked for by another file.
    place.run(&["run", "tiny.yaml"]).ok();
    let told = export(&[]).ends_with(2);
    assert!(told.err.contains("glue/WNLI/test.tsv:9") && told.err.contains("--skip-bad-rows"), "{}", told.err);
    let told = export(&["--skip-bad-rows"]).ends_with(1);
    assert!(told.err.contains("note: WNLI.tsv: 1 malformed rows are answered with `0`\n"), "{}", told.err);
    let differing: Vec<(usize, String)> = read()
        .lines()
        .zip(whole.lines())
        .enumerate()
        .filter(|(_, (now, before))| now != before)
        .map(|(at, (now, _))| (at, now.to_owned()))
        .collect();
    assert!(differing.is_empty() || differing == [(8, "7\t0".to_owned())], "{differing:?}");
    assert_eq!(read().lines().count(), 61);
}

/// A zip that the server takes: every file with two different answers.
fn right() -> BTreeMap<String, String> {
    let answers = |name: &str| match name {
        "STS-B.tsv" => ["0.5", "4"],
        "MNLI-m.tsv" | "MNLI-mm.tsv" | "AX.tsv" => ["neutral", "contradiction"],
        "QNLI.tsv" | "RTE.tsv" => ["entailment", "not_entailment"],
        _ => ["0", "1"],
    };
    let table = |name: &str, rows: usize| {
        let rows = (0..rows).map(|index| format!("{index}\t{}\n", answers(name)[index % 2]));
        std::iter::once("index\tprediction\n".to_owned()).chain(rows).collect::<String>()
    };
    PUBLISHED.iter().map(|(name, rows)| ((*name).to_owned(), table(name, *rows))).collect()
}

#[test]
fn a_zip_is_judged_file_by_file() {
    let place = Workplace::new();
    let check = |files: &BTreeMap<String, String>| {
        fs::write(place.path("x.zip"), packed(files)).unwrap();
        place.run(&["check-submission", "x.zip"])
    };
    let mut told: Vec<Told> = vec![check(&right()).ok()];
    let mut wrong = right();
    wrong.remove("AX.tsv");
    for (file, from, to) in [
        ("CoLA.tsv", "\n5\t1\n", "\n5\tone\u{1b}[2J\n"),
        ("MNLI-m.tsv", "\tneutral", "\tnuetral"),
        ("QNLI.tsv", "index\tprediction\n", "index,prediction\n"),
        ("RTE.tsv", "\n2999\tnot_entailment", ""),
        ("STS-B.tsv", "\t4\n", "\t5.2\n"),
        ("WNLI.tsv", "\n7\t1", "\n6\t1"),
    ] {
        let text = wrong.get_mut(file).unwrap();
        assert!(text.contains(from), "{file}");
        *text = text.replace(from, to);
    }
    told.push(check(&wrong).ends_with(1));
    place.write("x.zip", "index\tprediction\n");
    told.push(place.run(&["check-submission", "x.zip"]).ends_with(2));
    told.push(place.run(&["check-submission", "no.zip"]).ends_with(2));
    assert_as_expected("check-submission", &told.iter().map(Told::exchange).collect::<Vec<_>>().join("\n"));
}

#[test]
fn scores_over_other_files_choose_no_model() {
    let place = Workplace::new();
    place.generate("data");
    fs::copy(place.path("data/RTE/dev.tsv"), place.path("mine.tsv")).unwrap();
    let own = TINY.replace("mini: {seed: 1}", "data: data").replace("[wnli, rte]", "[rte]");
    place.write("tiny.yaml", &(own + "task_settings: {rte: {dev: mine.tsv}}\n"));
    place.run(&["run", "tiny.yaml"]).ok();
    let told = place.run(&["export", "glue-submission", "tiny.yaml"]).ends_with(2);
    assert!(told.err.starts_with("error: no run of `tiny` can answer GLUE's test files"), "{}", told.err);
}

#[test]
fn data_of_ones_own_in_the_layout_of_glue_is_answered_with_a_note() {
    let place = Workplace::new();
    place.generate("data");
    // Without its marker nothing tells the mini benchmark from a user's own.
    fs::remove_file(place.path("data/mini.json")).unwrap();
    place.write("tiny.yaml", &TINY.replace("mini: {seed: 1}", "data: data").replace("[wnli, rte]", "[rte]"));
    place.run(&["run", "tiny.yaml"]).ok();
    let told = place.run(&["export", "glue-submission", "tiny.yaml", "--out=x.zip"]).ends_with(1);
    let note = "note: the run of `rte` was chosen by its score on other data than GLUE's\n";
    assert!(told.err.contains(note), "{}", told.err);
    assert!(unpacked(&fs::read(place.path("x.zip")).unwrap())["RTE.tsv"].contains("entailment"));
}
