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
//! Where only some rows of y are read, as by a classifier that reads the first token of each sequence, everything after A is
//! computed for these rows alone, in forward and in backward: every number that is left has the bits that it would have
//! in f32 if the other rows' gradients were 0.
//!
//! For backward, qkv, c, h, u and the normalised rows of both norms are kept: 7 × hidden + intermediate numbers a token, and x.
//! Probabilities, g and all masks are computed again. Operands of products are stored as `E`; the residual
//! stream, norms and gradients of parameters are f32.

mod normed;
mod parameters;
mod rows;

use half::bf16;

use self::normed::Normed;
pub use self::parameters::{LayerDropout, LayerGradients, LayerShape, PerParameter};
use self::rows::{copy, gather, scatter};
use super::attention;
use super::gelu::{Gelu, GeluBackward};
use super::gemm::{Cells, Matrix, Output, Store, Sum, SumTransposed, gemm};
use super::mask::Site;
use super::norm::{BatchRows, ResidualNorm, ResidualNormGradients, column_sums, column_sums_at};
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

/// The kept numbers of [`Saved`].
#[derive(Debug)]
pub struct Kept<E: Plain> {
    /// x as an operand, where that is not x itself. `[tokens, hidden]`
    x: Option<Buffer<E>>,
    /// `[tokens, 3 × hidden]`
    qkv: Buffer<E>,
    /// From here on of the rows that are read.
    context: Buffer<E>,
    attention_norm: Normed,
    middle: Buffer<E>,
    wide: Buffer<E>,
    output_norm: Normed,
}

/// One layer and its batch.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Sizes.
    pub shape: LayerShape,
    /// Weights, row by row.
    pub parameters: PerParameter<&'a [f32]>,
    /// The `batch + 1` first rows of the sequences.
    pub offsets: &'a [u32],
    /// The masks of a training step.
    pub dropout: Option<&'a LayerDropout>,
    /// The rows of y that are read, ascending; all without.
    pub read: Option<&'a [u32]>,
}

impl Layer<'_> {
    /// y, the rows that are read, from x, `[tokens, hidden]`; with `keep`, also what [`Layer::backward`] needs.
    pub fn forward(&self, x: &[f32], precision: Precision, y: &mut [f32], keep: bool) -> Option<Saved> {
        match precision {
            Precision::F32 | Precision::F16 => self.forward_in::<f32>(x, y, keep).map(Saved::F32),
            Precision::Bf16 => self.forward_in::<bf16>(x, y, keep).map(Saved::Bf16),
        }
    }

    /// All gradients from `dy`, the gradient of the rows of y that are read, with the `x` of the forward pass.
    pub fn backward(&self, x: &[f32], saved: &Saved, dy: &[f32], gradients: LayerGradients<'_>) {
        match saved {
            Saved::F32(kept) => self.backward_in(x, kept, dy, gradients),
            Saved::Bf16(kept) => self.backward_in(x, kept, dy, gradients),
        }
    }

    fn forward_in<E: Stored>(&self, x: &[f32], y: &mut [f32], keep: bool) -> Option<Kept<E>> {
        let (p, LayerShape { tokens, hidden, intermediate, .. }) = (&self.parameters, self.shape);
        let rows = self.rows().count();
        let x_copy = E::copy(x);
        let x_operand = Matrix::new(E::operand(x, x_copy.as_deref()), tokens, hidden);
        let mut qkv = Buffer::<E>::take(tokens * 3 * hidden);
        let to = Store { to: Cells::new(&mut qkv), stride: 3 * hidden, bias: Some(p.qkv_bias) };
        gemm(x_operand, Matrix::new(p.qkv_weight, hidden, 3 * hidden), &to);

        let mut context = Buffer::<E>::take(tokens * hidden);
        attention::forward(&qkv, &mut context, self.shape.form.heads, self.offsets, self.attention_mask());
        let residual = self.read.map(|rows| gather(x, rows, hidden));
        if let Some(rows) = self.read {
            context = gather(&context, rows, hidden);
        }
        let residual = residual.as_deref().unwrap_or(x);
        let mut middle = Buffer::<f32>::take(rows * hidden);
        let mut middle_copy = E::buffer(rows * hidden);
        let attended = self.project(&context, p.attention_weight, hidden);
        let norm = self.attention_norm();
        let attention_norm = Normed::new(attended, &norm, residual, &mut middle, middle_copy.as_deref_mut());

        let middle_operand = Matrix::new(E::operand(&middle, middle_copy.as_deref()), rows, hidden);
        let mut activation = Buffer::<E>::take(rows * intermediate);
        let mut wide = keep.then(|| Buffer::<E>::take(rows * intermediate));
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
        let LayerShape { tokens, hidden, .. } = self.shape;
        // The gradient that flows along the residual stream: of y, of both norms' inputs, in the end of x.
        let LayerGradients { x: stream, parameters: mut to } = to;
        let context = match self.read {
            None => {
                copy(dy, stream);
                self.backward_after_attention(kept, stream, &mut to)
            }
            Some(rows) => {
                let mut read = Buffer::<f32>::take(dy.len());
                copy(dy, &mut read);
                let context = self.backward_after_attention(kept, &mut read, &mut to);
                scatter(&read, rows, stream, hidden);
                let mut all = Buffer::<E>::take(tokens * hidden);
                scatter(&context, rows, &mut all, hidden);
                all
            }
        };
        let mut qkv = Buffer::<E>::take(tokens * 3 * hidden);
        attention::backward(&kept.qkv, &context, &mut qkv, self.shape.form.heads, self.offsets, self.attention_mask());
        column_sums(&qkv, to.qkv_bias);
        let sum = Sum { to: Cells::new(stream), stride: hidden, add: true };
        Self::back(&qkv, self.parameters.qkv_weight, [hidden, 3 * hidden], &sum);
        Self::weight(E::operand(x, kept.x.as_deref()), &qkv, to.qkv_weight, [hidden, 3 * hidden]);
    }

    /// The gradient of the attention's context from that of y, which becomes that of the attention's residual in `stream`;
    /// all `[rows that are read, hidden]`.
    fn backward_after_attention<E: Stored>(
        &self,
        kept: &Kept<E>,
        stream: &mut [f32],
        to: &mut PerParameter<&mut [f32]>,
    ) -> Buffer<E> {
        let LayerShape { hidden, intermediate, .. } = self.shape;
        let (p, rows) = (&self.parameters, self.rows().count());
        let mut branch = Buffer::<E>::take(rows * hidden);

        let sums = ResidualNormGradients { bias: to.output_bias, gamma: to.output_gamma, beta: to.output_beta };
        kept.output_norm.backward(&self.output_norm(), stream, &mut branch, sums);
        let [mut wide, mut activation] = [(); 2].map(|()| Buffer::<E>::take(rows * intermediate));
        let gelu = GeluBackward {
            input: &kept.wide,
            gradient: Cells::new(&mut wide),
            activation: Cells::new(&mut activation),
            width: intermediate,
            form: self.shape.form.gelu,
        };
        Self::back(&branch, p.output_weight, [intermediate, hidden], &gelu);
        // (branchᵀ activation)ᵀ: the left operand is copied, and this one is four times smaller.
        let sum = SumTransposed { to: Cells::new(to.output_weight), stride: hidden, add: false };
        gemm(
            Matrix::new(&branch[..], rows, hidden).transpose(),
            Matrix::new(&activation[..], rows, intermediate),
            &sum,
        );
        drop(activation);
        column_sums_at(&wide, self.rows(), to.intermediate_bias);
        let sum = Sum { to: Cells::new(stream), stride: hidden, add: true };
        Self::back(&wide, p.intermediate_weight, [hidden, intermediate], &sum);
        Self::weight(&kept.middle, &wide, to.intermediate_weight, [hidden, intermediate]);
        drop(wide);

        let sums =
            ResidualNormGradients { bias: to.attention_bias, gamma: to.attention_gamma, beta: to.attention_beta };
        kept.attention_norm.backward(&self.attention_norm(), stream, &mut branch, sums);
        let mut context = Buffer::<E>::take(rows * hidden);
        let store = Store { to: Cells::new(&mut context), stride: hidden, bias: None };
        Self::back(&branch, p.attention_weight, [hidden, hidden], &store);
        Self::weight(&kept.context, &branch, to.attention_weight, [hidden, hidden]);
        context
    }

    /// The rows of the batch after the attention.
    fn rows(&self) -> BatchRows<'_> {
        match self.read {
            None => BatchRows::All(self.shape.tokens),
            Some(rows) => BatchRows::Some { rows, batch: self.shape.tokens },
        }
    }

    /// `[rows, inputs] [inputs, hidden]`, without the bias.
    fn project<E: Stored>(&self, x: &[E], weight: &[f32], inputs: usize) -> Buffer<f32> {
        let (rows, hidden) = (x.len() / inputs, self.shape.hidden);
        let mut y = Buffer::<f32>::take(rows * hidden);
        let to = Sum { to: Cells::new(&mut y), stride: hidden, add: false };
        gemm(Matrix::new(x, rows, inputs), Matrix::new(weight, inputs, hidden), &to);
        y
    }

    /// The gradient of a product's left operand: dy Wᵀ, W of shape `[inputs, outputs]`.
    fn back<E: Stored>(dy: &[E], weight: &[f32], [inputs, outputs]: [usize; 2], to: &impl Output) {
        gemm(Matrix::new(dy, dy.len() / outputs, outputs), Matrix::new(weight, inputs, outputs).transpose(), to);
    }

    /// The gradient of a product's right operand: xᵀ dy.
    fn weight<E: Stored>(x: &[E], dy: &[E], to: &mut [f32], [inputs, outputs]: [usize; 2]) {
        let to = Sum { to: Cells::new(to), stride: outputs, add: false };
        let rows = dy.len() / outputs;
        gemm(Matrix::new(x, rows, inputs).transpose(), Matrix::new(dy, rows, outputs), &to);
    }

    fn attention_norm(&self) -> ResidualNorm<'_> {
        let PerParameter { attention_bias: bias, attention_gamma: gamma, attention_beta: beta, .. } = self.parameters;
        self.norm(bias, gamma, beta, |dropout| dropout.attention_residual_site)
    }

    fn output_norm(&self) -> ResidualNorm<'_> {
        let PerParameter { output_bias: bias, output_gamma: gamma, output_beta: beta, .. } = self.parameters;
        self.norm(bias, gamma, beta, |dropout| dropout.output_residual_site)
    }

    fn norm<'a>(
        &'a self,
        bias: &'a [f32],
        gamma: &'a [f32],
        beta: &'a [f32],
        site: fn(&LayerDropout) -> u32,
    ) -> ResidualNorm<'a> {
        let (epsilon, dropout) = (self.shape.form.epsilon as f32, self.mask(site, self.shape.hidden));
        ResidualNorm { bias, gamma, beta, epsilon, dropout, rows: self.rows() }
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
