//! What downloads show: on a terminal a bar for each file that is on its way, elsewhere a line when one is
//! there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar};

use super::streams::say;
use super::sweep_progress::bar_style;
use crate::download::Progress;
use crate::resolve;
use crate::units::{Bytes, Seconds};

/// Files that are there sooner are not worth a line where there is no terminal.
const WORTH_A_LINE: Seconds = Seconds(2.0);

/// Shows on standard error what it is told. Without a terminal its bars are hidden.
pub(crate) struct DownloadDisplay {
    bars: MultiProgress,
    running: Mutex<BTreeMap<String, Running>>,
}

struct Running {
    bar: ProgressBar,
    started: Instant,
    bytes: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl DownloadDisplay {
    pub(crate) fn new() -> Self {
        Self { bars: MultiProgress::new(), running: Mutex::default() }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        self.bars.suspend(|| say(&text));
    }

    fn bar(&self, name: &str, size: Option<u64>, done: u64) -> ProgressBar {
        let bar = self.bars.add(size.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
        bar.set_style(bar_style("{msg:28} [{bar:24}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left"));
        bar.set_message(name.to_owned());
        bar.set_position(done);
        bar.reset_eta();
        bar
    }
}

impl Progress for DownloadDisplay {
    fn note(&self, text: &str) {
        self.say(&format!("note: {text}"));
    }

    fn file(&self, name: &str, size: Option<u64>, done: u64) {
        if done > 0 && size != Some(done) {
            self.note(&format!("{name}: resuming after {}", Bytes(done)));
        }
        let running = Running { bar: self.bar(name, size, done), started: Instant::now(), bytes: 0 };
        self.running().insert(name.to_owned(), running);
    }

    fn advanced(&self, name: &str, bytes: u64) {
        if let Some(running) = self.running().get_mut(name) {
            running.bytes += bytes;
            running.bar.inc(bytes);
        }
    }

    fn finished(&self, name: &str) {
        let Some(running) = self.running().remove(name) else { return };
        let (bytes, wall) = (Bytes(running.bytes), Seconds(running.started.elapsed().as_secs_f64()));
        drop(running);
        if wall > WORTH_A_LINE {
            self.say(&format!("fetched {name}: {bytes} in {wall}"));
        }
    }
}

impl resolve::Progress for DownloadDisplay {
    fn line(&self, text: &str) {
        self.say(text);
    }
}
