//! Devices by name, chosen at run time.

use burn::tensor::{Device, Tensor};

/// A device and its name in experiment files and records.
#[derive(Clone, Debug)]
pub struct NamedDevice {
    /// `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub name: &'static str,
    /// burn's handle, without autodiff.
    pub device: Device,
}

/// Why a device cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// No device has this name.
    #[error("unknown device `{0}`; known: auto, cpu, wgpu, vulkan, cuda")]
    Unknown(String),
    /// The program was built without it.
    #[error("device `{0}` is not built in; build with `cargo build --release --features {0}`")]
    NotBuiltIn(&'static str),
    /// It is built in, but does not work on this machine.
    #[error("device `{name}` does not work here: {reason}")]
    Unusable {
        /// The device's name.
        name: &'static str,
        /// What its first operation said.
        reason: String,
    },
}

/// How a device of this build is opened; `None` when its cargo feature is off.
type Open = Option<fn() -> Device>;

/// Every device, the fastest first: `auto` takes the first that works.
const DEVICES: [(&str, Open); 4] = [("cuda", CUDA), ("vulkan", VULKAN), ("wgpu", WGPU), ("cpu", Some(Device::flex))];

#[cfg(feature = "cuda")]
const CUDA: Open = Some(|| Device::cuda(0usize));
#[cfg(not(feature = "cuda"))]
const CUDA: Open = None;

#[cfg(feature = "vulkan")]
const VULKAN: Open = Some(|| Device::vulkan(burn::tensor::DeviceKind::DefaultDevice));
#[cfg(not(feature = "vulkan"))]
const VULKAN: Open = None;

#[cfg(feature = "wgpu")]
const WGPU: Open = Some(|| Device::wgpu(burn::tensor::DeviceKind::DefaultDevice));
#[cfg(not(feature = "wgpu"))]
const WGPU: Open = None;

/// The device that `auto` is if it works: the fastest that this build has. Opens none.
#[must_use]
pub fn fastest_built_in() -> &'static str {
    DEVICES.iter().find(|(_, open)| open.is_some()).map_or("cpu", |(name, _)| name)
}

/// The device called `name`; `auto` is the fastest that works here.
///
/// # Errors
/// When the name is unknown, its feature is not built in, or the device does not work on this machine.
pub fn open_device(name: &str) -> Result<NamedDevice, DeviceError> {
    if name == "auto" {
        let working = DEVICES.iter().filter_map(|&(name, open)| open.map(|open| (name, open)));
        let mut last = DeviceError::NotBuiltIn("cpu");
        for (name, open) in working {
            match probe(name, open) {
                Ok(device) => return Ok(device),
                Err(error) => last = error,
            }
        }
        return Err(last);
    }
    let &(name, open) =
        DEVICES.iter().find(|(known, _)| *known == name).ok_or_else(|| DeviceError::Unknown(name.into()))?;
    probe(name, open.ok_or(DeviceError::NotBuiltIn(name))?)
}

/// Opens a device and adds two numbers on it: a missing driver shows only then, as a panic.
fn probe(name: &'static str, open: fn() -> Device) -> Result<NamedDevice, DeviceError> {
    if name == "cpu" {
        return Ok(NamedDevice { name, device: open() });
    }
    let attempt = std::panic::catch_unwind(|| {
        let device = open();
        let sum = Tensor::<1>::from_floats([1.0, 2.0], &device).sum().try_into_scalar::<f32>();
        sum.map(|_| device).map_err(|error| error.to_string())
    });
    let reason = match attempt {
        Ok(Ok(device)) => return Ok(NamedDevice { name, device }),
        Ok(Err(reason)) => reason,
        Err(panic) => panic_message(panic.as_ref()),
    };
    Err(DeviceError::Unusable { name, reason })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("its driver failed").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_finds_a_device_and_wrong_names_are_refused() {
        assert!(open_device("auto").is_ok());
        assert_eq!(open_device("cpu").unwrap().name, "cpu");
        assert_eq!(open_device("tpu").unwrap_err(), DeviceError::Unknown("tpu".into()));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_is_not_built_in_says_how_to_build_it() {
        let message = open_device("cuda").unwrap_err().to_string();
        assert_eq!(message, "device `cuda` is not built in; build with `cargo build --release --features cuda`");
    }
}
