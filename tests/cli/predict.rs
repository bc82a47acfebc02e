//! `predict`: what the run itself predicted, from every layout; whether a model fits a task; what is refused.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::expected::assert_as_expected;
use super::program::{TINY, Told, Workplace, parse};

/// A run each of a few tasks: two classes, three classes, a score, and a file without a header.
const TASKS: [(&str, &str, &[&str]); 4] = [
    ("rte", "RTE", &["dev"]),
    ("mnli", "MNLI", &["dev_matched", "dev_mismatched"]),
    ("stsb", "STS-B", &["dev"]),
    ("cola", "CoLA", &["dev"]),
];

/// A workplace with the models of runs on `tasks`, in folders called like them.
fn with_models(tasks: &str) -> Workplace {
    let place = Workplace::new();
    let experiment = TINY.replace("[wnli, rte]", tasks).replace("[1e-3, 5e-4]", "[1e-3]");
    place.write("tiny.yaml", &experiment);
    place.run(&["run", "tiny.yaml"]).ok();
    for task in TASKS.iter().map(|(task, ..)| *task).filter(|task| tasks.contains(task)) {
        fs::create_dir(place.path(task)).unwrap();
        for file in fs::read_dir(model_of(&place, task)).unwrap().flatten() {
            fs::copy(file.path(), place.path(task).join(file.file_name())).unwrap();
        }
    }
    place
}

/// The model that the run on a task kept.
fn model_of(place: &Workplace, task: &str) -> PathBuf {
    let files = place.files(&format!("runs/tiny/{task}"));
    files.iter().find(|path| path.ends_with("model/config.json")).unwrap().parent().unwrap().to_path_buf()
}

fn dev(folder: &str, split: &str) -> String {
    format!("datasets/mini-1/{folder}/{split}.tsv")
}

/// `predict` with the training's length.
fn predict(place: &Workplace, model: &str, arguments: &[&str]) -> Told {
    place.run(&[&["predict", model, "--max-length=32"], arguments].concat())
}

/// `predict` of RTE with these bytes on standard input, to standard output.
fn predict_from(place: &Workplace, bytes: &[u8], arguments: &[&str]) -> Told {
    let all = ["predict", "rte", "--max-length=32", "--task=rte", "--input=-", "--output=-"];
    let arguments = [&all, arguments].concat();
    let mut command = place.command(&arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that refuses its arguments does not read what comes.
    let _ = child.stdin.take().unwrap().write_all(bytes);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    Told { command: format!("bertbench {}", arguments.join(" ")), code: output.status.code(), out, err }
}

/// The columns of a table, by name.
fn column(table: &str, name: &str) -> Vec<String> {
    let mut lines = table.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let at = lines.next().unwrap().iter().position(|head| *head == name).unwrap_or_else(|| panic!("no {name}"));
    lines.map(|line| line[at].to_owned()).collect()
}

#[test]
fn a_kept_model_predicts_what_its_run_predicted_with_its_scores() {
    let place = with_models("[rte, mnli, stsb, cola]");
    for (task, folder, splits) in TASKS {
        let run = model_of(&place, task).parent().unwrap().to_path_buf();
        let record = parse(&fs::read_to_string(run.join("record.json")).unwrap());
        for split in splits {
            let told =
                predict(&place, task, &["--task", task, "--input", &dev(folder, split), "--output=out.tsv"]).ok();
            let kept = fs::read_to_string(run.join(format!("predictions-{split}.tsv"))).unwrap();
            assert!(place.read("out.tsv") == kept, "{task} {split}");
            let scores = record["scores"].as_array().unwrap().iter().filter(|score| score["split"] == **split);
            for score in scores {
                let line = told.out.lines().find(|line| line.starts_with(score["metric"].as_str().unwrap())).unwrap();
                let value = score["value"].as_f64().unwrap();
                assert_eq!(line.split_whitespace().nth(1).unwrap(), format!("{value:.4}"), "{task} {split} {line}");
            }
        }
    }
    // A model is used with the length of its training, in its run's folder and out of it.
    let (model, input) = (model_of(&place, "rte"), dev("RTE", "dev"));
    let rte = ["--task=rte", "--input", &input, "--output"];
    place.run(&[&["predict", model.to_str().unwrap()], &rte[..], &["in-place.tsv"]].concat()).ok();
    place.run(&[&["predict", "rte"], &rte[..], &["moved.tsv"]].concat()).ok();
    predict(&place, "rte", &[&rte[..], &["out.tsv"]].concat()).ok();
    assert_eq!(place.read("in-place.tsv"), place.read("out.tsv"));
    assert_eq!(place.read("moved.tsv"), place.read("out.tsv"));
    // MNLI's model answers the diagnostic set.
    let text = "index\tsentence1\tsentence2\n0\tIt is so.\tIs it?\n";
    place.write("diagnostic.tsv", text);
    predict(&place, "mnli", &["--task=mnli", "--input=diagnostic.tsv", "--output=ax.tsv"]).ok();
    assert_eq!(place.read("ax.tsv").lines().count(), 2);
}

#[test]
fn rows_without_labels_get_the_same_logits_and_no_scores() {
    let place = with_models("[rte]");
    let rows = place.read(&dev("RTE", "dev"));
    let labelled = predict_from(&place, rows.as_bytes(), &[]).ok();
    assert!(labelled.err.contains("accuracy"), "scores go to standard error: {}", labelled.err);
    let cut = |columns: std::ops::Range<usize>| -> String {
        rows.lines().map(|line| line.split('\t').collect::<Vec<_>>()[columns.clone()].join("\t") + "\n").collect()
    };
    // The test layout, and the texts alone.
    for unlabelled in [cut(0..3), cut(1..3)] {
        let told = predict_from(&place, unlabelled.as_bytes(), &[]).ok();
        assert!(!told.err.contains("accuracy"), "{}", told.err);
        for name in ["prediction", "logit_entailment", "logit_not_entailment"] {
            assert_eq!(column(&told.out, name), column(&labelled.out, name));
        }
        assert!(column(&told.out, "label").iter().all(String::is_empty));
    }
    let told = predict_from(&place, rows.as_bytes(), &["--probabilities"]).ok();
    let [first, second] = ["probability_entailment", "probability_not_entailment"].map(|name| column(&told.out, name));
    for ((first, second), answer) in first.iter().zip(&second).zip(column(&told.out, "prediction")) {
        let (first, second): (f64, f64) = (first.parse().unwrap(), second.parse().unwrap());
        assert!((first + second - 1.0).abs() < 1e-6);
        assert_eq!(answer == "entailment", first >= second);
    }
}

#[test]
fn outputs_are_matched_with_the_classes_by_name() {
    let place = with_models("[rte]");
    let rows = place.read(&dev("RTE", "dev"));
    let [first, second] = ["logit_entailment", "logit_not_entailment"];
    let straight = predict_from(&place, rows.as_bytes(), &[]).ok();
    assert!(!straight.err.contains("outputs"), "{}", straight.err);
    let config = place.read("rte/config.json");
    let named = |zero: &str, one: &str| {
        let mut config = parse(&config);
        config["id2label"] = serde_json::json!({"0": zero, "1": one});
        place.write("rte/config.json", &config.to_string());
    };
    let swapped = |told: &Told| {
        assert_eq!(column(&told.out, first), column(&straight.out, second));
        assert_eq!(column(&told.out, second), column(&straight.out, first));
    };
    named("NOT_ENTAILMENT", "ENTAILMENT");
    let told = predict_from(&place, rows.as_bytes(), &[]).ok();
    assert!(told.err.contains("note: the model's outputs are NOT_ENTAILMENT,ENTAILMENT; "), "{}", told.err);
    swapped(&told);
    named("LABEL_0", "LABEL_1");
    let told = predict_from(&place, rows.as_bytes(), &[]).ok();
    assert!(
        told.err.contains("note: config.json does not name the outputs; taken as `--outputs entail"),
        "{}",
        told.err
    );
    assert!(told.out == straight.out);
    swapped(&predict_from(&place, rows.as_bytes(), &["--outputs=not_entailment,entailment"]).ok());
    named("yes", "no");
    let refused = predict_from(&place, rows.as_bytes(), &[]).ends_with(2);
    let misnamed = predict_from(&place, rows.as_bytes(), &["--outputs=no,yes"]).ends_with(2);
    assert_as_expected("predict-outputs", &[refused.exchange(), misnamed.exchange()].join("\n"));
}

#[test]
fn a_model_that_does_not_fit_is_refused() {
    let place = with_models("[rte, mnli, stsb, cola]");
    let mut told: Vec<Told> = [("mnli", "rte", "RTE"), ("stsb", "rte", "RTE"), ("rte", "stsb", "STS-B")]
        .map(|(model, task, folder)| {
            predict(&place, model, &["--task", task, "--input", &dev(folder, "dev"), "--output=out.tsv"]).ends_with(2)
        })
        .into();
    let rte = ["--task=rte", "--input", &dev("RTE", "dev"), "--output=out.tsv"];
    told.push(predict(&place, "stsb", &["--task=stsb", "--input=x.tsv", "--output=o.tsv"]).ends_with(2));
    let scores = ["--task=stsb", "--input", &dev("STS-B", "dev"), "--output=out.tsv", "--probabilities"];
    told.push(predict(&place, "stsb", &scores).ends_with(2));
    told.push(predict(&place, "no/such/model", &rte).ends_with(2));
    told.push(place.run(&[&["predict", "rte", "--max-length=65"], &rte[..]].concat()).ends_with(2));
    let config = place.read("rte/config.json");
    place.write("rte/config.json", &config.replace("ForSequenceClassification", "ForTokenClassification"));
    told.push(predict(&place, "rte", &rte).ends_with(2));
    place.write("rte/config.json", &config);
    without_head(&place);
    told.push(predict(&place, "rte", &rte).ends_with(2));
    let vocabulary = place.read("rte/vocab.txt");
    place.write("rte/vocab.txt", &(vocabulary.clone() + "onemore\n"));
    let size = vocabulary.lines().count();
    let counted = |text: String| text.replace(&(size + 1).to_string(), "N+1").replace(&size.to_string(), "N");
    told.push(predict(&place, "rte", &rte).ends_with(2));
    let exchanges: Vec<String> = told.iter().map(|told| counted(told.exchange())).collect();
    assert_as_expected("predict-model-refused", &exchanges.join("\n"));
    assert!(!place.path("out.tsv").exists());
}

/// Takes the head out of the weights of `rte`.
fn without_head(place: &Workplace) {
    let path = place.path("rte/model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let kept: Vec<(String, TensorView<'_>)> =
        file.tensors().into_iter().filter(|(name, _)| !name.starts_with("classifier")).collect();
    fs::write(path, safetensors::serialize(kept, None).unwrap()).unwrap();
}

#[test]
fn wrong_rows_are_refused_with_their_line() {
    let place = with_models("[rte]");
    let head = "index\tsentence1\tsentence2\tlabel\n";
    let bad = format!("{head}0\tIt is so.\tIs it?\tentailment\n1\tIt is so.\n2\tA\tB\tentailment\n");
    let other = "index\tquestion\tsentence\tlabel\n";
    let told = [
        predict_from(&place, bad.as_bytes(), &[]).ends_with(2),
        predict_from(&place, other.as_bytes(), &[]).ends_with(2),
        predict_from(&place, other.as_bytes(), &["--split=dev"]).ends_with(2),
        predict_from(&place, head.as_bytes(), &["--split=deev"]).ends_with(2),
        predict_from(&place, head.as_bytes(), &[]).ends_with(2),
        predict_from(&place, b"", &[]).ends_with(2),
        predict(&place, "rte", &["--task=rtee", "--input=x.tsv", "--output=out.tsv"]).ends_with(2),
    ];
    assert_as_expected("predict-rows-refused", &told.map(|told| told.exchange()).join("\n"));
    let skipped = predict_from(&place, bad.as_bytes(), &["--skip-bad-rows"]).ok();
    assert!(
        skipped.err.contains("note: malformed rows were skipped, and have no number in the output: 1"),
        "{}",
        skipped.err
    );
    assert_eq!(column(&skipped.out, "index"), ["0", "1"]);
}

#[test]
fn an_output_that_cannot_be_written_is_exit_code_1_and_devices_stay() {
    let place = with_models("[rte]");
    let write = |output: &str| {
        let input = dev("RTE", "dev");
        predict(&place, "rte", &["--task=rte", "--input", &input, "--output", output])
    };
    let told = write("no/such/out.tsv").ends_with(1);
    assert_eq!(told.err, "error: cannot write no/such/out.tsv: its folder does not exist\n");
    assert_eq!(write("rte").ends_with(1).err, "error: cannot write rte: it is a folder\n");
    write("/dev/null").ok();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

/// A checkpoint of the published GPT's kind (`tests/golden/openai_gpt.py`), fine-tuned and used through the program.
#[test]
fn a_published_gpt_is_fine_tuned_and_predicts_what_its_run_predicted() {
    let place = Workplace::new();
    let checkpoint = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/openai_gpt");
    let model = format!("gpt: {{checkpoint: {checkpoint}}}");
    let experiment = TINY.replace("[1e-3, 5e-4]", "[1e-3]").replace("[wnli, rte]", "[rte]");
    let small = "small: {architecture: {layers: 1, hidden: 16, heads: 2, max_positions: 64}}";
    place.write("tiny.yaml", &experiment.replace(small, &model));
    place.run(&["run", "tiny.yaml"]).ok();
    let kept = model_of(&place, "rte");
    for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
        assert!(kept.join(name).is_file(), "{name}");
    }
    let config = parse(&fs::read_to_string(kept.join("config.json")).unwrap());
    assert_eq!((&config["model_type"], &config["vocab_size"]), (&"openai-gpt".into(), &303.into()));
    let run = kept.parent().unwrap();
    let record = parse(&fs::read_to_string(run.join("record.json")).unwrap());
    let noted = "the start, delimiter and classification tokens were initialised at random";
    assert!(record["notes"].to_string().contains(noted), "{record:#}");
    let input = dev("RTE", "dev");
    place.run(&["predict", kept.to_str().unwrap(), "--task", "rte", "--input", &input, "--output", "out.tsv"]).ok();
    let theirs = fs::read_to_string(run.join("predictions-dev.tsv")).unwrap();
    assert_eq!(column(&place.read("out.tsv"), "prediction"), column(&theirs, "prediction"));
}
