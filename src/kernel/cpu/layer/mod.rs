//! One encoder layer, forward and backward, as a single call each.
//!
//! With x `[tokens, hidden]`, D dropout, N layer norm and A attention over each sequence (Vaswani et al. 2017,
//! post-norm as in Devlin et al. 2018):
//!
//! ```text
//! qkv = x Wqkv + bqkv                c = A(qkv)
//! h = N₁(D(c Wo + bo) + x)
//! u = h W₁ + b₁                      g = GELU(u)
//! y = N₂(D(g W₂ + b₂) + h)
//! ```
//!
//! For backward, qkv, c, h, u and the normalised rows of both norms are kept: 7 × hidden + intermediate numbers a token, and x.
//! Probabilities, g and all masks are computed again. Operands of products are stored as `E`; the residual
//! stream, norms and gradients of parameters are f32.

mod parameters;

use half::bf16;
use rayon::prelude::*;

pub use self::parameters::{LayerDropout, LayerGradients, LayerParameters, LayerShape};
use super::attention;
use super::gelu::{Gelu, GeluBackward};
use super::gemm::{Cells, Matrix, Output, Store, Sum, SumTransposed, gemm};
use super::mask::Site;
use super::norm::{ResidualNorm, ResidualNormGradients, column_sums};
use super::pool::{Buffer, Plain};
use super::stored::Stored;
use crate::kernel::Precision;

/// What a forward pass keeps for the backward pass.
#[derive(Debug)]
pub enum Saved {
    /// Of a pass in f32.
    F32(Kept<f32>),
    /// Of a pass with operands in bf16.
    Bf16(Kept<bf16>),
}

/// The kept numbers of [`Saved`]; `[tokens, …]` each.
#[derive(Debug)]
pub struct Kept<E: Plain> {
    /// x as an operand, where that is not x itself.
    x: Option<Buffer<E>>,
    qkv: Buffer<E>,
    context: Buffer<E>,
    attention_norm: Normed,
    middle: Buffer<E>,
    wide: Buffer<E>,
    output_norm: Normed,
}

/// The normalised rows of a layer norm, before γ and β, and 1/σ of each.
#[derive(Debug)]
struct Normed {
    rows: Buffer<f32>,
    inverse_deviation: Buffer<f32>,
}

/// One layer and its batch.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Sizes.
    pub shape: LayerShape,
    /// Weights.
    pub parameters: LayerParameters<'a>,
    /// The `batch + 1` first rows of the sequences.
    pub offsets: &'a [u32],
    /// The masks of a training step.
    pub dropout: Option<&'a LayerDropout>,
}

impl Layer<'_> {
    /// y from x, both `[tokens, hidden]`; with `keep`, also what [`Layer::backward`] needs.
    pub fn forward(&self, x: &[f32], precision: Precision, y: &mut [f32], keep: bool) -> Option<Saved> {
        match precision {
            Precision::F32 | Precision::F16 => self.forward_in::<f32>(x, y, keep).map(Saved::F32),
            Precision::Bf16 => self.forward_in::<bf16>(x, y, keep).map(Saved::Bf16),
        }
    }

    /// All gradients from `dy`, the gradient of the output `[tokens, hidden]`, with the `x` of the forward pass.
    pub fn backward(&self, x: &[f32], saved: &Saved, dy: &[f32], gradients: LayerGradients<'_>) {
        match saved {
            Saved::F32(kept) => self.backward_in(x, kept, dy, gradients),
            Saved::Bf16(kept) => self.backward_in(x, kept, dy, gradients),
        }
    }

    fn forward_in<E: Stored>(&self, x: &[f32], y: &mut [f32], keep: bool) -> Option<Kept<E>> {
        let (p, LayerShape { tokens, hidden, intermediate, .. }) = (&self.parameters, self.shape);
        let x_copy = E::copy(x);
        let x_operand = Matrix::new(E::operand(x, x_copy.as_deref()), tokens, hidden);
        let mut qkv = Buffer::<E>::take(tokens * 3 * hidden);
        let to = Store { to: Cells::new(&mut qkv), stride: 3 * hidden, bias: Some(p.qkv_bias) };
        gemm(x_operand, Matrix::new(p.qkv_weight, hidden, 3 * hidden), &to);

        let mut context = Buffer::<E>::take(tokens * hidden);
        attention::forward(&qkv, &mut context, self.shape.form.heads, self.offsets, self.attention_mask());
        let mut middle = Buffer::<f32>::take(tokens * hidden);
        let mut middle_copy = E::buffer(tokens * hidden);
        let attended = self.project(&context, p.attention_weight, hidden);
        let attention_norm = Normed::new(attended, &self.attention_norm(), x, &mut middle, middle_copy.as_deref_mut());

        let middle_operand = Matrix::new(E::operand(&middle, middle_copy.as_deref()), tokens, hidden);
        let mut activation = Buffer::<E>::take(tokens * intermediate);
        let mut wide = keep.then(|| Buffer::<E>::take(tokens * intermediate));
        let to = Gelu {
            activation: Cells::new(&mut activation),
            input: wide.as_deref_mut().map(Cells::new),
            width: intermediate,
            bias: p.intermediate_bias,
            form: self.shape.form.gelu,
        };
        gemm(middle_operand, Matrix::new(p.intermediate_weight, hidden, intermediate), &to);
        let narrow = self.project(&activation, p.output_weight, intermediate);
        let output_norm = Normed::new::<E>(narrow, &self.output_norm(), &middle, y, None);
        let middle = E::keep(middle, middle_copy);
        Some(Kept { x: x_copy, qkv, context, attention_norm, middle, wide: wide?, output_norm })
    }

    fn backward_in<E: Stored>(&self, x: &[f32], kept: &Kept<E>, dy: &[f32], to: LayerGradients<'_>) {
        let LayerShape { tokens, hidden, intermediate, .. } = self.shape;
        let p = &self.parameters;
        // The gradient that flows along the residual stream: of y, of both norms' inputs, in the end of x.
        let stream = to.x;
        copy(dy, stream);
        let mut branch = Buffer::<E>::take(tokens * hidden);

        let sums = ResidualNormGradients { bias: to.output_bias, gamma: to.output_gamma, beta: to.output_beta };
        kept.output_norm.backward(&self.output_norm(), stream, &mut branch, sums);
        let [mut wide, mut activation] = [(); 2].map(|()| Buffer::<E>::take(tokens * intermediate));
        let gelu = GeluBackward {
            input: &kept.wide,
            gradient: Cells::new(&mut wide),
            activation: Cells::new(&mut activation),
            width: intermediate,
            form: self.shape.form.gelu,
        };
        self.back(&branch, p.output_weight, [intermediate, hidden], &gelu);
        // (branchᵀ activation)ᵀ: the left operand is copied, and this one is four times smaller.
        let sum = SumTransposed { to: Cells::new(to.output_weight), stride: hidden, add: false };
        gemm(
            Matrix::new(&branch[..], tokens, hidden).transpose(),
            Matrix::new(&activation[..], tokens, intermediate),
            &sum,
        );
        drop(activation);
        column_sums(&wide, to.intermediate_bias);
        let sum = Sum { to: Cells::new(stream), stride: hidden, add: true };
        self.back(&wide, p.intermediate_weight, [hidden, intermediate], &sum);
        self.weight(&kept.middle, &wide, to.intermediate_weight, [hidden, intermediate]);
        drop(wide);

        let sums =
            ResidualNormGradients { bias: to.attention_bias, gamma: to.attention_gamma, beta: to.attention_beta };
        kept.attention_norm.backward(&self.attention_norm(), stream, &mut branch, sums);
        let mut context = Buffer::<E>::take(tokens * hidden);
        let store = Store { to: Cells::new(&mut context), stride: hidden, bias: None };
        self.back(&branch, p.attention_weight, [hidden, hidden], &store);
        self.weight(&kept.context, &branch, to.attention_weight, [hidden, hidden]);
        drop(branch);
        let mut qkv = Buffer::<E>::take(tokens * 3 * hidden);
        attention::backward(&kept.qkv, &context, &mut qkv, self.shape.form.heads, self.offsets, self.attention_mask());
        column_sums(&qkv, to.qkv_bias);
        let sum = Sum { to: Cells::new(stream), stride: hidden, add: true };
        self.back(&qkv, p.qkv_weight, [hidden, 3 * hidden], &sum);
        self.weight(E::operand(x, kept.x.as_deref()), &qkv, to.qkv_weight, [hidden, 3 * hidden]);
    }

    /// `[tokens, inputs] [inputs, hidden]`, without the bias.
    fn project<E: Stored>(&self, x: &[E], weight: &[f32], inputs: usize) -> Buffer<f32> {
        let LayerShape { tokens, hidden, .. } = self.shape;
        let mut y = Buffer::<f32>::take(tokens * hidden);
        let to = Sum { to: Cells::new(&mut y), stride: hidden, add: false };
        gemm(Matrix::new(x, tokens, inputs), Matrix::new(weight, inputs, hidden), &to);
        y
    }

    /// The gradient of a product's left operand: dy Wᵀ, W of shape `[inputs, outputs]`.
    fn back<E: Stored>(&self, dy: &[E], weight: &[f32], [inputs, outputs]: [usize; 2], to: &impl Output) {
        gemm(Matrix::new(dy, self.shape.tokens, outputs), Matrix::new(weight, inputs, outputs).transpose(), to);
    }

    /// The gradient of a product's right operand: xᵀ dy.
    fn weight<E: Stored>(&self, x: &[E], dy: &[E], to: &mut [f32], [inputs, outputs]: [usize; 2]) {
        let to = Sum { to: Cells::new(to), stride: outputs, add: false };
        let tokens = self.shape.tokens;
        gemm(Matrix::new(x, tokens, inputs).transpose(), Matrix::new(dy, tokens, outputs), &to);
    }

    fn attention_norm(&self) -> ResidualNorm<'_> {
        let p = &self.parameters;
        let dropout = self.mask(|site| site.attention_residual_site, self.shape.hidden);
        let epsilon = self.shape.form.epsilon as f32;
        ResidualNorm { bias: p.attention_bias, gamma: p.attention_gamma, beta: p.attention_beta, epsilon, dropout }
    }

    fn output_norm(&self) -> ResidualNorm<'_> {
        let p = &self.parameters;
        let dropout = self.mask(|site| site.output_residual_site, self.shape.hidden);
        let epsilon = self.shape.form.epsilon as f32;
        ResidualNorm { bias: p.output_bias, gamma: p.output_gamma, beta: p.output_beta, epsilon, dropout }
    }

    /// The mask of the attention probabilities, whose rows are as wide as the longest sequence is long.
    fn attention_mask(&self) -> Option<Site> {
        let longest = self.offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        self.mask(|site| site.attention_site, longest as usize)
    }

    fn mask(&self, site: impl Fn(&LayerDropout) -> u32, width: usize) -> Option<Site> {
        self.dropout.map(|dropout| dropout.mask.site(site(dropout), width))
    }
}

impl Normed {
    /// The normalised sum of a branch and `residual`; `y` gets the norm's output, `copy` the same as an operand.
    fn new<E: Stored>(
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
    fn backward<E: Stored>(
        &self,
        norm: &ResidualNorm<'_>,
        stream: &mut [f32],
        branch: &mut [E],
        sums: ResidualNormGradients<'_>,
    ) {
        norm.backward(stream, &self.rows, &self.inverse_deviation, Some(branch), sums);
    }
}

/// `to = from`, on all threads.
fn copy(from: &[f32], to: &mut [f32]) {
    const PART: usize = 1 << 16;
    to.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(to, from)| to.copy_from_slice(from));
}

#[cfg(test)]
#[expect(clippy::many_single_char_names, reason = "the letters of the formulas")]
mod tests;
