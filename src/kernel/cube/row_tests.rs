//! Layers of which some rows are read, on a GPU against the composed ones on the CPU.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::tests::{Layer, SITES, composed, gpu, run_layer};
use crate::kernel::comparison::assert_close;
use crate::kernel::{AttentionHeads, Dropout, EncoderLayer, LayerWeights, Packing, Precision, SequenceToken, indices};
use crate::random::Stream;

/// The rows that are read: a token of each sequence, or two of three.
#[derive(Clone, Copy, Debug)]
enum Read {
    Token(SequenceToken),
    Many,
}

const READ: [Read; 3] = [Read::Token(SequenceToken::First), Read::Token(SequenceToken::Last), Read::Many];

impl Read {
    fn rows(self, at: &Packing) -> Arc<[u32]> {
        match self {
            Self::Token(token) => at.rows_of(token),
            Self::Many => (0..*at.offsets().last().unwrap()).filter(|row| row % 3 != 1).collect(),
        }
    }
}

/// The states of `READ[OF]` alone.
fn fused_rows<const OF: usize>(
    rows: Tensor<2>,
    weights: LayerWeights,
    heads: AttentionHeads,
    packing: &Packing,
    dropout: Option<&Dropout>,
) -> Tensor<2> {
    let precision = Precision::F32;
    let layer = EncoderLayer { weights, form: heads.into(), packing, dropout, sites: SITES, precision };
    assert!(layer.form.is_fused_on(&rows.device()));
    layer.states_at(&READ[OF].rows(packing), rows)
}

pub(super) fn composed_rows<const OF: usize>(
    rows: Tensor<2>,
    of: LayerWeights,
    heads: AttentionHeads,
    at: &Packing,
    drop: Option<&Dropout>,
) -> Tensor<2> {
    let device = rows.device();
    composed(rows, of, heads, at, drop).select(0, indices(READ[OF].rows(at).iter().copied(), &device))
}

/// The rows that nobody reads are left out after the attention, and change neither the others nor any gradient; masks are
/// those of the whole batch.
#[test]
fn rows_that_are_read_alone_and_every_gradient_are_those_of_the_composed_layer() {
    let dropout = Dropout::new(0.2, Stream::new(1, "dropout"), 3);
    let layers: [[Layer; 2]; 3] = [
        [fused_rows::<0>, composed_rows::<0>],
        [fused_rows::<1>, composed_rows::<1>],
        [fused_rows::<2>, composed_rows::<2>],
    ];
    for (sizes, number, offsets) in [([32, 56], 4, &[0, 7, 8, 19, 30][..]), ([30, 45], 3, &[0, 5, 75, 76])] {
        for ([fused, composed], causal) in layers.into_iter().zip([false, true, false]) {
            for dropout in [None, dropout.as_ref()] {
                let heads = AttentionHeads { number, causal };
                let found = run_layer(fused, sizes, heads, offsets, dropout, gpu());
                assert_close(&found, &run_layer(composed, sizes, heads, offsets, dropout, Device::flex()), 2e-5);
                assert_eq!(found, run_layer(fused, sizes, heads, offsets, dropout, gpu()), "the same bits");
            }
        }
    }
}
