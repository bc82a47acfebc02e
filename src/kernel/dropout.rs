//! Dropout of burn tensors with the masks of [`super::cpu`].
//!
//! A mask depends on (stream, step, site, row) alone: the same in forward and backward, on a resumed run,
//! for any number of threads, and for the fused operations.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::cpu::{Mask, Site};
use crate::random::Stream;

/// Elements that one task draws, at least a row.
const PER_TASK: usize = 1 << 14;

/// Dropout of one training step.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    mask: Mask,
}

/// `x`, of which `dropout` drops what it does at this place; see [`Dropout::apply`].
#[must_use]
pub fn dropped<const D: usize>(x: Tensor<D>, dropout: Option<&Dropout>, site: u32) -> Tensor<D> {
    match dropout {
        Some(dropout) => dropout.apply(x, site),
        None => x,
    }
}

impl Dropout {
    /// Dropout with probability `p` (to the nearest 1/65536) at optimisation step `step` of `stream`;
    /// `None` when nothing would be dropped.
    #[must_use]
    pub fn new(p: f64, stream: Stream, step: u64) -> Option<Self> {
        Mask::new(p, stream, step).map(|mask| Self { mask })
    }

    /// For the fused kernels.
    pub(super) fn mask(&self) -> Mask {
        self.mask
    }

    /// Drops elements of `x` and scales the rest by 1/(1 − p). `site` numbers the places in the model
    /// where dropout is applied; rows of the last dimension (tokens, sequences) are numbered from 0.
    #[must_use]
    pub fn apply<const D: usize>(&self, x: Tensor<D>, site: u32) -> Tensor<D> {
        let shape = x.dims();
        #[cfg(feature = "cube")]
        if let Some(mask) = self.drawn_on_gpu(&x, site) {
            return x * mask;
        }
        let mask = self.factors(shape.iter().product(), shape[D - 1], site);
        let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
        x * mask
    }

    /// The factors of `x` where it is on a GPU, which draws them itself.
    #[cfg(feature = "cube")]
    fn drawn_on_gpu<const D: usize>(&self, x: &Tensor<D>, site: u32) -> Option<Tensor<D>> {
        let (shape, device) = (x.dims(), x.device());
        let (width, length) = (shape[D - 1], shape.iter().product::<usize>());
        let rows = length / width.max(1);
        let mask = super::cube::mask_matrix(&self.mask.site(site, width), rows, width, &device)?.reshape(shape);
        Some(if device.is_autodiff() { Tensor::from_inner(mask) } else { mask })
    }

    /// As [`Dropout::apply`], for attention probabilities `[batch, heads, longest, longest]` of sequences whose
    /// rows in the packed batch `offsets` tells. Row `head × tokens + token` of the mask is that of the query
    /// `token`, an index into the packed batch.
    #[must_use]
    pub fn apply_to_probabilities(&self, x: Tensor<4>, site: u32, offsets: &[u32]) -> Tensor<4> {
        let shape @ [_, heads, longest, _] = x.dims();
        let tokens = offsets.last().map_or(0, |&last| last as usize);
        let rows = self.mask.site(site, longest);
        let mut mask = vec![0.0; shape.iter().product()];
        mask.par_chunks_mut((longest * longest).max(1)).enumerate().for_each(|(cell, mask)| {
            let (sequence, head) = (cell / heads, cell % heads);
            let (first, next) = (offsets[sequence] as usize, offsets[sequence + 1] as usize);
            fill(rows, head * tokens + first, longest, &mut mask[..(next - first) * longest]);
        });
        let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
        x * mask
    }

    /// `length` factors, 0 or 1/(1 − p), in rows of `width`.
    fn factors(&self, length: usize, width: usize, site: u32) -> Vec<f32> {
        let rows = (PER_TASK / width.max(1)).max(1);
        let site = self.mask.site(site, width);
        let mut mask = vec![0.0; length];
        mask.par_chunks_mut((rows * width).max(1))
            .enumerate()
            .for_each(|(task, mask)| fill(site, task * rows, width, mask));
        mask
    }
}

/// The factors of the rows from `first` on.
fn fill(site: Site, first: usize, width: usize, mask: &mut [f32]) {
    mask.fill(1.0);
    site.multiply(first, width, mask);
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn mask_of_row(mask: Mask, site: u32, width: usize, row: usize) -> Vec<f32> {
        let site = mask.site(site, width);
        let mut draws = vec![0; Site::stride(width)];
        site.draws(row, width, &mut draws);
        draws[..width].iter().map(|&draw| site.factor(draw)).collect()
    }

    #[test]
    fn rows_of_tokens_are_numbered_in_their_order() {
        let device = Device::flex();
        let dropout = Dropout::new(0.4, Stream::new(1, "dropout"), 3).unwrap();
        let (rows, width) = (900, 30);
        let dropped =
            dropout.apply(Tensor::<2>::ones([rows, width], &device), 5).into_data().try_to_vec::<f32>().unwrap();
        for (row, dropped) in dropped.chunks(width).enumerate() {
            assert_eq!(dropped, mask_of_row(dropout.mask, 5, width, row));
        }
    }

    #[test]
    fn rows_of_probabilities_are_numbered_by_head_and_packed_query() {
        let device = Device::flex();
        let dropout = Dropout::new(0.4, Stream::new(1, "dropout"), 3).unwrap();
        let (offsets, heads, longest) = ([0, 2, 7, 8], 3, 5);
        let ones = Tensor::<4>::ones([3, heads, longest, longest], &device);
        let dropped = dropout.apply_to_probabilities(ones, 9, &offsets).into_data().try_to_vec::<f32>().unwrap();
        for (at, dropped) in dropped.chunks(longest).enumerate() {
            let (sequence, head, position) = (at / longest / heads, at / longest % heads, at % longest);
            let token = offsets[sequence] as usize + position;
            if token < offsets[sequence + 1] as usize {
                assert_eq!(dropped, mask_of_row(dropout.mask, 9, longest, head * 8 + token));
            }
        }
    }

    #[test]
    fn forward_and_backward_use_the_same_mask() {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::ones([50, 40], &device).require_grad();
        let y = Dropout::new(0.3, Stream::new(2, "dropout"), 0).unwrap().apply(x.clone(), 1);
        let gradient = x.grad(&y.clone().sum().backward()).unwrap();
        assert_eq!(
            gradient.into_data().try_to_vec::<f32>().unwrap(),
            y.inner().into_data().try_to_vec::<f32>().unwrap()
        );
    }
}
