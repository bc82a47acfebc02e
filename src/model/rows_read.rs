//! The rows of a batch whose last state is read, where an encoder leaves the others out: a batch of their own.

use std::sync::Arc;

use crate::kernel::{Packing, SequenceToken};

/// Rows of a batch as a batch of their own.
#[derive(Clone, Debug)]
pub struct RowsRead {
    /// Their numbers in the batch, ascending: the pooled token of each sequence, and where tokens are predicted.
    pub rows: Arc<[u32]>,
    /// Where each sequence is among them.
    pub packing: Packing,
    /// Where tokens are predicted among them.
    pub predictions: Vec<u32>,
}

impl RowsRead {
    /// Of a batch without empty sequences, of which one `token` each is pooled, and at the rows `predicted`, ascending,
    /// tokens are predicted.
    pub(super) fn of(packing: &Packing, token: SequenceToken, predicted: &[u32]) -> Self {
        let (mut rows, mut starts) = (Vec::new(), vec![0]);
        let mut rest = predicted;
        for (pair, pooled) in packing.offsets().windows(2).zip(&*packing.rows_of(token)) {
            let own;
            (own, rest) = rest.split_at(rest.partition_point(|row| *row < pair[1]));
            let before = own.partition_point(|row| row < pooled);
            rows.extend(&own[..before]);
            if own.get(before) != Some(pooled) {
                rows.push(*pooled);
            }
            rows.extend(&own[before..]);
            starts.push(rows.len() as u32);
        }
        let at = |row: &u32| rows.partition_point(|of| of < row) as u32;
        let predictions = predicted.iter().map(at).collect();
        Self { rows: rows.into(), packing: packing.with_offsets(&starts), predictions }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn rows_that_are_read_are_those_of_predictions_and_pooled_tokens() {
        let batch = Packing::new(&[0, 4, 5, 9], &Device::flex());
        let of = |token, predicted: &[u32]| {
            let RowsRead { rows, packing, predictions } = RowsRead::of(&batch, token, predicted);
            (rows.to_vec(), packing.offsets().to_vec(), predictions)
        };
        let expected = (vec![0, 2, 4, 5, 6, 7], vec![0, 2, 3, 6], vec![0, 1, 4, 5]);
        assert_eq!(of(SequenceToken::First, &[0, 2, 6, 7]), expected);
        assert_eq!(of(SequenceToken::Last, &[1, 3, 4]), (vec![1, 3, 4, 8], vec![0, 2, 3, 4], vec![0, 1, 2]));
        assert_eq!(of(SequenceToken::First, &[]), (vec![0, 4, 5], vec![0, 1, 2, 3], vec![]));
    }
}
