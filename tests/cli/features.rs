//! Frozen encoders under an LSTM, on tasks about whole texts.

use serde_json::Value;

use super::program::Workplace;

/// Random embeddings, which tell words apart, and what learns from them.
const FROZEN: &str = "\
experiment: frozen
mini: {seed: 1}
models:
  attending:
    architecture: {layers: 1, hidden: 32, heads: 2, max_positions: 64}
    approach: {feature_based: {layers: embeddings, hidden: 16, lstm_layers: 1, attention: true}}
  plain:
    architecture: {layers: 1, hidden: 32, heads: 2, max_positions: 64}
    approach: {feature_based: {layers: embeddings, hidden: 16, lstm_layers: 1}}
tasks: [rte, sst2]
sweep: {batch_size: [16], learning_rate: [1e-2], epochs: [3]}
seeds: [1]
training: {max_length: 48, dropout: 0}
device: cpu
";

/// The record of the only run of `model` on `task`.
fn record(place: &Workplace, task: &str, model: &str) -> Value {
    let of = |bytes: &Vec<u8>| serde_json::from_slice::<Value>(bytes).unwrap();
    let mut records = place.records().values().map(of).collect::<Vec<_>>().into_iter();
    let is_it = |record: &Value| {
        record["settings"]["model"] == model && record["settings"]["objective"]["task"]["task"] == task
    };
    records.find(is_it).unwrap()
}

fn accuracy(record: &Value) -> f64 {
    let scores = record["scores"].as_array().unwrap();
    scores.iter().find(|score| score["metric"] == "accuracy").unwrap()["value"].as_f64().unwrap()
}

/// The answer that most examples have is right for 52 % of RTE, and for 51 % of SST-2.
#[test]
fn frozen_embeddings_under_an_lstm_learn_pairs_and_single_texts() {
    let place = Workplace::new();
    place.write("frozen.yaml", FROZEN);
    let only = ["--only", "task=rte", "--only", "task=sst2,model=plain"];
    place.run(&[&["run", "frozen.yaml", "--threads=1"], &only[..]].concat()).ok();
    for (task, model, least) in [("rte", "attending", 0.7), ("rte", "plain", 0.7), ("sst2", "plain", 0.6)] {
        let record = record(&place, task, model);
        let approach = &record["settings"]["objective"]["task"]["approach"]["feature_based"];
        assert_eq!(approach["attention"] == true, model == "attending", "{record}");
        assert!(accuracy(&record) > least, "{task} {model}: {}", accuracy(&record));
    }
    place.run(&["report", "frozen.yaml"]).ok();
    let page = place.read("reports/frozen/index.html");
    assert!(page.contains("feature-based: layers embeddings, BiLSTM of 1 layers, width 16, attention"));

    // What was kept predicts what the run predicted, wherever it is.
    let kept = place
        .files("runs")
        .into_iter()
        .find(|path| path.ends_with("model/model.safetensors") && path.display().to_string().contains("/rte/"));
    let folder = kept.unwrap().parent().unwrap().to_path_buf();
    let dev = "datasets/mini-1/RTE/dev.tsv";
    let arguments = ["predict", folder.to_str().unwrap(), "--task", "rte", "--input", dev, "--output", "answers.tsv"];
    place.run(&arguments).ok();
    let predicted = std::fs::read_to_string(folder.parent().unwrap().join("predictions-dev.tsv")).unwrap();
    let answers = |text: &str| -> Vec<String> {
        text.lines().skip(1).map(|line| line.split('\t').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(answers(&place.read("answers.tsv")), answers(&predicted));
}
