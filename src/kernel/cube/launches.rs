//! How many kernels are launched, and how long they keep the device busy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use burn_cubecl::cubecl::future::block_on;
use burn_cubecl::cubecl::logging::{
    Duration, LaunchObservation, LaunchObserver, ProfileDuration, TimingMethod, TimingRequest,
};

use crate::units::Seconds;

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

/// Has the device time every kernel that this process launches for as long as it lives.
#[derive(Debug)]
pub(in crate::kernel) struct KernelTimer {
    timed: Arc<Timed>,
    _observation: LaunchObservation,
}

#[derive(Default)]
struct Timed(Mutex<Vec<ProfileDuration>>);

impl std::fmt::Debug for Timed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Timed")
    }
}

impl LaunchObserver for Timed {
    fn launched(&self, _: &'static str) {}

    fn timing(&self) -> TimingRequest {
        TimingRequest::Deferred
    }

    fn profiled(&self, _: &'static str, profile: ProfileDuration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(profile);
    }

    fn timed(&self, _: &'static str, _: Duration, _: TimingMethod) {}
}

impl KernelTimer {
    pub(in crate::kernel) fn start() -> Self {
        let timed = Arc::new(Timed::default());
        Self { _observation: LaunchObservation::new(timed.clone()), timed }
    }

    /// How long all kernels took together; `None` when the device did not time each of them itself.
    pub(in crate::kernel) fn busy(self) -> Option<Seconds> {
        let profiles = std::mem::take(&mut *self.timed.0.lock().unwrap_or_else(PoisonError::into_inner));
        let seconds = profiles.into_iter().map(|profile| match profile.timing_method() {
            TimingMethod::Device => block_on(profile.resolve()).map(|ticks| ticks.duration().as_secs_f64()),
            TimingMethod::System => None,
        });
        seconds.sum::<Option<f64>>().map(Seconds)
    }
}
