//! The model, its gradients and its optimizer against transformers (tests/golden/bert.py).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, unreachable_pub, reason = "a test says what it skipped; its modules are its own")]

use std::path::PathBuf;

use bertbench::kernel::cross_entropy;
use bertbench::model::{Classifier, PackedInput, load_classifier};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::Value;

/// Hidden states, pooled outputs and logits are float32 sums of a few dozen terms of size one.
const ABSOLUTE: f64 = 1e-4;

struct Golden {
    expected: Value,
    folder: PathBuf,
}

impl Golden {
    fn open() -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bert");
        let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        Self { expected: serde_json::from_str(&text).unwrap(), folder }
    }

    fn rows(&self, key: &str) -> Vec<Vec<u32>> {
        serde_json::from_value(self.expected[key].clone()).unwrap()
    }

    fn input(&self, device: &Device) -> PackedInput {
        let (ids, segments) = (self.rows("ids"), self.rows("segments"));
        let mut offsets = vec![0u32];
        for row in &ids {
            offsets.push(offsets.last().unwrap() + row.len() as u32);
        }
        let positions: Vec<u32> = ids.iter().flat_map(|row| 0..row.len() as u32).collect();
        PackedInput::new(&ids.concat(), &positions, &segments.concat(), &offsets, device)
    }

    fn model(&self, device: &Device) -> Classifier {
        let loaded = load_classifier(&self.folder, 3, 1, device).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new());
        loaded.model
    }

    fn labels(&self, device: &Device) -> Tensor<1, Int> {
        let labels: Vec<i32> = serde_json::from_value(self.expected["labels"].clone()).unwrap();
        Tensor::from_data(TensorData::new(labels, [4]), device)
    }

    fn numbers(&self, key: &str) -> Vec<f64> {
        fn flatten(value: &Value, into: &mut Vec<f64>) {
            if let Value::Array(items) = value {
                for item in items {
                    flatten(item, into);
                }
            } else {
                into.push(value.as_f64().unwrap());
            }
        }
        let mut all = Vec::new();
        flatten(&self.expected[key], &mut all);
        all
    }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f32>().map(f64::from).collect()
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn forward_pass_equals_transformers_on_a_ragged_batch() {
    let (golden, device) = (Golden::open(), Device::flex());
    let (model, input) = (golden.model(&device), golden.input(&device));
    let states: Vec<f64> = model.bert.hidden_states(&input, None).into_iter().flat_map(numbers).collect();
    assert!(largest_difference(&states, &golden.numbers("hidden_states")) < ABSOLUTE);
    let pooled = model.bert.pool(model.bert.forward(&input, None), &input.packing);
    assert!(largest_difference(&numbers(pooled), &golden.numbers("pooled")) < ABSOLUTE);
    let logits = model.forward(&input, None);
    assert!(largest_difference(&numbers(logits.clone()), &golden.numbers("logits")) < ABSOLUTE);
    let loss = cross_entropy(logits, golden.labels(&device));
    assert!(largest_difference(&numbers(loss), &golden.numbers("loss")) < ABSOLUTE);
}

/// ‖ours − theirs‖ ≤ 1e-3 ‖theirs‖ for every parameter, and 1e-3 of the whole gradient's norm for
/// those whose gradient is zero but for rounding (the keys' biases).
#[test]
fn every_gradient_equals_transformers() {
    let (golden, device) = (Golden::open(), Device::flex().autodiff());
    let model = golden.model(&device);
    let loss = cross_entropy(model.forward(&golden.input(&device), None), golden.labels(&device));
    let gradients = loss.backward();
    // The gradients in the model's place: written out under the published names by the writer.
    let mut as_model = golden.model(&Device::flex());
    as_model = place_gradients(as_model, &model, gradients);
    let folder = tempfile::tempdir().unwrap();
    let config = bertbench::model::Config::read(&golden.folder).unwrap();
    let labels = bertbench::model::HeadLabels::Classes(&["a", "b", "c"]);
    bertbench::model::save_classifier(folder.path(), &as_model, &config, &labels, 0.0, None).unwrap();
    let (ours, theirs) =
        (tensors(&folder.path().join("model.safetensors")), tensors(&golden.folder.join("gradients.safetensors")));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    let whole = golden.numbers("gradient_norm")[0];
    for (name, theirs) in &theirs {
        let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        let difference = norm(&mut ours[name].iter().zip(theirs).map(|(a, b)| a - b));
        let scale = norm(&mut theirs.iter().copied()).max(1e-3 * whole);
        assert!(difference <= 1e-3 * scale, "{name}: {difference} of {scale}");
    }
}

fn tensors(path: &std::path::Path) -> std::collections::BTreeMap<String, Vec<f64>> {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |data: &[u8]| {
        data.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect::<Vec<f64>>()
    };
    file.tensors().into_iter().map(|(name, view)| (name, numbers(view.data()))).collect()
}

/// `into` with each parameter replaced by the gradient of the same parameter of `of`.
fn place_gradients(into: Classifier, of: &Classifier, gradients: burn::tensor::Gradients) -> Classifier {
    use burn::module::{ModuleMapper, ModuleVisitor, Param};
    struct Collect(burn::tensor::Gradients, Vec<TensorData>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            self.1.push(parameter.val().grad_remove(&mut self.0).unwrap().into_data());
        }
    }
    struct Place(std::vec::IntoIter<TensorData>);
    impl ModuleMapper for Place {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            Param::from_tensor(Tensor::from_data(self.0.next().unwrap(), &parameter.val().device()))
        }
    }
    let mut collect = Collect(gradients, Vec::new());
    of.visit(&mut collect);
    into.map(&mut Place(collect.1.into_iter()))
}

#[test]
fn a_written_model_reads_back_bit_for_bit_under_the_published_names() {
    let (golden, device) = (Golden::open(), Device::flex());
    let folder = tempfile::tempdir().unwrap();
    let config = bertbench::model::Config::read(&golden.folder).unwrap();
    let labels = bertbench::model::HeadLabels::Classes(&["a", "b", "c"]);
    bertbench::model::save_classifier(folder.path(), &golden.model(&device), &config, &labels, 0.1, None).unwrap();
    assert_eq!(tensors(&folder.path().join("model.safetensors")), tensors(&golden.folder.join("model.safetensors")));
    assert_eq!(bertbench::model::Config::read(folder.path()).unwrap(), config);
}
