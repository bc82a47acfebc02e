//! Losses, averaged over a batch.

use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Mean of `−log softmax(logits)[label]`. `[batch, classes]`, `[batch]` → `[1]`, in nats.
#[must_use]
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).mean().neg()
}

/// Mean of (prediction − target)². `[batch, 1]`, `[batch]` → `[1]`.
#[must_use]
pub fn mean_squared_error(predictions: Tensor<2>, targets: Tensor<1>) -> Tensor<1> {
    let difference = predictions - targets.unsqueeze_dim(1);
    (difference.clone() * difference).mean()
}
