//! Numbers on their way from a GPU.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use burn::tensor::Tensor;
use burn_cubecl::cubecl::future::block_on;
use burn_cubecl::cubecl::server::ServerError;
use burn_std::Bytes;

use super::tensor::{length, primitive};
use crate::kernel::DeviceFault;
use crate::kernel::indices::count_received;

/// What the device sends, buffer by buffer.
type Sent = Result<Vec<Bytes>, ServerError>;

/// A copy from the device that was begun. CubeCL takes the memory that it goes to for free when nobody waits for it, and would
/// map it a second time while the device still writes there; so it is waited for even when nobody wants it any more.
enum Copied {
    Coming(Option<Pin<Box<dyn Future<Output = Sent> + Send>>>),
    There(Sent),
}

impl Copied {
    /// The first poll queues the copy, behind all kernels that were launched.
    fn begin(mut coming: Pin<Box<dyn Future<Output = Sent> + Send>>) -> Self {
        match coming.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(sent) => Self::There(sent),
            Poll::Pending => Self::Coming(Some(coming)),
        }
    }

    fn wait(mut self) -> Sent {
        match &mut self {
            Self::Coming(coming) => coming.take().map_or_else(|| Ok(Vec::new()), block_on),
            Self::There(sent) => std::mem::replace(sent, Ok(Vec::new())),
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        if let Self::Coming(coming) = self {
            drop(coming.take().map(block_on));
        }
    }
}

/// Has the numbers of `tensors`, which are on one GPU, sent when it has come that far; what is given waits for them.
pub(in crate::kernel) fn send<const N: usize>(
    tensors: [Tensor<1>; N],
) -> impl FnOnce() -> Result<[Vec<f32>; N], DeviceFault> + Send + 'static {
    let tensors = tensors.map(primitive);
    let lengths = tensors.each_ref().map(length);
    count_received(lengths.iter().sum::<usize>() * size_of::<f32>());
    let client = tensors.first().map(|tensor| tensor.client.clone());
    let handles = tensors.into_iter().map(|tensor| tensor.handle).collect();
    let copy = Copied::begin(Box::pin(async move {
        match client {
            Some(client) => client.read_async(handles).await,
            None => Ok(Vec::new()),
        }
    }));
    move || {
        let sent = copy.wait().map_err(|error| DeviceFault(error.to_string()))?;
        let mut sent = sent.iter();
        Ok(lengths.map(|length| {
            let bytes = sent.next().map_or(&[][..], |bytes| &**bytes);
            let numbers = bytes.chunks_exact(size_of::<f32>()).take(length);
            numbers.map(|bytes| f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
        }))
    }
}
