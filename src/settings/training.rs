//! How a step is computed and what it does to the weights.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The number format of matrix products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// Mixed precision: bfloat16 operands; sums, weights and everything else in 32-bit floats. On CPUs with
    /// AVX512-BF16 or AMX, and on GPUs that have it.
    Bf16,
    /// Mixed precision: float16 operands, and losses that are scaled so that gradients fit into them; sums, weights and
    /// everything else in 32-bit floats. On GPUs that have it.
    F16,
}

/// How gradients become updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// `PyTorch`'s `AdamW`, with bias correction; the rate falls linearly from the warmup's end to 0.
    #[serde(rename = "adamw")]
    AdamW {},
    /// The optimizer of google-research/bert, without bias correction; the rate falls on the line from
    /// the peak at the first step to 0, and the warmup stands before that line.
    BertAdam {},
}

impl Optimizer {
    /// ε where the file names none.
    #[must_use]
    pub fn default_epsilon(self) -> f64 {
        match self {
            // PyTorch's AdamW and the Hugging Face Trainer.
            Self::AdamW {} => 1e-8,
            // google-research/bert, optimization.py, create_optimizer.
            Self::BertAdam {} => 1e-6,
        }
    }
}

impl Precision {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    /// As experiment files and records write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::AdamW {}
    }
}
