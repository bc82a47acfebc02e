//! Values that a device may still be computing.

use std::fmt;

use burn::tensor::Tensor;

#[cfg(feature = "cube")]
use super::cube;

/// A device failed: it was lost, its memory is used up, or its driver says something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the device failed: {0}")]
pub struct DeviceFault(pub String);

/// A value, or one that a GPU has been asked for and sends when it has computed it.
pub struct Deferred<T>(State<T>);

enum State<T> {
    Known(T),
    #[cfg(feature = "cube")]
    Coming(Box<dyn FnOnce() -> Result<T, DeviceFault> + Send>),
}

impl<T> Deferred<T> {
    /// A value that is there.
    pub fn known(value: T) -> Self {
        Self(State::Known(value))
    }

    /// Whether [`Self::wait`] waits for nothing.
    pub fn is_known(&self) -> bool {
        matches!(self.0, State::Known(_))
    }

    /// Waits for the device.
    ///
    /// # Errors
    /// When the device failed.
    pub fn wait(self) -> Result<T, DeviceFault> {
        match self.0 {
            State::Known(value) => Ok(value),
            #[cfg(feature = "cube")]
            State::Coming(receive) => receive(),
        }
    }
}

impl<T: Send + 'static> Deferred<T> {
    /// What `make` makes of the numbers of `tensors` (without autodiff). A GPU begins to send them when it has done all
    /// that it was told before, and is not waited for; other devices are read at once.
    pub fn read<const N: usize>(
        tensors: [Tensor<1>; N],
        make: impl FnOnce([Vec<f32>; N]) -> T + Send + 'static,
    ) -> Self {
        #[cfg(feature = "cube")]
        if tensors.iter().all(|tensor| super::is_gpu(&tensor.device())) {
            let receive = cube::send(tensors);
            return Self(State::Coming(Box::new(move || receive().map(make))));
        }
        Self::known(make(tensors.map(|tensor| tensor.into_data().iter::<f32>().collect())))
    }

    /// What `change` makes of it.
    #[must_use]
    pub fn map<U>(self, change: impl FnOnce(T) -> U + Send + 'static) -> Deferred<U> {
        match self.0 {
            State::Known(value) => Deferred::known(change(value)),
            #[cfg(feature = "cube")]
            State::Coming(receive) => Deferred(State::Coming(Box::new(move || receive().map(change)))),
        }
    }

    /// Both.
    #[must_use]
    pub fn and<U: Send + 'static>(self, other: Deferred<U>) -> Deferred<(T, U)> {
        match (self.0, other.0) {
            (State::Known(one), State::Known(other)) => Deferred::known((one, other)),
            #[cfg(feature = "cube")]
            (one, other) => {
                let (one, other) = (Deferred(one), Deferred(other));
                Deferred(State::Coming(Box::new(move || Ok((one.wait()?, other.wait()?)))))
            }
        }
    }
}

impl<T: Default> Default for Deferred<T> {
    fn default() -> Self {
        Self::known(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Known(value) => f.debug_tuple("Known").field(value).finish(),
            #[cfg(feature = "cube")]
            State::Coming(_) => f.write_str("Coming"),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn what_is_known_is_changed_and_combined_at_once() {
        let device = Device::flex();
        let tensors = [Tensor::<1>::from_floats([1.0, 2.0], &device), Tensor::<1>::from_floats([3.0], &device)];
        let read = Deferred::read(tensors, |[some, one]| some.into_iter().chain(one).sum::<f32>());
        let both = read.map(|sum| sum * 2.0).and(Deferred::known(7));
        assert!(both.is_known());
        assert_eq!(both.wait(), Ok((12.0, 7)));
    }
}
