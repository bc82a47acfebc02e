//! `predict` of files that are no tables of texts: the same bytes as the run's own predictions, with and without gold
//! answers; what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::expected::assert_as_expected;
use super::program::{Workplace, parse};

/// A run on a task of every format, with settings that are no task's own.
const EXPERIMENT: &str = "\
experiment: formats
mini: {seed: 1}
models:
  small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}
tasks: [squad1, squad2, swag, conll2003, msra]
task_settings:
  squad1: {max_length: 64, doc_stride: 24, max_query_length: 20, max_answer_length: 8, n_best_size: 3}
  squad2: {max_length: 48, doc_stride: 16, max_query_length: 20}
  conll2003: {context: document}
sweep: {batch_size: [32], learning_rate: [1e-3], epochs: [1]}
seeds: [1]
training: {max_length: 40}
device: cpu
";

const DATA: &str = "datasets/mini-1";

/// Tasks, files that their runs predicted, the splits' names, and what the runs called the predictions.
const FILES: [(&str, &str, &str, &[&str]); 6] = [
    ("squad1", "SQuAD/dev-v1.1.json", "dev", &["predictions.json", "nbest_predictions.json"]),
    ("squad2", "SQuAD2/dev-v2.0.json", "dev", &["predictions.json", "nbest_predictions.json", "null_odds.json"]),
    ("swag", "SWAG/val.csv", "dev", &["predictions-dev.tsv"]),
    ("conll2003", "CoNLL-2003/eng.testa", "dev", &["predictions-dev.txt"]),
    ("conll2003", "CoNLL-2003/eng.testb", "test", &["predictions-test.txt"]),
    ("msra", "MSRA/msra_test_bio.txt", "test", &["predictions-test.txt"]),
];

fn with_runs() -> Workplace {
    let place = Workplace::new();
    place.write("formats.yaml", EXPERIMENT);
    place.run(&["run", "formats.yaml"]).ok();
    place
}

/// The folder of the run on a task.
fn run_of(place: &Workplace, task: &str) -> PathBuf {
    let files = place.files(&format!("runs/formats/{task}"));
    files.iter().find(|path| path.ends_with("record.json")).unwrap().parent().unwrap().to_path_buf()
}

fn model_of(place: &Workplace, task: &str) -> String {
    run_of(place, task).join("model").to_str().unwrap().to_owned()
}

fn predict(place: &Workplace, task: &str, input: &str, output: &str, more: &[&str]) -> super::program::Told {
    let model = model_of(place, task);
    place.run(&[&["predict", &model, "--task", task, "--input", input, "--output", output], more].concat())
}

#[test]
fn a_kept_model_writes_the_files_that_its_run_wrote() {
    let place = with_runs();
    for (task, file, split, names) in FILES {
        fs::create_dir_all(place.path("out")).unwrap();
        let told = predict(&place, task, &format!("{DATA}/{file}"), &format!("out/{}", names[0]), &[]).ok();
        let run = run_of(&place, task);
        for name in names {
            let kept = fs::read_to_string(run.join(name)).unwrap();
            assert!(place.read(&format!("out/{name}")) == kept, "{task} {name}");
        }
        assert_eq!(place.files("out").len(), names.len(), "{task}: nothing else is written");
        let record = parse(&fs::read_to_string(run.join("record.json")).unwrap());
        let scores = record["scores"].as_array().unwrap().iter().filter(|score| score["split"] == *split);
        let scores: Vec<&Value> = scores.collect();
        assert!(scores.len() >= 2, "{task} {split}");
        for score in scores {
            let metric = score["metric"].as_str().unwrap();
            let line = told.out.lines().find(|line| line.split_whitespace().next() == Some(metric)).unwrap();
            let value = score["value"].as_f64().map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"));
            assert_eq!(line.split_whitespace().nth(1).unwrap(), value, "{task} {split} {line}");
        }
        fs::remove_dir_all(place.path("out")).unwrap();
    }
    files_without_answers(&place);
    refused(&place);
}

/// The same predictions, and no scores, for files without gold answers.
fn files_without_answers(place: &Workplace) {
    let run = |task: &str, name: &str| fs::read_to_string(run_of(place, task).join(name)).unwrap();

    // SQuAD 2.0's test file would have no answers, and a version that says that there may be none.
    let mut json = parse(&place.read(&format!("{DATA}/SQuAD2/dev-v2.0.json")));
    assert_eq!(json["version"], "v2.0");
    for question in questions(&mut json) {
        question.retain(|key, _| key == "id" || key == "question");
    }
    place.write("unanswered.json", &json.to_string());
    let told = predict(place, "squad2", "unanswered.json", "predictions.json", &[]).ok();
    assert!(!told.out.contains("exact_match"), "{}", told.out);
    for name in ["predictions.json", "null_odds.json"] {
        assert_eq!(place.read(name), run("squad2", name), "{name}");
    }
    // Asked for without answers, and on standard output, which has room for one file.
    let squad1 = format!("{DATA}/SQuAD/dev-v1.1.json");
    fs::remove_file(place.path("nbest_predictions.json")).unwrap();
    let told = predict(place, "squad1", &squad1, "-", &["--split=texts"]).ok();
    assert_eq!(told.out, run("squad1", "predictions.json"));
    assert!(!told.err.contains("f1") && !place.path("nbest_predictions.json").exists(), "{}", told.err);

    let words: String = place
        .read(&format!("{DATA}/CoNLL-2003/eng.testa"))
        .lines()
        .map(|line| line.split(' ').next().unwrap().to_owned() + "\n")
        .collect();
    place.write("words.txt", &words);
    let told = predict(place, "conll2003", "words.txt", "tagged.txt", &[]).ok();
    assert!(!told.out.contains("f1"), "{}", told.out);
    let untagged: String = run("conll2003", "predictions-dev.txt")
        .lines()
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [word, _, predicted] => format!("{word} {predicted}\n"),
            _ => "\n".to_owned(),
        })
        .collect();
    assert!(place.read("tagged.txt") == untagged, "the tags that were there changed nothing");

    let told = predict(place, "swag", &format!("{DATA}/SWAG/test.csv"), "swag.tsv", &["--probabilities"]).ok();
    assert!(!told.out.contains("accuracy"), "{}", told.out);
    let table = place.read("swag.tsv");
    let row: Vec<&str> = table.lines().nth(1).unwrap().split('\t').collect();
    assert_eq!((row.len(), row[2]), (3 + 4 + 4, ""), "{row:?}");
    let sum: f64 = row[7..].iter().map(|number| number.parse::<f64>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{row:?}");
}

fn questions(json: &mut Value) -> Vec<&mut serde_json::Map<String, Value>> {
    let articles = json["data"].as_array_mut().unwrap().iter_mut();
    let paragraphs = articles.flat_map(|article| article["paragraphs"].as_array_mut().unwrap());
    let questions = paragraphs.flat_map(|paragraph| paragraph["qas"].as_array_mut().unwrap());
    questions.map(|question| question.as_object_mut().unwrap()).collect()
}

/// Models of other tasks, options that the task has no use for, names that are taken.
fn refused(place: &Workplace) {
    for task in ["squad1", "swag", "conll2003"] {
        copy(Path::new(&model_of(place, task)), &place.path(task).join("model"));
        fs::copy(run_of(place, task).join("settings.json"), place.path(task).join("settings.json")).unwrap();
    }
    let input = |file: &str| format!("{DATA}/{file}");
    let squad = input("SQuAD/dev-v1.1.json");
    let tags = input("CoNLL-2003/eng.testa");
    let config = place.read("conll2003/model/config.json");
    let mut nameless = parse(&config);
    nameless.as_object_mut().unwrap().remove("id2label");
    let predict = |model: &str, task: &str, input: &str, more: &[&str]| {
        let model = format!("{model}/model");
        let all = ["predict", &model, "--task", task, "--input", input];
        let output: &[&str] =
            if more.iter().any(|option| option.starts_with("--output=")) { &[] } else { &["--output=o"] };
        place.run(&[&all, output, more].concat()).ends_with(2).exchange()
    };
    let mut told = vec![
        predict("squad1", "conll2003", &tags, &[]),
        predict("swag", "squad1", &squad, &[]),
        predict("conll2003", "swag", &input("SWAG/val.csv"), &[]),
        predict("squad1", "squad1", &squad, &["--probabilities"]),
        predict("swag", "swag", &input("SWAG/val.csv"), &["--outputs=a,b,c,d"]),
        predict("conll2003", "conll2003", &tags, &["--probabilities"]),
        predict("conll2003", "conll2003", &tags, &["--outputs=O,B-PER,I-PER"]),
        predict("conll2003", "conll2003", &tags, &["--split=deev"]),
        predict("squad1", "squad1", &squad, &["--output=nbest_predictions.json"]),
        predict("squad1", "squad1", &tags, &[]),
    ];
    place.write("conll2003/model/config.json", &nameless.to_string());
    told.push(predict("conll2003", "conll2003", &tags, &[]));
    place.write("conll2003/model/config.json", &config);
    assert!(!place.path("o").exists());
    assert_as_expected("predict-formats-refused", &told.join("\n"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
