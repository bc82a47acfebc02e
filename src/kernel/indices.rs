//! Row numbers and classes on a device.

use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Bytes sent to devices by what a step does.
static SENT: AtomicU64 = AtomicU64::new(0);

/// Bytes that devices were asked for.
#[cfg(feature = "cube")]
static RECEIVED: AtomicU64 = AtomicU64::new(0);

/// `numbers` on `device`, `[numbers]`.
#[must_use]
pub fn indices(numbers: impl IntoIterator<Item = u32>, device: &Device) -> Tensor<1, Int> {
    let numbers: Vec<i32> = numbers.into_iter().map(|number| number as i32).collect();
    let length = numbers.len();
    count_sent(size_of_val(&*numbers));
    Tensor::from_data(TensorData::new(numbers, [length]), device)
}

/// Adds to [`sent`].
pub(super) fn count_sent(bytes: usize) {
    SENT.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// Bytes that steps have sent to devices since the program started.
pub(super) fn sent() -> u64 {
    SENT.load(Ordering::Relaxed)
}

/// Adds to [`received`].
#[cfg(feature = "cube")]
pub(super) fn count_received(bytes: usize) {
    RECEIVED.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// Bytes that devices have sent since the program started.
#[cfg(feature = "cube")]
pub(super) fn received() -> u64 {
    RECEIVED.load(Ordering::Relaxed)
}
