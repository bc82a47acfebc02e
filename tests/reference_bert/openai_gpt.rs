//! The published GPT's model, tokenizer and fine-tuning against transformers (`tests/golden/openai_gpt.py`).

use std::path::{Path, PathBuf};

use bertbench::model::{Head, PackedInput, WantedHead, load_encoder, load_pretraining, load_to_train};
use bertbench::settings::Optimizer;
use bertbench::task::Task;
use bertbench::text::{FeatureSet, ModelTokenizer, SkippedRows, TextPair, Tokenizer, vocabulary_file};
use bertbench::train::{TrainingData, fit};
use burn::tensor::Device;
use serde_json::Value;

use super::golden::{numbers, read_tensors};
use super::measured::{Of, hold, largest_difference};
use super::training::{Losses, settings_of};

/// Of states of up to 5, and of the loss.
const FORWARD: f64 = 1e-4;
/// Of the first loss.
const CURVE: f64 = 1e-3;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn expected(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder(name).join("expected.json")).unwrap()).unwrap()
}

fn tokenizer(folder: &Path) -> Tokenizer {
    let read = ModelTokenizer::read(folder, &vocabulary_file(folder), None).unwrap();
    assert!(read.lower_case && read.vocabulary.is_byte_pair());
    Tokenizer::new(&read.vocabulary, read.lower_case).unwrap()
}

fn packed(sequences: &[Vec<u32>]) -> PackedInput {
    let ids = sequences.concat();
    let positions: Vec<u32> = sequences.iter().flat_map(|row| 0..row.len() as u32).collect();
    let ends = sequences.iter().scan(0, |sum, row| {
        *sum += row.len() as u32;
        Some(*sum)
    });
    let offsets: Vec<u32> = std::iter::once(0).chain(ends).collect();
    PackedInput::new(&ids, &positions, &vec![0; ids.len()], &offsets, &Device::flex())
}

#[test]
fn texts_have_the_ids_of_transformers() {
    let expected = expected("openai_gpt");
    let texts: Vec<String> = serde_json::from_value(expected["texts"].clone()).unwrap();
    let ids: Vec<Vec<u32>> = serde_json::from_value(expected["ids"].clone()).unwrap();
    let tokenizer = tokenizer(&folder("openai_gpt"));
    for (text, ids) in texts.iter().zip(&ids) {
        assert_eq!(&tokenizer.encode(text).unwrap(), ids, "{text:?}");
    }
    // 0 is `<unk>`; most are spelt.
    assert!(ids.concat().iter().filter(|id| **id == 0).count() > 20 && texts.len() > 100);
    // A single text begins and ends with tokens that fine-tuning adds, and a pair has one between.
    let pair = |second| TextPair { first: "nine", second, label: 0.0 };
    let set = FeatureSet::build(&tokenizer, &[pair(None), pair(Some("Rain."))], 32, SkippedRows::default()).unwrap();
    let [nine, rain] = ["nine", "Rain."].map(|text| tokenizer.encode(text).unwrap());
    assert_eq!(set.example(0).ids, [vec![300], nine.clone(), vec![302]].concat());
    assert_eq!(set.example(1).ids, [vec![300], nine, vec![301], rain, vec![302]].concat());
}

#[test]
fn a_tokenizer_json_of_the_same_model_gives_the_same_ids() {
    let (from, into) = (folder("openai_gpt"), tempfile::tempdir().unwrap());
    let vocab: Value = serde_json::from_slice(&std::fs::read(from.join("vocab.json")).unwrap()).unwrap();
    let merges = std::fs::read_to_string(from.join("merges.txt")).unwrap();
    let merges: Vec<&str> = merges.lines().skip(1).collect();
    let json = serde_json::json!({
        "normalizer": {"type": "BertNormalizer", "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "BPE", "unk_token": "<unk>", "end_of_word_suffix": "</w>", "vocab": vocab, "merges": merges},
    });
    std::fs::write(into.path().join("tokenizer.json"), json.to_string()).unwrap();
    let (one, other) = (tokenizer(&from), tokenizer(into.path()));
    let text = "The ferry leaves at nine, naïvely; 中文.";
    assert_eq!(one.encode(text).unwrap(), other.encode(text).unwrap());
    assert_eq!(one.special(), other.special());
}

#[test]
fn states_and_the_loss_of_the_next_token_are_those_of_transformers() {
    let expected = expected("openai_gpt");
    let sequences: Vec<Vec<u32>> = serde_json::from_value(expected["sequences"].clone()).unwrap();
    let input = packed(&sequences);
    let loaded = load_encoder(&folder("openai_gpt"), 1, &Device::flex()).unwrap();
    assert_eq!(loaded.notes, ["the start, delimiter and classification tokens were initialised at random"]);
    assert_eq!(loaded.config.architecture.vocab_size, 303);
    let states = read_tensors(&folder("openai_gpt").join("forward.safetensors"));
    let found = loaded.model.hidden_states(&input, None);
    assert_eq!(found.len(), states.len());
    for (layer, state) in found.into_iter().enumerate() {
        let largest = largest_difference(&numbers(state), &states[&format!("hidden.{layer}")]);
        hold("openai_gpt", &format!("state {layer}"), Of::Absolute, FORWARD, largest);
    }
    let model = load_pretraining(&folder("openai_gpt"), false, 1, &Device::flex()).unwrap().model;
    let (mut rows, mut next, mut first) = (Vec::new(), Vec::<u32>::new(), 0);
    for sequence in &sequences {
        rows.extend(first..first + sequence.len() as u32 - 1);
        next.extend(&sequence[1..]);
        first += sequence.len() as u32;
    }
    let states = model.states(&input, &rows, None).predictions.unwrap();
    let (table, bias) = (model.encoder.words().val(), model.tokens.decoder_bias.val());
    let logits = numbers(burn::tensor::module::linear(states, table.transpose(), Some(bias)));
    // The published vocabulary alone: a language model has no tokens of fine-tuning.
    let losses = logits
        .chunks(300)
        .zip(&next)
        .map(|(row, next)| row.iter().map(|logit| logit.exp()).sum::<f64>().ln() - row[*next as usize]);
    let loss = losses.sum::<f64>() / next.len() as f64;
    hold(
        "openai_gpt",
        "loss of the next token",
        Of::Absolute,
        FORWARD,
        (loss - expected["loss"].as_f64().unwrap()).abs(),
    );
}

#[test]
fn a_hundred_steps_of_fine_tuning_follow_the_loss_curve_of_pytorch() {
    let expected = expected("openai_gpt_tuning");
    let ids: Vec<Vec<u32>> = serde_json::from_value(expected["ids"].clone()).unwrap();
    let segments: Vec<Vec<u8>> = ids.iter().map(|row| vec![0; row.len()]).collect();
    let labels: Vec<f32> = serde_json::from_value(expected["labels"].clone()).unwrap();
    let train = FeatureSet::from_examples(&ids, &segments, labels, SkippedRows::default());
    let device = Device::flex();
    let folder = folder("openai_gpt_tuning");
    let wanted =
        WantedHead { kind: Head::Classes, names: &["entailment", "not_entailment"], outputs: 2, next_token: false };
    let loaded = load_to_train(&folder, wanted, None, 1, &device.clone().autodiff()).unwrap();
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    let number = |key: &str| expected[key].as_f64().unwrap();
    let settings = settings_of(loaded.config.architecture, &number, Optimizer::AdamW {}, number("epsilon"));
    let data = TrainingData { task: Task::find("rte").unwrap(), train: &train, dev: &[], tags: &[] };
    let mut losses = Losses(Vec::new());
    fit(loaded.model, &settings, data, &device, &mut losses, None).unwrap();
    let theirs: Vec<f64> = serde_json::from_value(expected["losses"].clone()).unwrap();
    assert_eq!(losses.0.len(), 100);
    let largest = largest_difference(&losses.0, &theirs) / theirs[0];
    hold("openai_gpt", "loss of each of 100 steps, adamw", Of::Relative, CURVE, largest);
}
