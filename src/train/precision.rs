//! Which precisions a device computes in.

use burn::tensor::Device;

use crate::kernel::{Bf16Support, gpu_precisions};
use crate::settings::Precision;

/// Why a precision cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrecisionError {
    /// The GPU does not multiply such numbers.
    #[error("the device `{device}` does not compute in `precision: {precision}`, only in {}", names(known))]
    Device {
        /// What was asked for.
        precision: Precision,
        /// The device's name.
        device: String,
        /// What the device computes in.
        known: Vec<Precision>,
    },
    /// The CPU does not multiply bfloat16 numbers.
    #[error("`precision: bf16` needs a CPU with AVX512-BF16 or AMX, and this one has neither")]
    Processor,
    /// No CPU does.
    #[error("`precision: f16` is for GPUs, and the device is `cpu`")]
    NotOnCpu,
}

impl PrecisionError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Device { .. } => "`bertbench list devices` shows the precisions of every device",
            Self::Processor => "`precision: f32` runs everywhere",
            Self::NotOnCpu => "`precision: f32` runs everywhere, `bf16` on CPUs with AVX512-BF16 or AMX",
        }
    }
}

fn names(precisions: &[Precision]) -> String {
    precisions.iter().map(|precision| precision.name()).collect::<Vec<_>>().join(" and ")
}

/// What `device` computes in on this machine.
pub(super) fn precisions(device: &Device) -> Vec<Precision> {
    let on_gpu = gpu_precisions(device);
    let has = |precision: &Precision| {
        let of_cpu = *precision == Precision::F32
            || (*precision == Precision::Bf16 && Bf16Support::detect() != Bf16Support::None);
        if on_gpu.is_empty() { of_cpu } else { on_gpu.contains(precision) }
    };
    Precision::ALL.into_iter().filter(has).collect()
}

/// `precision`, if the device called `device` computes in it: in one of `known`.
///
/// # Errors
/// When it does not.
pub(super) fn one_of(known: Vec<Precision>, precision: Precision, device: &str) -> Result<Precision, PrecisionError> {
    match (precision, device) {
        _ if known.contains(&precision) => Ok(precision),
        (Precision::Bf16, "cpu") => Err(PrecisionError::Processor),
        (Precision::F16, "cpu") => Err(PrecisionError::NotOnCpu),
        _ => Err(PrecisionError::Device { precision, device: device.to_owned(), known }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_one_of_the_devices() {
        let of = |known: &[Precision], precision, device| {
            one_of(known.to_vec(), precision, device).map_err(|error| error.to_string())
        };
        let [f32, bf16, f16] = Precision::ALL;
        assert_eq!(of(&[f32], f32, "cuda"), Ok(f32));
        assert_eq!(of(&[f32, bf16], bf16, "cpu"), Ok(bf16));
        assert_eq!(of(&[f32, f16], f16, "wgpu"), Ok(f16));
        assert!(of(&[f32], bf16, "cpu").unwrap_err().contains("AVX512-BF16 or AMX"));
        assert!(of(&[f32, bf16], f16, "cpu").unwrap_err().contains("for GPUs"));
        let refused = of(&[f32, f16], bf16, "vulkan").unwrap_err();
        assert_eq!(refused, "the device `vulkan` does not compute in `precision: bf16`, only in f32 and f16");
    }

    #[test]
    fn the_cpu_has_f32_and_no_f16() {
        let found = precisions(&Device::flex());
        assert!(found.contains(&Precision::F32) && !found.contains(&Precision::F16), "{found:?}");
    }
}
