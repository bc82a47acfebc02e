//! Answers to whole texts against PyTorch (`tests/golden/text_pooler.py`), and on disk.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

use super::tests::{Named, assert_close, check_gradients, lstm, matrix};
use super::*;
use crate::kernel::comparison::numbers;
use crate::kernel::{Packing, cross_entropy, indices, mean_squared_error};
use crate::model::linear::Linear;
use crate::model::{Classifier, Config, Head, load_trained_classifier, random_classifier, save_classifier};
use crate::settings::{Approach, EncoderType, Layers};
use crate::store::{ModelUsage, example};

fn golden() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/text_pooler.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Those whose names begin with `prefix`, without it.
fn part(weights: &Named, prefix: &str) -> Named {
    weights.iter().filter_map(|(name, of)| Some((name.strip_prefix(prefix)?.to_owned(), of.clone()))).collect()
}

fn linear(weights: &Named, name: &str, device: &Device) -> Linear {
    let bias = weights[&format!("{name}.bias")].clone();
    let weight = weights[&format!("{name}.weight")].clone();
    let columns = weight.len() / bias.len();
    let outputs = bias.len();
    Linear {
        weight: Param::from_tensor(matrix(weight, columns, device).transpose()),
        bias: Param::from_tensor(Tensor::from_data(TensorData::new(bias, [outputs]), device)),
    }
}

#[test]
fn answers_losses_and_gradients_are_those_of_pytorch() {
    let (golden, device) = (golden(), Device::flex().autodiff());
    let hidden = golden["hidden"].as_u64().unwrap() as usize;
    let offsets: Vec<u32> = serde_json::from_value(golden["offsets"].clone()).unwrap();
    let packing = Packing::new(&offsets, &device);
    for (name, pairs, attention) in
        [("texts", false, false), ("pairs", true, false), ("attention", true, true), ("score", true, true)]
    {
        let case = &golden[name];
        let of = |key: &str| -> Vec<f32> { serde_json::from_value(case[key].clone()).unwrap() };
        let named = |key: &str| -> Named { serde_json::from_value(case[key].clone()).unwrap() };
        let weights = named("weights");
        let first = lstm(&part(&weights, "lstm."), hidden, 2, &device);
        let second = attention.then(|| lstm(&part(&weights, "attention."), hidden, 1, &device));
        let pooler = TextPooler { pairs, attention: second, dense: linear(&weights, "dense", &device) };
        let head = linear(&weights, "head", &device);

        let inputs = of("inputs");
        let x = matrix(inputs.clone(), inputs.len() / offsets[offsets.len() - 1] as usize, &device).require_grad();
        let states = first.forward(x.clone(), &packing, None);
        let logits = head.forward(pooler.forward(states, &packing, None));
        assert_close(&format!("{name}: logits"), &numbers(logits.clone().inner()), &of("logits"));
        let labels = of("labels");
        let loss = if name == "score" {
            let targets = Tensor::<1>::from_data(TensorData::new(labels.clone(), [labels.len()]), &device);
            mean_squared_error(logits, targets)
        } else {
            cross_entropy(logits, indices(labels.iter().map(|label| *label as u32), &device))
        };
        let expected = case["loss"].as_f64().unwrap();
        let found = f64::from(loss.clone().into_scalar::<f32>());
        assert!((found - expected).abs() < 1e-5 * expected.max(1.0), "{name}: {found} {expected}");

        let (gradients, expected) = (loss.backward(), named("gradients"));
        assert_close(&format!("{name}: inputs"), &numbers(x.grad(&gradients).unwrap()), &expected["inputs"]);
        check_gradients(&first, &gradients, &expected, "lstm.");
        if let Some(second) = &pooler.attention {
            check_gradients(second, &gradients, &expected, "attention.");
        }
        for (part, linear) in [("dense", &pooler.dense), ("head", &head)] {
            let weight = linear.weight.val().grad(&gradients).unwrap().transpose();
            assert_close(&format!("{name}: {part}"), &numbers(weight), &expected[&format!("{part}.weight")]);
            let bias = linear.bias.val().grad(&gradients).unwrap();
            assert_close(&format!("{name}: {part}"), &numbers(bias), &expected[&format!("{part}.bias")]);
        }
    }
}

fn on_features(encoder: EncoderType, attention: bool, pairs: bool, device: &Device) -> Option<Classifier> {
    let model = random_classifier(&example::small(encoder), 3, 1, device);
    let of = FeatureBased { layers: Layers::SumWithEmbeddings, hidden: 6, lstm_layers: 2, attention };
    model.on_features(&of, pairs, 1, device)
}

/// Two pairs, or four texts.
fn logits(model: &Classifier, device: &Device) -> Tensor<2> {
    let (ids, positions) = ([3, 5, 7, 4, 6, 9, 11, 2], [0, 1, 2, 0, 1, 0, 0, 1]);
    model.forward(&PackedInput::new(&ids, &positions, &[0; 8], &[0, 3, 5, 6, 8], device), None)
}

#[test]
fn a_saved_model_of_whole_texts_is_loaded_to_the_last_bit() {
    let device = Device::flex();
    for encoder in [EncoderType::Bert, EncoderType::OpenaiGpt, EncoderType::Elmo, EncoderType::WordVectors] {
        for (pairs, attention) in [(false, false), (true, false), (true, true)] {
            let model = on_features(encoder, attention, pairs, &device).unwrap();
            assert_eq!(logits(&model, &device).dims(), [if pairs { 2 } else { 4 }, 3]);
            let settings = model.tagger.as_ref().unwrap().settings();
            assert_eq!((settings.attention, model.reads_texts_apart()), (attention, pairs));
            let usage = ModelUsage {
                task: None,
                max_length: 8,
                options: None,
                approach: Approach::FeatureBased(settings),
                both_orders: false,
            };
            let config = Config { usage: Some(usage), ..Config::from(example::small(encoder)) };
            let folder = tempfile::tempdir().unwrap();
            save_classifier(folder.path(), &model, &config, &["a", "b", "c"], 0.1, None).unwrap();
            let loaded = load_trained_classifier(folder.path(), Head::Classes, &device).unwrap();
            assert!(loaded.notes.is_empty(), "{encoder}: {:?}", loaded.notes);
            assert_eq!(loaded.model.tagger.as_ref().unwrap().settings(), settings, "{encoder}");
            assert_eq!(loaded.model.reads_texts_apart(), pairs, "{encoder}");
            let outputs = |model: &Classifier| numbers(logits(model, &device));
            assert_eq!(outputs(&loaded.model), outputs(&model), "{encoder}");

            let path = folder.path().join("config.json");
            let written = std::fs::read_to_string(&path).unwrap();
            assert!(written.contains("\"BertLstmForSequenceClassification\""), "{written}");
            std::fs::write(&path, written.replace("\"hidden\": 6", "\"hidden\": 5")).unwrap();
            let said = load_trained_classifier(folder.path(), Head::Classes, &device).unwrap_err().to_string();
            assert!(said.contains("tagger.lstm.weight_ih_l0"), "{said}");
        }
    }
}

/// What is drawn for one part does not depend on whether another is there.
#[test]
fn attention_is_drawn_apart_from_the_rest() {
    let device = Device::flex();
    let [with, without] = [true, false].map(|attention| on_features(EncoderType::Elmo, attention, true, &device));
    let (with, without) = (with.unwrap(), without.unwrap());
    let dense =
        |model: &Classifier| numbers(model.tagger.as_ref().unwrap().pooler.as_ref().unwrap().dense.weight.val());
    let lstm = |model: &Classifier| numbers(model.tagger.as_ref().unwrap().lstm.layers[1].recurrent.val());
    assert_eq!((dense(&with), lstm(&with)), (dense(&without), lstm(&without)));
    assert_ne!(numbers(logits(&with, &device)), numbers(logits(&without, &device)));
    assert_eq!(with.encoder.depth(), 2);
}
