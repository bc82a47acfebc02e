//! How the states of a sequence become one vector, in encoders without a layer for it.

use burn::tensor::{Tensor, TensorData};

use crate::kernel::Packing;
use crate::settings::Pooling;

/// `[tokens, width] → [batch, width]`. With [`Pooling::Ends`], the second half of a state is the direction from right to
/// left.
pub(super) fn pool(by: Pooling, hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
    match by {
        Pooling::Mean => mean_tokens(hidden, packing),
        Pooling::Last => packing.last_tokens(hidden),
        Pooling::Ends => {
            let half = hidden.dims()[1] / 2;
            let [forward, backward] = [hidden.clone().slice_dim(1, 0..half), hidden.slice_dim(1, half..2 * half)];
            Tensor::cat(vec![packing.last_tokens(forward), packing.first_tokens(backward)], 1)
        }
    }
}

/// The mean of each sequence's states, as a product with the matrix of shares: `[tokens, width] → [batch, width]`.
pub(super) fn mean_tokens(hidden: Tensor<2>, packing: &Packing) -> Tensor<2> {
    let (batch, [tokens, _]) = (packing.batch(), hidden.dims());
    let mut shares = vec![0f32; batch * tokens];
    for (sequence, pair) in packing.offsets().windows(2).enumerate() {
        let (first, end) = (pair[0] as usize, pair[1] as usize);
        shares[sequence * tokens + first..sequence * tokens + end].fill(1.0 / (end - first).max(1) as f32);
    }
    Tensor::<2>::from_data(TensorData::new(shares, [batch, tokens]), &hidden.device()).matmul(hidden)
}
