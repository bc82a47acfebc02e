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

    use super::*;
    use crate::kernel::comparison::{assert_close, leaf, numbers};

    #[test]
    fn texts_of_one_length_need_no_padding() {
        let device = Device::flex();
        let states: Tensor<2> = leaf([4, 3], 2, &device);
        let alone = |tokens: std::ops::Range<usize>| states.clone().slice_dim(0, tokens);
        let found = pair_attention(states.clone(), &Packing::new(&[0, 1, 2, 3, 4], &device));
        let expected = Tensor::cat(vec![alone(1..2), alone(0..1), alone(3..4), alone(2..3)], 0);
        assert_close(&[numbers(found)], &[numbers(expected)], 1e-6);
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
