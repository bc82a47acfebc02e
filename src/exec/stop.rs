//! Asking a sweep to stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

/// Whether a stop was asked for; at first it was not. Clones share the answer.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicUsize>);

impl StopFlag {
    /// A flag that Ctrl-C, SIGTERM and SIGUSR1 (which batch systems send before a job's time is over) set: once to stop after the current optimisation step, twice to
    /// stop at once. From now on these signals no longer end the process by themselves.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn on_signals() -> io::Result<Self> {
        let flag = Self::default();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1])?;
        let heard = flag.clone();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for _ in &mut signals {
                heard.request();
            }
        })?;
        Ok(flag)
    }

    /// Asks for a stop; the second time, for a stop at once.
    pub fn request(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }

    /// Whether a stop was asked for twice.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.0.load(Ordering::Acquire) > 1
    }
}
