//! What a GPU is.

use burn::backend::DispatchDevice;
use burn::tensor::Device;
use burn_cubecl::CubeDevice;
use burn_cubecl::cubecl::ir::features::TypeUsage;
use burn_cubecl::cubecl::ir::{ElemType, FloatKind};

use crate::kernel::{Gpu, Precision};
use crate::units::Bytes;

/// `device` as it describes itself, when it is one that our kernels run on.
pub(in crate::kernel) fn describe(device: &Device) -> Option<Gpu> {
    let client = cube_device(device)?.client();
    let name = client.properties().identity.name.clone();
    let driver = driver_of(&name);
    let memory = client.properties().memory.max_memory().map(Bytes);
    Some(Gpu { name, backend: client.name().to_owned(), driver, memory })
}

fn cube_device(device: &Device) -> Option<&CubeDevice> {
    let mut device = device.as_dispatch();
    if let DispatchDevice::Autodiff(with) = device {
        device = with;
    }
    if let DispatchDevice::Cube(device) = device { Some(device) } else { None }
}

/// The precisions that `device` multiplies in: f32, and types of 16 bits that it keeps in buffers and either computes with
/// or multiplies in matrices with sums in f32. None of a device that our kernels do not run on.
pub(in crate::kernel) fn precisions(device: &Device) -> Vec<Precision> {
    let Some(device) = cube_device(device) else { return Vec::new() };
    let client = device.client();
    let properties = client.properties();
    let f32 = ElemType::Float(FloatKind::F32);
    let has = |kind: FloatKind| {
        let (elements, usage) = (ElemType::Float(kind), properties.type_usage(ElemType::Float(kind)));
        let multiplies = properties
            .features
            .matmul
            .cmma
            .iter()
            .any(|matrices| (matrices.a_type, matrices.b_type, matrices.cd_type) == (elements, elements, f32));
        let is_stored = usage.contains(TypeUsage::Conversion) && usage.contains(TypeUsage::Buffer);
        is_stored && (usage.contains(TypeUsage::Arithmetic) || multiplies)
    };
    let halves = [(Precision::Bf16, FloatKind::BF16), (Precision::F16, FloatKind::F16)];
    let halves = halves.into_iter().filter(|(_, kind)| has(*kind)).map(|(precision, _)| precision);
    std::iter::once(Precision::F32).chain(halves).collect()
}

/// The driver of the adapter with this name.
#[cfg(any(feature = "wgpu", feature = "vulkan"))]
fn driver_of(name: &str) -> Option<String> {
    use burn_wgpu::wgpu;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = burn_cubecl::cubecl::future::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let info = adapters.iter().map(wgpu::Adapter::get_info).find(|info| info.name == name)?;
    let driver = format!("{} {}", info.driver, info.driver_info);
    Some(driver.trim().to_owned()).filter(|driver| !driver.is_empty())
}

/// CUDA's is the kernel module's, as Linux tells it.
#[cfg(not(any(feature = "wgpu", feature = "vulkan")))]
fn driver_of(_: &str) -> Option<String> {
    nvidia_version(&std::fs::read_to_string("/proc/driver/nvidia/version").ok()?)
}

/// The version in `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue Jun  6 22:20:39 UTC 2023`.
#[cfg(any(test, not(any(feature = "wgpu", feature = "vulkan"))))]
fn nvidia_version(text: &str) -> Option<String> {
    let is_version = |word: &&str| word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let version = text.lines().next()?.split_whitespace().find(is_version)?;
    Some(format!("NVIDIA {version}"))
}

#[cfg(test)]
mod tests {
    use super::nvidia_version;

    #[test]
    fn the_version_of_nvidias_module_is_found_in_both_of_its_forms() {
        for (line, expected) in [
            ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue Jun  6 22:20:39 UTC 2023", "535.54.03"),
            ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.90.07  Release Build", "550.90.07"),
        ] {
            let text = format!("{line}\nGCC version:  gcc version 12.2.0\n");
            assert_eq!(nvidia_version(&text), Some(format!("NVIDIA {expected}")));
        }
        assert_eq!(nvidia_version(""), None);
        assert_eq!(nvidia_version("another\n"), None);
    }
}
