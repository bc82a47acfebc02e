//! `bertbench pretrain --left-to-right`.

use serde_json::Value;

use super::{Place, err, succeeded};

#[test]
fn left_to_right_models_predict_the_next_token_and_are_started_from_as_such() {
    let place = Place::new();
    for (name, input) in [("next", "train"), ("next-held", "held")] {
        let options = "--format sentences --vocab-file vocab.txt --max-length 24 --dupe-factor 1 --segments single";
        succeeded(&place.run(&format!("corpus prepare --input {input}.txt {options} --causal-lm --out {name}")));
    }
    let train = "pretrain --corpus next --steps 40 --batch-size 16 --learning-rate 1e-3 --warmup-steps 4 --threads 2";
    let size = "--layers 2 --hidden 32 --heads 2 --max-positions 48";
    let first = place.run(&format!("{train} {size} --held-out next-held --left-to-right --out first"));
    succeeded(&first);
    assert!(err(&first).contains("held out, step 40: next tokens loss"), "{}", err(&first));
    let losses = |run: &str| -> Vec<f64> {
        let log = place.result(run).log;
        assert!(log.iter().all(|event| event.get("nsp_loss").is_none()));
        let steps = log.iter().filter(|event| event["event"] == "step");
        steps.map(|event| event["mlm_loss"].as_f64().unwrap()).collect()
    };
    let begun = losses("first");
    assert!(begun[begun.len() - 1] < begun[0] - 0.3, "{begun:?}");
    let is_causal = |folder: &str| {
        let config: Value =
            serde_json::from_slice(&std::fs::read(place.path(folder).join("config.json")).unwrap()).unwrap();
        assert_eq!(config["is_decoder"], true, "{config}");
        config["architectures"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(is_causal("first/model"), "BertLMHeadModel");

    // It goes on from there, head and all, and converts.
    let further = place.run(&format!("{train} --init-checkpoint first/model --left-to-right --out further"));
    succeeded(&further);
    assert!(!err(&further).contains("random"), "{}", err(&further));
    assert!(losses("further")[0] < begun[0] - 0.3, "{:?}", losses("further"));
    succeeded(&place.run("convert first/model converted --to hf"));
    assert_eq!(is_causal("converted"), "BertLMHeadModel");

    // An experiment fine-tunes it from left to right.
    let experiment = "experiment: ltr\nmini: {seed: 1}\nmodels: {ltr: {checkpoint: first/model}}\ntasks: [wnli]\n\
                      sweep: {batch_size: [16], learning_rate: [1e-3], epochs: [1]}\nseeds: [1]\n\
                      training: {max_length: 24}\ndevice: cpu\n";
    std::fs::write(place.path("ltr.yaml"), experiment).unwrap();
    succeeded(&place.run("run ltr.yaml"));
    let mut runs = std::fs::read_dir(place.path("runs/ltr/wnli/ltr")).unwrap().map(|run| run.unwrap().path());
    let run = runs.next().unwrap();
    let record: Value = serde_json::from_slice(&std::fs::read(run.join("record.json")).unwrap()).unwrap();
    assert_eq!(record["settings"]["architecture"]["causal"], true);
    assert_eq!(is_causal(run.join("model").to_str().unwrap()), "BertForSequenceClassification");
}

#[test]
fn objective_corpus_and_model_read_in_one_direction() {
    let place = Place::new();
    let input = "--input train.txt --format sentences --vocab-file vocab.txt --max-length 24 --dupe-factor 1";
    succeeded(&place.run(&format!("corpus prepare {input} --out next --causal-lm")));
    let size = "--layers 1 --hidden 16 --heads 2 --max-positions 24";
    let refused = |line: &str, said: &[&str]| {
        let output = place.run(&format!("pretrain --steps 2 --batch-size 4 --warmup-steps 1 {line} --out x"));
        assert_eq!(output.status.code(), Some(2), "{line}: {}", err(&output));
        for said in said {
            assert!(err(&output).contains(said), "{line}: {}", err(&output));
        }
    };
    for objective in ["", "--no-nsp"] {
        refused(
            &format!("--corpus next {size} {objective}"),
            &["next", "which a left-to-right model predicts", "--left-to-right"],
        );
    }
    refused(&format!("--corpus short {size} --left-to-right"), &["short", "masks tokens", "with `--causal-lm`"]);
    refused(
        &format!("--corpus next --held-out held {size} --left-to-right"),
        &["held", "masks tokens", "with `--causal-lm`"],
    );
    let start = |options: &str, out: &str| {
        succeeded(&place.run(&format!("pretrain --steps 2 --batch-size 4 --warmup-steps 1 {options} --out {out}")));
    };
    start(&format!("--corpus short {size}"), "both");
    // Left to right with the other objective's switch is left to right.
    start(&format!("--corpus next {size} --left-to-right --no-nsp"), "left");
    refused(
        "--corpus next --init-checkpoint both/model --left-to-right",
        &["reads in both directions", "random weights or from a left-to-right model", "is_decoder"],
    );
    refused(
        "--corpus short --init-checkpoint left/model --no-nsp",
        &["the model reads from left to right", "`--left-to-right`"],
    );
    assert!(!place.path("x").exists(), "nothing was written");
}
