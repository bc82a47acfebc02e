//! States, outputs, loss and gradients on a ragged batch.

use burn::tensor::Device;

use super::golden::{Case, numbers, packed};
use super::measured::{Of, hold, largest_difference, nan_or_max, relative_difference};

/// Hidden states, pooled outputs and logits are float32 sums of hundreds of terms of size one.
const ABSOLUTE: f64 = 1e-4;
const RELATIVE: f64 = 1e-3;

#[test]
fn states_and_outputs_equal_transformers_on_ragged_batches() {
    let device = Device::flex();
    for case in Case::all() {
        let (model, (input, labels)) = (case.model(&device), packed(&case.ragged(), &device));
        let expected = case.tensors("forward.safetensors");
        let states = model.encoder.hidden_states(&input, None);
        assert_eq!(states.len(), expected.keys().filter(|name| name.starts_with("hidden.")).count());
        let differences = states
            .into_iter()
            .enumerate()
            .map(|(layer, state)| largest_difference(&numbers(state), &expected[&format!("hidden.{layer}")]));
        hold(&case.name, "hidden states of every layer", Of::Absolute, ABSOLUTE, differences.fold(0.0, nan_or_max));
        let pooled = numbers(model.encoder.pool(model.encoder.forward(&input, None), &input.packing));
        hold(&case.name, "pooled output", Of::Absolute, ABSOLUTE, largest_difference(&pooled, &expected["pooled"]));
        if case.has_head() {
            let logits = numbers(model.forward(&input, None));
            hold(&case.name, "logits", Of::Absolute, ABSOLUTE, largest_difference(&logits, &expected["logits"]));
        }
        let loss = numbers(case.loss(&model, &input, &labels, &device));
        let theirs = case.number("loss");
        hold(&case.name, "loss", Of::Relative, RELATIVE, (loss[0] - theirs).abs() / theirs);
    }
}

/// ‖ours − theirs‖ ≤ 1e-3 ‖theirs‖ for every parameter, and 1e-3 of the whole gradient's norm for
/// those whose gradient is zero but for rounding (the keys' biases).
#[test]
fn every_gradient_equals_transformers() {
    let device = Device::flex().autodiff();
    for case in Case::all() {
        let (model, (input, labels)) = (case.model(&device), packed(&case.ragged(), &device));
        let ours = case.named_gradients(&model, case.loss(&model, &input, &labels, &device).backward());
        let theirs = case.tensors("gradients.safetensors");
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        let floor = 1e-3 * case.number("gradient_norm");
        let largest = theirs.iter().map(|(name, theirs)| relative_difference(&ours[name], theirs, floor));
        hold(&case.name, "gradient of every parameter", Of::Relative, RELATIVE, largest.fold(0.0, nan_or_max));
    }
}
