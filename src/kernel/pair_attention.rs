//! Attention from each text of a pair to the other one, over the offsets of a packed batch.

use burn::tensor::{Tensor, activation::softmax};

use super::Packing;

/// For each token, the states of its pair's other text, weighted by the softmax of their dot products with its own state:
/// `[tokens, width] → [tokens, width]`. Sequences 2i and 2i + 1 of the batch are a pair. Pads inside.
///
/// Without a scale, as in the baselines of Wang et al. 2018 ("GLUE").
///
/// # Panics
/// When the number of sequences is odd.
#[must_use]
pub fn pair_attention(states: Tensor<2>, packing: &Packing) -> Tensor<2> {
    let (batch, longest, [_, width]) = (packing.batch(), packing.longest(), states.dims());
    let own = packing.pad(states).reshape([batch, longest, width]);
    let other = other_texts(own.clone());
    let scores = packing.mask_keys_of(own.matmul(other.clone().swap_dims(1, 2)), other_texts);
    packing.pack(softmax(scores, 2).matmul(other).reshape([batch * longest, width]))
}

/// The two texts of each pair in each other's places: `[batch, rows, columns] → [batch, rows, columns]`
fn other_texts(texts: Tensor<3>) -> Tensor<3> {
    let [batch, rows, columns] = texts.dims();
    assert!(batch.is_multiple_of(2), "texts in pairs");
    let pairs = texts.reshape([batch / 2, 2, rows * columns]);
    let [first, second] = [0, 1].map(|text| pairs.clone().slice_dim(1, text..text + 1));
    Tensor::cat(vec![second, first], 1).reshape([batch, rows, columns])
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::super::comparison::{assert_close, leaf};
    use super::*;

    const WIDTH: usize = 3;
    /// Two pairs: texts of two and four tokens, and of three and one.
    const OFFSETS: [u32; 5] = [0, 2, 6, 9, 10];

    fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    /// Row by row, in f64.
    fn by_hand(states: &[f32]) -> Vec<f32> {
        let row = |token: usize| &states[token * WIDTH..][..WIDTH];
        let texts: Vec<_> = OFFSETS.windows(2).map(|text| text[0] as usize..text[1] as usize).collect();
        let mut all = Vec::new();
        for (text, own) in texts.iter().enumerate() {
            for token in own.clone() {
                let other = texts[text ^ 1].clone();
                let dot = |key: usize| -> f64 {
                    row(token).iter().zip(row(key)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                };
                let weights: Vec<f64> = other.clone().map(|key| dot(key).exp()).collect();
                let sum: f64 = weights.iter().sum();
                all.extend((0..WIDTH).map(|column| {
                    let values = other.clone().zip(&weights).map(|(key, weight)| weight * f64::from(row(key)[column]));
                    (values.sum::<f64>() / sum) as f32
                }));
            }
        }
        all
    }

    #[test]
    fn each_token_sees_the_other_text_of_its_pair_and_no_other() {
        let device = Device::flex();
        let states: Tensor<2> = leaf([10, WIDTH], 1, &device.clone().autodiff()).inner();
        let found = pair_attention(states.clone(), &Packing::new(&OFFSETS, &device));
        assert_close(&[numbers(found)], &[by_hand(&numbers(states))], 1e-6);
    }

    #[test]
    fn texts_of_one_length_need_no_padding() {
        let device = Device::flex();
        let states: Tensor<2> = leaf([4, WIDTH], 2, &device.clone().autodiff()).inner();
        let alone = |tokens: std::ops::Range<usize>| states.clone().slice_dim(0, tokens);
        let found = pair_attention(states.clone(), &Packing::new(&[0, 1, 2, 3, 4], &device));
        let expected = Tensor::cat(vec![alone(1..2), alone(0..1), alone(3..4), alone(2..3)], 0);
        assert_close(&[numbers(found)], &[numbers(expected)], 1e-6);
    }

    /// Of attention and of max pooling over what it gives.
    #[test]
    fn gradients_are_those_of_finite_differences() {
        let device = Device::flex().autodiff();
        let packing = Packing::new(&OFFSETS, &device);
        let states: Tensor<2> = leaf([10, WIDTH], 3, &device);
        let weights: Tensor<2> = leaf([4, WIDTH], 4, &device).detach();
        let loss = |states: Tensor<2>| {
            (packing.max_tokens(pair_attention(states.clone(), &packing) + states) * weights.clone()).sum()
        };
        let mut gradients = loss(states.clone()).backward();
        let found = numbers(states.grad_remove(&mut gradients).unwrap());
        let (at_rest, step) = (numbers(states.inner()), 1e-3f32);
        for at in 0..at_rest.len() {
            let [high, low] = [step, -step].map(|by| {
                let mut moved = at_rest.clone();
                moved[at] += by;
                let moved = Tensor::from_data(TensorData::new(moved, [10, WIDTH]), &device);
                f64::from(loss(moved).into_scalar::<f32>())
            });
            let slope = (high - low) / f64::from(2.0 * step);
            assert!((slope - f64::from(found[at])).abs() < 2e-3, "{at}: {slope} {}", found[at]);
        }
    }

    #[test]
    fn the_largest_of_each_column_is_of_the_sequence_even_when_all_are_negative() {
        let device = Device::flex();
        let rows = vec![-3f32, -8.0, -2.0, -9.0, 5.0, 5.0, -7.0, -1.0];
        let rows = Tensor::<2>::from_data(TensorData::new(rows, [4, 2]), &device);
        let of = |offsets: &[u32]| numbers(Packing::new(offsets, &device).max_tokens(rows.clone()));
        assert_eq!(of(&[0, 2, 3, 4]), [-2.0, -8.0, 5.0, 5.0, -7.0, -1.0]);
        assert_eq!(of(&[0, 2, 4]), [-2.0, -8.0, 5.0, 5.0]);
    }
}
