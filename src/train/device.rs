//! Devices by name, chosen at run time.

use burn::tensor::{Device, Tensor};

use super::precision::{PrecisionError, one_of, precisions};
use crate::kernel::{Gpu, describe_gpu};
use crate::settings::{self, Precision};

/// A device and its name in experiment files and records.
#[derive(Clone, Debug)]
pub struct NamedDevice {
    /// `cpu`, `wgpu`, `vulkan` or `cuda`.
    pub name: &'static str,
    /// burn's handle, without autodiff.
    pub device: Device,
}

impl NamedDevice {
    /// What it is, if it is a GPU.
    #[must_use]
    pub fn gpu(&self) -> Option<Gpu> {
        describe_gpu(&self.device)
    }

    /// What it computes in.
    #[must_use]
    pub fn precisions(&self) -> Vec<Precision> {
        precisions(&self.device)
    }

    /// `precision`, if this device computes in it.
    ///
    /// # Errors
    /// When it does not.
    pub fn precision(&self, precision: Precision) -> Result<Precision, PrecisionError> {
        one_of(self.precisions(), precision, self.name)
    }

    /// Whether there are kernels to be timed.
    ///
    /// # Errors
    /// When it is no GPU.
    pub fn can_tune(&self) -> Result<(), NothingToTune> {
        if self.gpu().is_some() { Ok(()) } else { Err(NothingToTune(self.name.to_owned())) }
    }

    /// `cpu`; a GPU as it names itself, with its driver and what reaches it.
    #[must_use]
    pub fn described(&self) -> String {
        self.gpu().map_or_else(
            || self.name.to_owned(),
            |gpu| {
                let driver = gpu.driver.map(|driver| format!(", {driver}")).unwrap_or_default();
                format!("{} ({}{driver})", gpu.name, gpu.backend)
            },
        )
    }
}

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// No device has this name.
    #[error("unknown device `{0}`; known: auto, cpu, wgpu, vulkan, cuda, and of several GPUs one: vulkan:1")]
    Unknown(String),
    /// The program was built without it.
    #[error("device `{0}` is not built in; build with `cargo build --release --features {0}`")]
    NotBuiltIn(&'static str),
    /// The machine has fewer of them.
    #[error("there is no device `{name}:{index}` here: `{name}` reaches {found} (`bertbench list devices`)")]
    NoSuchIndex {
        /// The device's name.
        name: &'static str,
        /// What was asked for.
        index: u32,
        /// How many there are.
        found: usize,
    },
    /// It is built in, but does not work on this machine.
    #[error("device `{name}` does not work here: {reason}")]
    Unusable {
        /// The device's name.
        name: &'static str,
        /// What its first operation said.
        reason: String,
    },
}

/// Why nothing can be timed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`autotune` times the kernels of a GPU, and the device is `{0}`")]
pub struct NothingToTune(pub String);

impl NothingToTune {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "leave `autotune` out; on the CPU the instructions that it has decide"
    }
}

/// What reaches devices, as this build has it.
struct Kind {
    name: &'static str,
    /// `None` when its cargo feature is off.
    built_in: Option<BuiltIn>,
}

/// How devices of a kind are opened.
#[derive(Clone, Copy)]
struct BuiltIn {
    /// The best of them.
    best: fn() -> Device,
    /// All of them, in the order of their indices.
    all: fn() -> Vec<Device>,
}

/// Every kind, the fastest first: `auto` takes the first that works.
const DEVICES: [Kind; 4] = [
    Kind { name: "cuda", built_in: CUDA },
    Kind { name: "vulkan", built_in: VULKAN },
    Kind { name: "wgpu", built_in: WGPU },
    Kind { name: "cpu", built_in: Some(BuiltIn { best: Device::flex, all: || vec![Device::flex()] }) },
];

#[cfg(feature = "cuda")]
const CUDA: Option<BuiltIn> = Some(BuiltIn {
    best: || Device::cuda(0usize),
    all: || Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec(),
});
#[cfg(not(feature = "cuda"))]
const CUDA: Option<BuiltIn> = None;

#[cfg(feature = "vulkan")]
const VULKAN: Option<BuiltIn> = Some(BuiltIn {
    best: || Device::vulkan(burn::tensor::DeviceKind::DefaultDevice),
    all: || Device::enumerate(burn::tensor::DeviceType::Vulkan).into_vec(),
});
#[cfg(not(feature = "vulkan"))]
const VULKAN: Option<BuiltIn> = None;

#[cfg(feature = "wgpu")]
const WGPU: Option<BuiltIn> = Some(BuiltIn {
    best: || Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
    all: || Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec(),
});
#[cfg(not(feature = "wgpu"))]
const WGPU: Option<BuiltIn> = None;

/// The device that `auto` is if it works: the fastest that this build has. Opens none.
#[must_use]
pub fn fastest_built_in() -> &'static str {
    DEVICES.iter().find(|kind| kind.built_in.is_some()).map_or("cpu", |kind| kind.name)
}

/// The device called `name`: `auto` is the fastest that works here, `vulkan` the best GPU that Vulkan reaches, `vulkan:1`
/// the second that it lists.
///
/// # Errors
/// When the name is unknown, its feature is not built in, or the device does not work on this machine.
pub fn open_device(name: &str) -> Result<NamedDevice, DeviceError> {
    let asked: settings::Device = name.parse().map_err(DeviceError::Unknown)?;
    if asked.kind == settings::DeviceKind::Auto {
        let mut last = DeviceError::NotBuiltIn("cpu");
        for Kind { name, built_in } in &DEVICES {
            let Some(BuiltIn { best, .. }) = built_in else { continue };
            match probe(name, *best) {
                Ok(device) => return Ok(device),
                Err(error) => last = error,
            }
        }
        return Err(last);
    }
    let kind = DEVICES.iter().find(|kind| kind.name == asked.kind.name());
    let &Kind { name, built_in } = kind.ok_or_else(|| DeviceError::Unknown(name.into()))?;
    let BuiltIn { best, all } = built_in.ok_or(DeviceError::NotBuiltIn(name))?;
    let Some(index) = asked.index else { return probe(name, best) };
    let mut found = caught(name, all)?;
    if index as usize >= found.len() {
        return Err(DeviceError::NoSuchIndex { name, index, found: found.len() });
    }
    let device = found.swap_remove(index as usize);
    probe(name, move || device.clone())
}

/// Opens a device and adds two numbers on it: a missing driver shows only then, as a panic.
fn probe(name: &'static str, open: impl Fn() -> Device) -> Result<NamedDevice, DeviceError> {
    if name == "cpu" {
        return Ok(NamedDevice { name, device: open() });
    }
    let sum = caught(name, || {
        let device = open();
        let sum = Tensor::<1>::from_floats([1.0, 2.0], &device).sum().try_into_scalar::<f32>();
        sum.map(|_| device).map_err(|error| error.to_string())
    })?;
    sum.map(|device| NamedDevice { name, device }).map_err(|reason| DeviceError::Unusable { name, reason })
}

/// What `ask` says; a driver's panic is an error.
fn caught<T>(name: &'static str, ask: impl FnOnce() -> T) -> Result<T, DeviceError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(ask))
        .map_err(|panic| DeviceError::Unusable { name, reason: panic_message(panic.as_ref()) })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("its driver failed").to_owned()
}

/// A device as `bertbench list devices` shows it.
#[derive(Clone, Debug)]
pub struct FoundDevice {
    /// As experiment files name it: `cpu`, `vulkan:1`.
    pub device: String,
    /// What it is, or why it cannot be used.
    pub found: Result<Found, DeviceError>,
}

/// A device that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is besides the CPU.
    pub gpu: Option<Gpu>,
    /// What it computes in.
    pub precisions: Vec<Precision>,
}

/// Every device of this machine that this build reaches, and the kinds that it does not.
#[must_use]
pub fn list_devices() -> Vec<FoundDevice> {
    let mut found = Vec::new();
    for &Kind { name, built_in } in DEVICES.iter().rev() {
        let all = built_in.ok_or(DeviceError::NotBuiltIn(name)).and_then(|kind| caught(name, kind.all));
        match all {
            Err(error) => found.push(FoundDevice { device: name.to_owned(), found: Err(error) }),
            Ok(all) if all.is_empty() => {
                let reason = "it finds no device".to_owned();
                found.push(FoundDevice { device: name.to_owned(), found: Err(DeviceError::Unusable { name, reason }) });
            }
            Ok(all) => found.extend((0..).zip(all).map(|(index, device)| {
                let opened = probe(name, move || device.clone());
                let found = opened.map(|NamedDevice { device, .. }| Found {
                    gpu: describe_gpu(&device),
                    precisions: precisions(&device),
                });
                FoundDevice { device: settings::with_index(name, Some(index)), found }
            })),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_finds_a_device_and_wrong_names_are_refused() {
        assert!(open_device("auto").is_ok());
        assert_eq!(open_device("cpu").unwrap().name, "cpu");
        assert_eq!(open_device("cpu").unwrap().described(), "cpu");
        assert_eq!(open_device("tpu").unwrap_err(), DeviceError::Unknown("tpu".into()));
        assert_eq!(open_device("vulkan:x").unwrap_err(), DeviceError::Unknown("vulkan:x".into()));
    }

    #[test]
    fn every_kind_is_listed_and_the_cpu_works() {
        let found = list_devices();
        let names: Vec<&str> = found.iter().map(|device| device.device.split(':').next().unwrap_or_default()).collect();
        assert_eq!(names[0], "cpu");
        assert!(["wgpu", "vulkan", "cuda"].iter().all(|kind| names.contains(kind)), "{names:?}");
        let cpu = found[0].found.as_ref().unwrap();
        assert!(cpu.gpu.is_none() && cpu.precisions.contains(&Precision::F32));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_is_not_built_in_says_how_to_build_it() {
        for name in ["cuda", "cuda:1"] {
            let message = open_device(name).unwrap_err().to_string();
            assert_eq!(message, "device `cuda` is not built in; build with `cargo build --release --features cuda`");
        }
    }

    #[cfg(feature = "cube")]
    #[test]
    fn a_gpu_says_what_it_is_and_an_index_past_the_last_is_refused() {
        let name = fastest_built_in();
        let gpu = open_device(name).unwrap();
        assert!(gpu.described().contains('('), "{}", gpu.described());
        let error = open_device(&format!("{name}:99")).unwrap_err();
        assert!(matches!(error, DeviceError::NoSuchIndex { index: 99, .. }), "{error}");
    }
}
