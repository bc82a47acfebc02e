//! Which precisions a device computes in.

use crate::kernel::{self, Bf16Support};
use crate::settings::Precision;

/// Why a precision cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrecisionError {
    /// Other devices than the CPU compute in f32 alone.
    #[error("`precision: bf16` is supported on the CPU only, but the device is `{0}`")]
    Device(String),
    /// The CPU does not multiply bfloat16 numbers.
    #[error("`precision: bf16` needs a CPU with AVX512-BF16 or AMX, and this one has neither")]
    Processor,
}

impl PrecisionError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Device(_) => "`precision: f32`, or `device: cpu` on a CPU with AVX512-BF16 or AMX",
            Self::Processor => "`precision: f32` runs everywhere",
        }
    }
}

impl From<Precision> for kernel::Precision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}

/// `precision` as the kernels name it, if the device called `device` computes in it on this machine.
///
/// # Errors
/// When it does not.
pub fn open_precision(precision: Precision, device: &str) -> Result<kernel::Precision, PrecisionError> {
    open(precision, device, Bf16Support::detect())
}

fn open(precision: Precision, device: &str, support: Bf16Support) -> Result<kernel::Precision, PrecisionError> {
    match (precision, device, support) {
        (Precision::F32, ..) | (Precision::Bf16, "cpu", Bf16Support::Amx | Bf16Support::Avx512) => Ok(precision.into()),
        (Precision::Bf16, "cpu", Bf16Support::None) => Err(PrecisionError::Processor),
        (Precision::Bf16, ..) => Err(PrecisionError::Device(device.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_needs_the_cpu_and_its_instructions() {
        let of = |precision, device| {
            [Bf16Support::Amx, Bf16Support::Avx512, Bf16Support::None]
                .map(|support| open(precision, device, support).map_err(|error| error.to_string()))
        };
        assert_eq!(of(Precision::F32, "cuda"), [const { Ok(kernel::Precision::F32) }; 3]);
        let [amx, avx512, none] = of(Precision::Bf16, "cpu");
        assert_eq!((amx, avx512), (Ok(kernel::Precision::Bf16), Ok(kernel::Precision::Bf16)));
        assert!(none.unwrap_err().contains("AVX512-BF16 or AMX"));
        assert!(of(Precision::Bf16, "cuda").into_iter().all(|refused| refused.unwrap_err().contains("`cuda`")));
    }
}
