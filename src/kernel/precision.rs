//! How numbers are stored and multiplied.

/// The arithmetic of the training path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Everything in f32.
    #[default]
    F32,
    /// Operands of matrix products are rounded to bfloat16; sums, norms, softmax, loss, parameters, moments
    /// and gradients stay in f32 (Micikevicius et al. 2018, arXiv 1710.03740, with bfloat16).
    Bf16,
    /// As [`Precision::Bf16`], with IEEE's float16: more digits and less range, so that the loss is scaled
    /// ([`LossScale`](super::LossScale)). On GPUs; elsewhere it is f32.
    F16,
}
