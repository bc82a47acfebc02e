//! How the weights of a run are optimized, whatever it learns.

use serde::{Deserialize, Serialize};

use crate::settings::{Optimizer, Precision};

/// The settings of the optimizer, its schedule and its batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimization {
    /// Examples of an optimisation step.
    pub batch_size: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// How long the learning rate rises from 0.
    pub warmup: Warmup,
    /// Decoupled weight decay, not applied to biases and layer norms.
    pub weight_decay: f64,
    /// Dropout probability of embeddings, attention probabilities, residual branches and a task's head.
    pub dropout: f64,
    /// Gradients are scaled down to this global norm.
    pub max_grad_norm: f64,
    /// Optimisation steps take this many forward and backward passes.
    pub gradient_accumulation_steps: u32,
    /// Whether layers are computed again in the backward pass, for less memory. Changes no bit of the
    /// result, so it is no part of a run's id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gradient_checkpointing: bool,
    /// The numbers that matrix products take.
    pub precision: Precision,
    /// Whether kernels of matrix products are chosen by timing them. Without it, settings are written as before there was
    /// such a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub autotune: bool,
    /// How gradients become updates.
    pub optimizer: Optimizer,
    /// Adam's β1.
    pub adam_beta1: f64,
    /// Adam's β2.
    pub adam_beta2: f64,
    /// Adam's ε.
    pub adam_epsilon: f64,
}

/// What the experiment file leaves unwritten, at the smallest point of the grid of Devlin et al. 2018, appendix A.3.
impl Default for Optimization {
    fn default() -> Self {
        Self {
            batch_size: 16,
            learning_rate: 2e-5,
            warmup: Warmup::Fraction(0.1),
            weight_decay: 0.01,
            dropout: 0.1,
            max_grad_norm: 1.0,
            gradient_accumulation_steps: 1,
            gradient_checkpointing: false,
            precision: Precision::default(),
            autotune: false,
            optimizer: Optimizer::default(),
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            // PyTorch's AdamW and the Hugging Face Trainer.
            adam_epsilon: 1e-8,
        }
    }
}

/// How long the learning rate rises from 0 to its peak; from there it falls to 0 at the last step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warmup {
    /// A fraction of all steps.
    Fraction(f64),
    /// So many steps.
    Steps(u64),
}

impl Optimization {
    /// Sequences of a forward pass: a batch is split among the passes of a step.
    #[must_use]
    pub fn sequences_per_pass(&self) -> u32 {
        self.batch_size.div_ceil(self.gradient_accumulation_steps.max(1))
    }
}
