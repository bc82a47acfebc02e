//! The decoder of masked language modelling with its loss: a matrix of as many columns as there are tokens.

use burn::tensor::{Tensor, TensorData, module::linear};

use super::cpu::{DECODED_ROWS, cross_entropy_rows};
#[cfg(feature = "cube")]
use super::cube;
use super::deferred::Deferred;
use super::fused;
use crate::settings::Precision;

/// How well a decoder knows the labels of states.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Σ −log p(label), in nats.
    pub loss: f64,
    /// How many labels are the likeliest token.
    pub right: u64,
}

/// What a decoder says about states.
#[derive(Debug)]
pub struct DecoderLoss {
    /// How well it knows their labels.
    pub found: Deferred<Decoded>,
    /// The gradients of the mean loss over a number of predictions, when they were asked for.
    pub gradients: Option<DecoderGradients>,
}

/// With respect to what a decoder reads.
#[derive(Debug)]
pub struct DecoderGradients {
    /// `[predictions, hidden]`
    pub states: Tensor<2>,
    /// `[vocab_size, hidden]`
    pub table: Tensor<2>,
    /// `[vocab_size]`
    pub bias: Tensor<1>,
}

/// The cross-entropy of softmax(h Eᵀ + b) for `states` h `[predictions, hidden]`, `table` E `[vocab_size, hidden]`
/// and `bias` b, all without autodiff, with one of `labels` for each state; with the gradients of its sum divided by
/// `mean_over`, if that is given. On a GPU the operands of the products are rounded to `precision`; on the CPU they stay in
/// f32.
///
/// # Panics
/// When there is not a label for every state, or it is no row of the table.
#[must_use]
pub fn decoder_loss(
    states: &Tensor<2>,
    table: &Tensor<2>,
    bias: &Tensor<1>,
    labels: &[u32],
    mean_over: Option<usize>,
    precision: Precision,
) -> DecoderLoss {
    assert_eq!(states.dims()[0], labels.len(), "a label for every state");
    let scale = mean_over.map(|whole| 1.0 / whole.max(1) as f32);
    if fused::is_cpu(&table.device()) {
        return fused::decoder_loss(states, table, bias, labels, scale);
    }
    #[cfg(feature = "cube")]
    if super::is_gpu(&table.device()) {
        return cube::decoder_loss(states, table, bias, labels, scale, precision);
    }
    #[cfg(not(feature = "cube"))]
    let _ = precision;
    composed(states, table, bias, labels, scale)
}

/// [`decoder_loss`] of burn's own products, for devices without fused kernels; the loss itself is computed on the
/// processor.
pub(super) fn composed(
    states: &Tensor<2>,
    table: &Tensor<2>,
    bias: &Tensor<1>,
    labels: &[u32],
    scale: Option<f32>,
) -> DecoderLoss {
    let [vocabulary, _] = table.dims();
    let (mut loss, mut right) = (0.0, 0);
    let mut parts: Vec<Tensor<2>> = Vec::new();
    let mut sums: Option<(Tensor<2>, Tensor<1>)> = None;
    for (number, labels) in labels.chunks(DECODED_ROWS).enumerate() {
        let rows = number * DECODED_ROWS..number * DECODED_ROWS + labels.len();
        let states = states.clone().slice_dim(0, rows);
        let logits = linear(states.clone(), table.clone().transpose(), Some(bias.clone()));
        let mut logits = match logits.into_data().convert::<f32>().try_into_vec::<f32>() {
            Ok(logits) => logits,
            Err(error) => unreachable!("they were made f32: {error:?}"),
        };
        let found = cross_entropy_rows(&mut logits, labels, scale);
        (loss, right) = (loss + found.0, right + found.1);
        if scale.is_some() {
            let arriving = Tensor::<2>::from_data(TensorData::new(logits, [labels.len(), vocabulary]), &table.device());
            parts.push(arriving.clone().matmul(table.clone()));
            let of_table = arriving.clone().transpose().matmul(states);
            let of_bias = arriving.sum_dim(0).reshape([vocabulary]);
            sums = Some(match sums {
                Some((table, bias)) => (table + of_table, bias + of_bias),
                None => (of_table, of_bias),
            });
        }
    }
    let gradients = sums.map(|(table, bias)| DecoderGradients { states: Tensor::cat(parts, 0), table, bias });
    DecoderLoss { found: Deferred::known(Decoded { loss, right }), gradients }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Int};

    use super::*;
    use crate::kernel::comparison::{assert_close, leaf, numbers};
    use crate::kernel::cpu::isa::forced::{pool, with_every_isa};
    use crate::kernel::cross_entropy;

    /// More states than are decoded at a time, against burn's autodiff.
    #[test]
    fn equals_the_composed_loss_and_its_gradients() {
        with_every_isa(|_| {
            let (predictions, vocabulary, hidden) = (2 * DECODED_ROWS + 37, 83, 24);
            let device = Device::flex().autodiff();
            let (states, table) =
                (leaf::<2>([predictions, hidden], 1, &device), leaf::<2>([vocabulary, hidden], 2, &device));
            let bias = leaf::<1>([vocabulary], 3, &device);
            let labels: Vec<u32> = (0..predictions as u32).map(|at| at * 7 % vocabulary as u32).collect();
            let indices: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
            let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [predictions]), &device);
            let composed =
                cross_entropy(linear(states.clone(), table.clone().transpose(), Some(bias.clone())), indices);
            let mut gradients = composed.backward();
            let mean = f64::from(composed.inner().into_scalar::<f32>());
            let [plain_states, plain_table] = [&states, &table].map(|tensor| tensor.clone().inner());
            let plain_bias = bias.clone().inner();
            let expected = [
                numbers(states.grad_remove(&mut gradients).unwrap()),
                numbers(table.grad_remove(&mut gradients).unwrap()),
                numbers(bias.grad_remove(&mut gradients).unwrap()),
            ];
            let scale = 1.0 / predictions as f32;
            for ours in [
                decoder_loss(&plain_states, &plain_table, &plain_bias, &labels, Some(predictions), Precision::F32),
                super::composed(&plain_states, &plain_table, &plain_bias, &labels, Some(scale)),
            ] {
                let loss = ours.found.wait().unwrap().loss;
                assert!((loss / predictions as f64 / mean - 1.0).abs() < 1e-5, "{loss} {mean}");
                let found = ours.gradients.unwrap();
                assert_close(&[numbers(found.states), numbers(found.table), numbers(found.bias)], &expected, 1e-5);
            }
            let compute =
                |mean_over| decoder_loss(&plain_states, &plain_table, &plain_bias, &labels, mean_over, Precision::F32);
            let (with, without) = (compute(Some(predictions)), compute(None));
            assert!(without.gradients.is_none());
            assert_eq!(without.found.wait(), with.found.wait());
        });
    }

    /// Larger than one task of a product, so that threads share the work.
    #[test]
    fn no_bit_depends_on_the_number_of_threads() {
        with_every_isa(|_| {
            let (predictions, vocabulary, hidden) = (DECODED_ROWS + 5, 4999, 96);
            let device = Device::flex();
            let (states, table) =
                (leaf::<2>([predictions, hidden], 1, &device), leaf::<2>([vocabulary, hidden], 2, &device));
            let bias = leaf::<1>([vocabulary], 3, &device);
            let labels: Vec<u32> = (0..predictions as u32).map(|at| at * 7 % vocabulary as u32).collect();
            let on = |threads: usize| {
                let found = pool(threads)
                    .install(|| decoder_loss(&states, &table, &bias, &labels, Some(predictions), Precision::F32));
                let gradients = found.gradients.unwrap();
                let loss = found.found.wait().unwrap().loss;
                (loss.to_bits(), numbers(gradients.states), numbers(gradients.table), numbers(gradients.bias))
            };
            let alone = on(1);
            assert!(on(2) == alone && on(5) == alone);
        });
    }
}
