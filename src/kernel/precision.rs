//! The numbers that matrix products take, and whether this processor multiplies them.

/// In which numbers matrix products take their operands. Everything else (sums, norms, softmax, loss,
/// weights and the optimizer's moments) is in f32 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Operands in f32.
    #[default]
    F32,
    /// Operands rounded to bfloat16 (8 bits of significand), sums in f32: mixed precision.
    Bf16,
}

/// The instructions of this processor that multiply bfloat16 numbers, the fastest of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bf16Support {
    /// Advanced Matrix Extensions, AMX-BF16: 16 × 16 tiles (Intel, from Sapphire Rapids).
    Amx,
    /// AVX512-BF16: pairs of products in 512-bit vectors (AMD, from Zen 4; Intel, from Cooper Lake).
    Avx512,
    /// None: [`Precision::Bf16`] is refused.
    None,
}

/// Which instructions for bfloat16 this processor has, asked at run time.
#[must_use]
pub fn bf16_support() -> Bf16Support {
    // AMX goes in front of this: it also takes the operating system's permission.
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512bf16") {
        return Bf16Support::Avx512;
    }
    Bf16Support::None
}
