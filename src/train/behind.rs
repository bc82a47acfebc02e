//! What a device was told to compute and has not sent yet, in order.

use std::collections::VecDeque;

use crate::kernel::{Deferred, DeviceFault};

/// Values that a device computes one after the other.
#[derive(Debug)]
pub(super) struct Behind<T>(VecDeque<Deferred<T>>);

impl<T> Behind<T> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    /// One more, which the device computes after all others.
    pub(super) fn push(&mut self, value: Deferred<T>) {
        self.0.push_back(value);
    }

    /// The oldest, when it is known or when more than `most` may be left to the device; waits for it then.
    ///
    /// # Errors
    /// When the device failed.
    pub(super) fn next_but(&mut self, most: usize) -> Result<Option<T>, DeviceFault> {
        let is_due = self.0.len() > most || self.0.front().is_some_and(Deferred::is_known);
        if !is_due {
            return Ok(None);
        }
        self.0.pop_front().map(Deferred::wait).transpose()
    }
}
