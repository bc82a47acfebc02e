//! Dropout masks from a counter-based generator.
//!
//! A mask depends on (stream, step, site) alone: the same in forward and backward, on a resumed run,
//! and for any number of threads.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::random::{Stream, philox};

/// Elements drawn from one Philox block: eight 16-bit numbers.
const PER_BLOCK: usize = 8;
/// Elements that one task draws; a multiple of [`PER_BLOCK`].
const PER_TASK: usize = 1 << 14;

/// Dropout of one training step.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// An element is dropped when its 16-bit number is below this.
    threshold: u32,
    key: [u32; 2],
    step: u64,
}

impl Dropout {
    /// Dropout with probability `p` (to the nearest 1/65536) at optimisation step `step` of `stream`;
    /// `None` when nothing would be dropped.
    #[must_use]
    pub fn new(p: f64, stream: Stream, step: u64) -> Option<Self> {
        let threshold = (p.clamp(0.0, 1.0) * 65536.0).round() as u32;
        (threshold > 0).then(|| Self { threshold: threshold.min(65535), key: stream.key(), step })
    }

    /// Drops elements of `x` and scales the rest by 1/(1 − p). `site` numbers the places in the model
    /// where dropout is applied.
    #[must_use]
    pub fn apply<const D: usize>(&self, x: Tensor<D>, site: u32) -> Tensor<D> {
        let shape = x.dims();
        let mask = Tensor::from_data(TensorData::new(self.mask(shape.iter().product(), site), shape), &x.device());
        x * mask
    }

    /// `length` factors, 0 or 1/(1 − p).
    fn mask(&self, length: usize, site: u32) -> Vec<f32> {
        let keep = 1.0 / (1.0 - self.threshold as f32 / 65536.0);
        let (low, high) = (self.step as u32, (self.step >> 32) as u32);
        let mut mask = vec![0.0; length];
        mask.par_chunks_mut(PER_TASK).enumerate().for_each(|(task, chunk)| {
            for (block, cells) in chunk.chunks_mut(PER_BLOCK).enumerate() {
                let counter = (task * (PER_TASK / PER_BLOCK) + block) as u32;
                let words = philox([counter, site, low, high], self.key);
                for (cell, at) in cells.iter_mut().zip(0..) {
                    let draw = (words[at / 2] >> (16 * (at % 2))) & 0xFFFF;
                    *cell = if draw < self.threshold { 0.0 } else { keep };
                }
            }
        });
        mask
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_rate_and_the_mean_are_right_and_draws_depend_on_step_and_site() {
        let stream = Stream::new(1, "dropout");
        let dropout = Dropout::new(0.1, stream, 3).unwrap();
        let n = 1_000_003;
        let mask = dropout.mask(n, 5);
        let dropped = mask.iter().filter(|&&m| m == 0.0).count() as f64 / n as f64;
        let mean = mask.iter().map(|&m| f64::from(m)).sum::<f64>() / n as f64;
        // Five standard errors of a Bernoulli(0.1) mean.
        let error = 5.0 * (0.1f64 * 0.9 / n as f64).sqrt();
        assert!((dropped - 0.1).abs() < error, "{dropped}");
        assert!((mean - 1.0).abs() < error / 0.9, "{mean}");
        assert_eq!(mask, dropout.mask(n, 5));
        assert_ne!(mask, dropout.mask(n, 6));
        assert_ne!(mask, Dropout::new(0.1, stream, 4).unwrap().mask(n, 5));
        assert!(Dropout::new(0.0, stream, 0).is_none());
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
