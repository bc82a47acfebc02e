//! What a GPU is.

use burn::backend::DispatchDevice;
use burn::tensor::Device;

use crate::kernel::Gpu;
use crate::units::Bytes;

/// `device` as it describes itself, when it is one that our kernels run on.
pub(in crate::kernel) fn describe(device: &Device) -> Option<Gpu> {
    let mut device = device.as_dispatch();
    if let DispatchDevice::Autodiff(with) = device {
        device = with;
    }
    let DispatchDevice::Cube(device) = device else { return None };
    let client = device.client();
    let name = client.properties().identity.name.clone();
    let driver = driver_of(&name);
    let memory = client.properties().memory.max_memory().map(Bytes);
    Some(Gpu { name, backend: client.name().to_owned(), driver, memory })
}

/// The driver of the adapter with this name.
#[cfg(feature = "wgpu")]
fn driver_of(name: &str) -> Option<String> {
    use burn_wgpu::wgpu;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = burn_cubecl::cubecl::future::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let info = adapters.iter().map(wgpu::Adapter::get_info).find(|info| info.name == name)?;
    let driver = format!("{} {}", info.driver, info.driver_info);
    Some(driver.trim().to_owned()).filter(|driver| !driver.is_empty())
}

/// CUDA's is the one that the system has.
#[cfg(not(feature = "wgpu"))]
fn driver_of(_: &str) -> Option<String> {
    None
}
