//! How many kernels are launched.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};

/// Counts every launch of this process for as long as it lives.
#[derive(Debug)]
pub(in crate::kernel) struct LaunchCounter {
    counted: Arc<Counted>,
    _observation: LaunchObservation,
}

#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl LaunchObserver for Counted {
    fn launched(&self, _: &'static str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl LaunchCounter {
    pub(in crate::kernel) fn start() -> Self {
        let counted = Arc::new(Counted::default());
        Self { _observation: LaunchObservation::new(counted.clone()), counted }
    }

    pub(in crate::kernel) fn so_far(&self) -> u64 {
        self.counted.0.load(Ordering::Relaxed)
    }
}
