//! What a transformer layer is besides its sizes and weights.

use burn::tensor::Device;

use super::fused;

/// BERT's ε (google-research/bert, `modeling.layer_norm`; Hugging Face `layer_norm_eps`); burn defaults to 1e-5.
pub const LAYER_NORM_EPSILON: f64 = 1e-12;

/// The heads of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionHeads {
    /// How many; a divisor of the hidden size.
    pub number: usize,
    /// Whether a token attends to itself and the tokens before it (the masked attention of Vaswani et al. 2017, §3.2.3);
    /// else to every token of its sequence.
    pub causal: bool,
}

/// Which function is called GELU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gelu {
    /// u Φ(u) (Hendrycks & Gimpel 2016), as in BERT.
    Exact,
    /// u/2 (1 + tanh(√(2/π) (u + 0.044715 u³))), as in GPT (`gelu_new` of transformers).
    Tanh,
}

/// The form of a layer with its norms after the residuals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerForm {
    /// Its attention.
    pub heads: AttentionHeads,
    /// Its activation.
    pub gelu: Gelu,
    /// Added to the variance in its norms.
    pub epsilon: f64,
}

impl LayerForm {
    /// The published GPT's ε (`layer_norm_epsilon` of transformers' `OpenAIGPTConfig`).
    pub const OPENAI_GPT_EPSILON: f64 = 1e-5;

    /// As in the published GPT (Radford et al. 2018).
    #[must_use]
    pub const fn openai_gpt(heads: usize) -> Self {
        let heads = AttentionHeads { number: heads, causal: true };
        Self { heads, gelu: Gelu::Tanh, epsilon: Self::OPENAI_GPT_EPSILON }
    }

    /// Whether `device` has kernels for a whole layer of this form: CPUs for all, GPUs for BERT's alone.
    #[must_use]
    pub fn is_fused_on(&self, device: &Device) -> bool {
        fused::is_cpu(device) || (fused::runs_on(device) && *self == Self::from(self.heads))
    }
}

/// BERT's form.
impl From<AttentionHeads> for LayerForm {
    fn from(heads: AttentionHeads) -> Self {
        Self { heads, gelu: Gelu::Exact, epsilon: LAYER_NORM_EPSILON }
    }
}
