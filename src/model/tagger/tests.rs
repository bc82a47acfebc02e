//! Against PyTorch's `nn.LSTM` (`tests/golden/bilstm.py`), on disk, and in a classifier.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde_json::Value;

use super::*;
use crate::kernel::Packing;
use crate::kernel::comparison::numbers;
use crate::model::linear::Linear;
use crate::model::{Classifier, Config, Head, load_trained_classifier, random_classifier, save_classifier};
use crate::random::Stream;
use crate::settings::{Approach, Layers};
use crate::store::{Architecture, ModelUsage, example};

pub(super) type Named = BTreeMap<String, Vec<f32>>;

fn golden() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bilstm.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(super) fn matrix(numbers: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let rows = numbers.len() / columns;
    Tensor::from_data(TensorData::new(numbers, [rows, columns]), device)
}

/// The golden LSTM of so many layers: both directions of a layer side by side, the biases added up.
pub(super) fn lstm(weights: &Named, hidden: usize, layers: usize, device: &Device) -> BiLstm {
    let (gates, of) = (4 * hidden, |name: String| weights[&name].clone());
    let layer = |index: usize| {
        let directions = ["", "_reverse"].map(|reverse| {
            let rows = of(format!("weight_ih_l{index}{reverse}"));
            let inputs = rows.len() / gates;
            let bias = of(format!("bias_ih_l{index}{reverse}"));
            let bias: Vec<f32> =
                bias.iter().zip(of(format!("bias_hh_l{index}{reverse}"))).map(|(a, b)| a + b).collect();
            (
                matrix(rows, inputs, device).transpose(),
                Tensor::<1>::from_data(TensorData::new(bias, [gates]), device),
                matrix(of(format!("weight_hh_l{index}{reverse}")), hidden, device).transpose(),
            )
        });
        let [(input, bias, recurrent), (back_input, back_bias, back_recurrent)] = directions;
        LstmLayer {
            input: Linear {
                weight: Param::from_tensor(Tensor::cat(vec![input, back_input], 1)),
                bias: Param::from_tensor(Tensor::cat(vec![bias, back_bias], 0)),
            },
            recurrent: Param::from_tensor(Tensor::stack(vec![recurrent, back_recurrent], 0)),
        }
    };
    BiLstm { layers: (0..layers).map(layer).collect() }
}

/// Differences of up to 1e-5 of the largest number: sums of a few dozen products in f32, where the reference is
/// in f64.
pub(super) fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1f32, |most, x| most.max(x.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-5 * largest, "{what} {at}: {found} where PyTorch has {expected}");
    }
}

#[test]
fn outputs_and_gradients_are_those_of_pytorch() {
    let (golden, device) = (golden(), Device::flex().autodiff());
    let of = |key: &str| -> Vec<f32> { serde_json::from_value(golden[key].clone()).unwrap() };
    let named = |key: &str| -> Named { serde_json::from_value(golden[key].clone()).unwrap() };
    let hidden = golden["hidden"].as_u64().unwrap() as usize;
    let offsets: Vec<u32> = serde_json::from_value(golden["offsets"].clone()).unwrap();
    let lstm = lstm(&named("weights"), hidden, 2, &device);
    let inputs = of("inputs").len() / offsets[4] as usize;
    let x = matrix(of("inputs"), inputs, &device).require_grad();
    let outputs = lstm.forward(x.clone(), &Packing::new(&offsets, &device), None);
    assert_close("outputs", &numbers(outputs.clone().inner()), &of("outputs"));

    let loss = (outputs * matrix(of("loss_weights"), 2 * hidden, &device)).sum();
    let (gradients, expected) = (loss.backward(), named("gradients"));
    assert_close("inputs", &numbers(x.grad(&gradients).unwrap()), &expected["inputs"]);
    check_gradients(&lstm, &gradients, &expected, "");
}

/// The gradients of an LSTM against the golden ones, whose names begin with `prefix`.
pub(super) fn check_gradients(lstm: &BiLstm, gradients: &Gradients, expected: &Named, prefix: &str) {
    for (index, layer) in lstm.layers.iter().enumerate() {
        let weight = layer.input.weight.val().grad(gradients).unwrap();
        let bias = layer.input.bias.val().grad(gradients).unwrap().unsqueeze_dim::<2>(0);
        let recurrent = layer.recurrent.val().grad(gradients).unwrap();
        let [_, hidden, gates] = recurrent.dims();
        for (direction, reverse) in ["", "_reverse"].into_iter().enumerate() {
            let columns = direction * gates..(direction + 1) * gates;
            let check = |what: &str, found: Tensor<2>| {
                let name = format!("{prefix}{what}_l{index}{reverse}");
                assert_close(&name, &numbers(found), &expected[&name]);
            };
            check("weight_ih", weight.clone().slice_dim(1, columns.clone()).transpose());
            check("bias_ih", bias.clone().slice_dim(1, columns));
            let recurrent = recurrent.clone().slice_dim(0, direction..direction + 1);
            check("weight_hh", recurrent.reshape([hidden, gates]).transpose());
        }
    }
}

const SMALL: Architecture = example::small_bert(4, 8);

fn tagging(layers: Layers, device: &Device) -> Classifier {
    let mut model = random_classifier(&SMALL, 3, 1, device);
    model.kind = Head::Tags;
    model.on_features(&FeatureBased { layers, hidden: 6, lstm_layers: 2, attention: false }, false, 1, device).unwrap()
}

fn batch(device: &Device) -> PackedInput {
    PackedInput::new(&[3, 5, 7, 4, 6, 9], &[0, 1, 2, 0, 1, 2], &[0; 6], &[0, 3, 6], device)
}

#[test]
fn a_saved_tagger_is_loaded_to_the_last_bit() {
    let device = Device::flex();
    for layers in [Layers::ConcatLastFour, Layers::SumAll] {
        let mut model = tagging(layers, &device);
        if let Some(Scalars { weights, gamma }) = model.tagger.as_mut().and_then(|t| t.mixture.scalars.as_mut()) {
            *weights = Param::from_tensor(Tensor::from_data([0.5, -0.25, 1.5, 0.125], &device));
            *gamma = Param::from_tensor(Tensor::from_data([1.75], &device));
        }
        let folder = tempfile::tempdir().unwrap();
        let usage =
            ModelUsage { task: None, max_length: 8, options: None, approach: Approach::FineTuning, both_orders: false };
        let config = Config { usage: Some(usage), ..Config::from(SMALL) };
        let tags = ["O", "B-X", "I-X"].map(str::to_owned);
        save_classifier(folder.path(), &model, &config, &tags, 0.1, None).unwrap();
        let loaded = load_trained_classifier(folder.path(), Head::Tags, &device).unwrap();
        assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
        let settings = loaded.model.tagger.as_ref().unwrap().settings();
        assert_eq!(settings, FeatureBased { layers, hidden: 6, lstm_layers: 2, attention: false });
        let outputs = |model: &Classifier| numbers(model.forward(&batch(&device), None));
        assert_eq!(outputs(&loaded.model), outputs(&model));

        let path = folder.path().join("config.json");
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.contains("\"BertLstmForTokenClassification\""), "{written}");
        for (from, to, finding) in [
            ("\"hidden\": 6", "\"hidden\": 5", "tagger.lstm.weight_ih_l0"),
            ("\"hidden\": 6", "\"hidden\": 0", "`bertbench` has an LSTM without width"),
            ("\"lstm_layers\": 2", "\"lstm_layers\": 3", "tagger.lstm.weight_ih_l2"),
            ("\"layers\": \"", "\"layers\": \"no_", "`bertbench` does not say how a model is used"),
        ] {
            std::fs::write(&path, written.replace(from, to)).unwrap();
            let said = load_trained_classifier(folder.path(), Head::Tags, &device).unwrap_err().to_string();
            assert!(said.contains(finding), "{said}");
        }
    }
}

#[test]
fn dropout_is_between_the_lstms_layers_and_before_the_head_and_not_in_the_encoder() {
    let device = Device::flex();
    let mut model = tagging(Layers::Last, &device);
    let dropout = Dropout::new(0.5, Stream::new(1, "dropout"), 3).unwrap();
    let outputs = |model: &Classifier, dropout| numbers(model.forward(&batch(&device), dropout));
    let hidden = |model: &Classifier, dropout| {
        numbers(model.tagger.as_ref().unwrap().forward(&*model.encoder, &batch(&device), dropout))
    };
    let again = outputs(&model, Some(&dropout));
    assert_eq!(again, outputs(&model, Some(&dropout)));
    assert_ne!(again, outputs(&model, None));
    assert_ne!(hidden(&model, Some(&dropout)), hidden(&model, None));
    // One layer has none before it.
    model.tagger.as_mut().unwrap().lstm.layers.truncate(1);
    assert_eq!(hidden(&model, Some(&dropout)), hidden(&model, None));
    assert_ne!(outputs(&model, Some(&dropout)), outputs(&model, None));
}
