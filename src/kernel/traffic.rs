//! What is sent to a GPU, what runs there, and how long.

use crate::units::Seconds;

/// Since the program started counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Kernels that were launched, products included.
    pub launches: u64,
    /// Bytes that steps sent: row numbers and classes. Constants of a launch are not counted.
    pub uploaded: u64,
    /// Bytes that steps asked for: losses and norms.
    pub downloaded: u64,
}

/// Counts from now on, for as long as it lives.
#[derive(Debug)]
pub struct TrafficCounter {
    #[cfg(feature = "cube")]
    launches: super::cube::LaunchCounter,
    sent: u64,
    #[cfg(feature = "cube")]
    received: u64,
}

impl TrafficCounter {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        Self {
            #[cfg(feature = "cube")]
            launches: super::cube::LaunchCounter::start(),
            sent: super::indices::sent(),
            #[cfg(feature = "cube")]
            received: super::indices::received(),
        }
    }

    /// Up to now.
    #[must_use]
    pub fn so_far(&self) -> Traffic {
        #[cfg(feature = "cube")]
        let (launches, downloaded) = (self.launches.so_far(), super::indices::received() - self.received);
        #[cfg(not(feature = "cube"))]
        let (launches, downloaded) = (0, 0);
        Traffic { launches, uploaded: super::indices::sent() - self.sent, downloaded }
    }
}

/// Times the kernels of GPUs from now on, for as long as it lives. Each costs the CPU more then.
#[derive(Debug)]
pub struct BusyTimer {
    #[cfg(feature = "cube")]
    kernels: super::cube::KernelTimer,
}

impl BusyTimer {
    /// Begins.
    #[must_use]
    pub fn start() -> Self {
        Self {
            #[cfg(feature = "cube")]
            kernels: super::cube::KernelTimer::start(),
        }
    }

    /// How long the kernels that were launched meanwhile took together, for which it waits; `None` when the device does
    /// not time them.
    #[must_use]
    pub fn busy(self) -> Option<Seconds> {
        #[cfg(feature = "cube")]
        let busy = self.kernels.busy();
        #[cfg(not(feature = "cube"))]
        let busy = None;
        busy
    }
}
