//! The committed excerpt of what transformers computes with all-MiniLM-L6-v2 and a random head.

use bertbench::model::{Classifier, Head, WantedHead, load_to_train};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use super::super::real_weights::minilm;
use super::golden::{Case, Tensors, classes, numbers, packed, read_tensors};
use super::measured::{Of, hold, largest_difference, nan_or_max, norm};

/// The case with the weights' folder as its own, and the model with the golden head.
fn open(device: &Device) -> Option<(Case, Tensors, Classifier)> {
    let weights = minilm()?;
    let mut case = Case::small("bert_minilm");
    let golden = read_tensors(&case.folder.join("forward.safetensors"));
    let outputs = case.outputs();
    let wanted = WantedHead { kind: Head::Classes, names: &[], outputs, next_token: false };
    let mut model = load_to_train(&weights, wanted, None, 1, device).unwrap().model;
    let hidden = golden["head.weight"].len() / outputs;
    let floats = |name: &str| golden[name].iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let weight = Tensor::<2>::from_data(TensorData::new(floats("head.weight"), [outputs, hidden]), device);
    let bias = Tensor::<1>::from_data(TensorData::new(floats("head.bias"), [outputs]), device);
    model.head.weight = Param::from_tensor(weight.transpose());
    model.head.bias = Param::from_tensor(bias);
    case.folder = weights;
    Some((case, golden, model))
}

#[test]
fn states_and_outputs_of_minilm_equal_transformers() {
    let device = Device::flex();
    let Some((case, golden, model)) = open(&device) else { return };
    let short: Vec<usize> = serde_json::from_value(case.expected["short"].clone()).unwrap();
    let (input, _) = packed(&case.examples(short), &device);
    let states = model.encoder.hidden_states(&input, None).into_iter().enumerate();
    let largest = states.map(|(layer, state)| largest_difference(&numbers(state), &golden[&format!("hidden.{layer}")]));
    hold(&case.name, "hidden states of two short sequences", Of::Absolute, 1e-4, largest.fold(0.0, nan_or_max));
    let (input, labels) = packed(&case.ragged(), &device);
    let pooled = numbers(model.encoder.pool(model.encoder.forward(&input, None), &input.packing));
    hold(&case.name, "pooled output", Of::Absolute, 1e-4, largest_difference(&pooled, &golden["pooled"]));
    let logits = numbers(model.forward(&input, None));
    hold(&case.name, "logits", Of::Absolute, 1e-4, largest_difference(&logits, &golden["logits"]));
    let (loss, theirs) = (numbers(case.loss(&model, &input, &labels, &device))[0], case.number("loss"));
    hold(&case.name, "loss", Of::Relative, 1e-3, (loss - theirs).abs() / theirs);
}

/// ±1 from the hash of the element's number, as in `tests/golden/bert.py`.
fn direction(which: u32, at: u32) -> f64 {
    let x = at.wrapping_mul(2_654_435_761).wrapping_add(which * 40_503);
    let x = (x ^ (x >> 15)).wrapping_mul(2_246_822_519);
    if (x >> 16) & 1 == 1 { 1.0 } else { -1.0 }
}

/// Every gradient's length, and its shadow on four fixed directions: a difference of 1e-3 of the gradient
/// in any place moves a shadow by about that much of it.
#[test]
fn gradients_of_minilm_have_the_norms_and_projections_of_transformers() {
    let device = Device::flex().autodiff();
    let Some((case, _, model)) = open(&device) else { return };
    let (input, labels) = packed(&case.ragged(), &device);
    let loss = bertbench::kernel::cross_entropy(model.forward(&input, None), classes(&labels, &device));
    let ours = case.named_gradients(&model, loss.backward());
    let theirs = case.expected["gradients"].as_object().unwrap();
    assert_eq!(ours.len(), theirs.len());
    let floor = 1e-3 * case.number("gradient_norm");
    let (mut norms, mut projections) = (0.0, 0.0);
    for (name, ours) in &ours {
        let length = theirs[name]["norm"].as_f64().unwrap();
        let scale = length.max(floor);
        norms = nan_or_max(norms, (norm(ours.iter().copied()) - length).abs() / scale);
        for (which, along) in theirs[name]["along"].as_array().unwrap().iter().enumerate() {
            let shadow: f64 = ours.iter().zip(0..).map(|(g, at)| g * direction(which as u32, at)).sum();
            projections = nan_or_max(projections, (shadow - along.as_f64().unwrap()).abs() / scale);
        }
    }
    hold(&case.name, "norm of every gradient", Of::Relative, 1e-3, norms);
    hold(&case.name, "projections of every gradient", Of::Relative, 1e-3, projections);
}
