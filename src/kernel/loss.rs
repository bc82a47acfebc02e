//! Losses, averaged over a batch.

use burn::tensor::{Int, Tensor, activation::log_softmax};

use super::indices::indices;
use super::packing::Packing;

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

/// Mean cross-entropy of the start and of the end of an answer over the tokens of its sequence.
/// `[tokens, 2]`, and two tokens of each sequence → `[1]`, in nats.
///
/// As in google-research/bert's `run_squad.py`: both losses are averaged over the batch, and halved.
///
/// # Panics
/// When there are not two places per sequence.
#[must_use]
pub fn span_loss(outputs: Tensor<2>, packing: &Packing, spans: &[u32]) -> Tensor<1> {
    assert_eq!(spans.len(), 2 * packing.batch(), "a start and an end per sequence");
    let device = outputs.device();
    let [batch, longest] = [packing.batch(), packing.longest()];
    let padded = packing.pad(outputs);
    let losses = [0, 1].map(|side| {
        let scores = padded.clone().slice_dim(1, side..side + 1).reshape([batch, 1, 1, longest]);
        let scores = packing.mask_keys(scores).reshape([batch, longest]);
        cross_entropy(scores, indices(spans.iter().skip(side).step_by(2).copied(), &device))
    });
    let [start, end] = losses;
    (start + end).mul_scalar(0.5)
}

/// Mean cross-entropy of the tokens that have a class. `[tokens, classes]`, the rows of these tokens and their
/// classes → `[1]`, in nats; 0 when there are none.
#[must_use]
pub fn token_loss(outputs: Tensor<2>, rows: &[u32], classes: &[u32]) -> Tensor<1> {
    let device = outputs.device();
    if rows.is_empty() {
        return outputs.sum().mul_scalar(0.0);
    }
    let [rows, classes] = [rows, classes].map(|numbers| indices(numbers.iter().copied(), &device));
    cross_entropy(outputs.select(0, rows), classes)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn number(loss: Tensor<1>) -> f64 {
        f64::from(loss.into_scalar::<f32>())
    }

    #[test]
    fn a_span_is_scored_among_the_tokens_of_its_own_sequence() {
        let device = Device::flex();
        let outputs = [[1.0f32, -1.0], [0.5, 2.0], [3.0, 0.0], [-2.0, 1.0], [0.0, 0.25]];
        let packing = Packing::new(&[0, 3, 5], &device);
        let loss = number(span_loss(Tensor::from_data(outputs, &device), &packing, &[1, 2, 0, 1]));
        // In f64, sequence by sequence.
        let side = |side: usize, rows: &[usize], gold: usize| {
            let scores: Vec<f64> = rows.iter().map(|&row| f64::from(outputs[row][side])).collect();
            scores.iter().map(|score| score.exp()).sum::<f64>().ln() - scores[gold]
        };
        let expected =
            (side(0, &[0, 1, 2], 1) + side(0, &[3, 4], 0) + side(1, &[0, 1, 2], 2) + side(1, &[3, 4], 1)) / 4.0;
        assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
        // Sequences of one length are not padded.
        let packing = Packing::new(&[0, 2, 4], &device);
        let outputs: Tensor<2> = Tensor::from_data([[0.0f32, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], &device);
        let loss = number(span_loss(outputs, &packing, &[0, 1, 1, 1]));
        assert!((loss - std::f64::consts::LN_2).abs() < 1e-6);
    }

    #[test]
    fn only_tokens_with_a_class_count() {
        let device = Device::flex();
        let outputs = || Tensor::from_data([[9.0f32, 0.0], [0.0, 0.0], [7.0, -7.0], [0.0, 1.0]], &device);
        let loss = number(token_loss(outputs(), &[1, 3], &[0, 1]));
        let expected = f64::midpoint(std::f64::consts::LN_2, (1.0 + (-1.0f64).exp()).ln());
        assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
        assert!(number(token_loss(outputs(), &[], &[])).abs() < f64::EPSILON);
    }
}
