//! What a norm with its residual leaves for its backward pass.

use crate::kernel::cpu::norm::{ResidualNorm, ResidualNormGradients};
use crate::kernel::cpu::pool::Buffer;
use crate::kernel::cpu::stored::Stored;

/// The normalised rows of a layer norm, before γ and β, and 1/σ of each.
#[derive(Debug)]
pub(super) struct Normed {
    rows: Buffer<f32>,
    inverse_deviation: Buffer<f32>,
}

impl Normed {
    /// The normalised sum of a branch and `residual`; `y` gets the norm's output, `copy` the same as an operand.
    pub(super) fn new<E: Stored>(
        mut branch: Buffer<f32>,
        norm: &ResidualNorm<'_>,
        residual: &[f32],
        y: &mut [f32],
        copy: Option<&mut [E]>,
    ) -> Self {
        let mut inverse_deviation = Buffer::<f32>::take(branch.len() / norm.gamma.len());
        norm.forward(&mut branch, residual, y, copy, &mut inverse_deviation);
        Self { rows: branch, inverse_deviation }
    }

    /// `stream`, the gradient of the norm's output, becomes that of its input; `branch` that of the branch.
    pub(super) fn backward<E: Stored>(
        &self,
        norm: &ResidualNorm<'_>,
        stream: &mut [f32],
        branch: &mut [E],
        sums: ResidualNormGradients<'_>,
    ) {
        norm.backward(stream, &self.rows, &self.inverse_deviation, Some(branch), sums);
    }
}
