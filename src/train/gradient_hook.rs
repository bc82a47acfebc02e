//! Gradients as a backward pass finds them, the last layer's first: what is known is sent to other ranks while the rest is
//! computed.

use std::sync::mpsc::Sender;

use burn::tensor::Tensor;

use super::optimizer::{FlatGradients, weighted};

/// Gradients that nothing more is added to, each with the number of its parameter in the model's visiting order.
pub(super) type FoundGradients = Vec<(usize, Tensor<1>)>;

/// Is called by a pass with the gradients that it has found.
#[derive(Debug)]
pub(super) struct GradientHook(Option<Listener>);

#[derive(Debug)]
struct Listener {
    sender: Sender<FoundGradients>,
    /// The share of the pass in the gradients of the batch.
    weight: f64,
}

impl GradientHook {
    /// Nobody listens: a pass gives all its gradients when it ends.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Sends gradients × `weight`.
    pub(super) fn sending(sender: Sender<FoundGradients>, weight: f64) -> Self {
        Self(Some(Listener { sender, weight }))
    }

    /// Whether it is of use to find gradients early.
    pub(super) fn listens(&self) -> bool {
        self.0.is_some()
    }

    /// Takes `gradients` of the parameters from number `first` on, which are those that the pass gives; what is left is for
    /// the pass to give when it ends.
    pub(super) fn take(&self, first: usize, gradients: FlatGradients) -> FlatGradients {
        let Some(Listener { sender, weight }) = &self.0 else { return gradients };
        let left = gradients.iter().map(|_| None).collect();
        let gradients = (first..).zip(weighted(gradients, *weight));
        let found = gradients.filter_map(|(number, gradient)| Some((number, gradient?))).collect();
        // Who does not listen any more has failed, and says so itself.
        drop(sender.send(found));
        left
    }
}
