//! The LSTM and ELMo against PyTorch's `nn.LSTM` (`tests/golden/recurrent.py`).

use burn::tensor::Device;

use super::golden::{Case, numbers, packed};
use super::measured::{Of, hold, largest_difference, relative_difference};

/// Of states below 1, and of logits below 10.
const FORWARD: f64 = 1e-5;
/// ‖ours − theirs‖ / ‖theirs‖ of a parameter's gradient.
const GRADIENT: f64 = 1e-5;

#[test]
fn states_and_gradients_are_those_of_nn_lstm() {
    for name in ["lstm", "elmo"] {
        let (case, device) = (Case::small(name), Device::flex().autodiff());
        let (model, (input, labels)) = (case.model(&device), packed(&case.ragged(), &device));
        let theirs = case.tensors("forward.safetensors");
        for (layer, state) in model.encoder.hidden_states(&input, None).into_iter().enumerate() {
            let largest = largest_difference(&numbers(state), &theirs[&format!("hidden.{layer}")]);
            hold(name, &format!("state {layer}"), Of::Absolute, FORWARD, largest);
        }
        let largest = largest_difference(&numbers(model.forward(&input, None)), &theirs["logits"]);
        hold(name, "logits", Of::Absolute, FORWARD, largest);
        let loss = case.loss(&model, &input, &labels, &device);
        let ours = case.named_gradients(&model, loss.backward());
        let mut theirs = case.tensors("gradients.safetensors");
        // Two biases of a gate have one gradient; ours is one bias.
        theirs.retain(|name, _| !name.contains("bias_hh"));
        assert!(theirs.len() > 8);
        for (parameter, theirs) in &theirs {
            let largest = relative_difference(&ours[parameter], theirs, 1e-3);
            hold(name, &format!("gradient of {parameter}"), Of::Relative, GRADIENT, largest);
        }
    }
}
