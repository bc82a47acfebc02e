//! How far work on a text is.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::lines::say;
use crate::units::Bytes;

/// Where there is no terminal, a line comes this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far the work is, on standard error: on a terminal a bar, elsewhere a line now and then.
pub(crate) struct TextProgress {
    bar: Option<ProgressBar>,
    last: Mutex<Instant>,
}

impl TextProgress {
    pub(crate) fn new(total: Bytes) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = "[{bar:32}] {bytes} of {total_bytes}, {msg}";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total.0);
            bar.set_style(style.progress_chars("━━ "));
            bar
        });
        Self { bar, last: Mutex::new(Instant::now()) }
    }

    /// So many bytes of text are done, which `words` says more about.
    pub(crate) fn say(&self, bytes: Bytes, words: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes.0);
            bar.set_message(words());
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            say(&words());
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
