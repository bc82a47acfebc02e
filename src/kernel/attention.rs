//! Multi-head self-attention over the offsets of a packed batch (Vaswani et al. 2017, §3.2).

use burn::tensor::{Tensor, activation::softmax};

use super::{AttentionHeads, Dropout, Packing};

/// softmax(Q Kᵀ / √d) V for each head, within each sequence, with dropout on the probabilities. Where `heads` are causal,
/// keys after the query have no probability.
///
/// `qkv` holds queries, keys and values side by side, each with its heads side by side:
/// `[tokens, 3 × hidden] → [tokens, hidden]`. Pads inside.
#[must_use]
pub fn attention(
    qkv: Tensor<2>,
    heads: AttentionHeads,
    packing: &Packing,
    dropout: Option<&Dropout>,
    dropout_site: u32,
) -> Tensor<2> {
    let [_, width] = qkv.dims();
    let hidden = width / 3;
    let AttentionHeads { number: heads, causal } = heads;
    let head_size = hidden / heads;
    let (batch, longest) = (packing.batch(), packing.longest());
    // [batch × longest, 3 × hidden] → [3, batch, heads, longest, head_size]
    let split = packing.pad(qkv).reshape([batch, longest, 3, heads, head_size]).permute([2, 0, 3, 1, 4]);
    let part = |which: usize| split.clone().slice_dim(0, which..which + 1).reshape([batch, heads, longest, head_size]);
    let (query, key, value) = (part(0), part(1), part(2));
    let scale = 1.0 / (head_size as f64).sqrt();
    let scores = query.mul_scalar(scale).matmul(key.swap_dims(2, 3));
    let scores = if causal { packing.mask_later_keys(scores) } else { packing.mask_keys(scores) };
    let mut probabilities = softmax(scores, 3);
    if let Some(dropout) = dropout {
        probabilities = dropout.apply_to_probabilities(probabilities, dropout_site, packing.offsets());
    }
    let context = probabilities.matmul(value).swap_dims(1, 2).reshape([batch * longest, hidden]);
    packing.pack(context)
}
