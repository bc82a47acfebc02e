//! What is sent to a GPU, and what runs there.

/// Since the program started counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Kernels that were launched, products included.
    pub launches: u64,
    /// Bytes that steps sent: row numbers and classes. Constants of a launch are not counted.
    pub uploaded: u64,
}

/// Counts from now on, for as long as it lives.
#[derive(Debug)]
pub struct TrafficCounter {
    #[cfg(feature = "cube")]
    launches: super::cube::LaunchCounter,
    before: u64,
}

impl TrafficCounter {
    /// Begins to count.
    #[must_use]
    pub fn start() -> Self {
        Self {
            #[cfg(feature = "cube")]
            launches: super::cube::LaunchCounter::start(),
            before: super::indices::sent(),
        }
    }

    /// Up to now.
    #[must_use]
    pub fn so_far(&self) -> Traffic {
        #[cfg(feature = "cube")]
        let launches = self.launches.so_far();
        #[cfg(not(feature = "cube"))]
        let launches = 0;
        Traffic { launches, uploaded: super::indices::sent() - self.before }
    }
}
