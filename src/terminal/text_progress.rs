//! How far work on a text is.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::streams::say;
use super::sweep_progress::bar_style;
use crate::units::Bytes;

/// Where there is no terminal, a line comes this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far the work is, on standard error: on a terminal a bar, elsewhere a line now and then.
pub(crate) struct TextProgress {
    bar: ProgressBar,
    last: Mutex<Instant>,
}

impl TextProgress {
    pub(crate) fn new(total: Bytes) -> Self {
        let style = bar_style("[{bar:32}] {bytes} of {total_bytes}, {msg}");
        Self { bar: ProgressBar::new(total.0).with_style(style), last: Mutex::new(Instant::now()) }
    }

    /// So many bytes of text are done, which `words` says more about.
    pub(crate) fn say(&self, bytes: Bytes, words: impl FnOnce() -> String) {
        // Without a terminal.
        if !self.bar.is_hidden() {
            self.bar.set_position(bytes.0);
            self.bar.set_message(words());
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            say(&words());
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
