//! What downloads show: on a terminal a bar for each file that is on its way, elsewhere a line when one is
//! there.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::lines::say;
use crate::download::Progress;
use crate::resolve;
use crate::units::{Bytes, Seconds};

/// Files that are there sooner are not worth a line where there is no terminal.
const WORTH_A_LINE: Seconds = Seconds(2.0);

/// Shows on standard error what it is told.
pub(crate) struct DownloadDisplay {
    bars: MultiProgress,
    on_terminal: bool,
    running: Mutex<BTreeMap<String, Running>>,
}

/// A file on its way.
struct Running {
    bar: Option<ProgressBar>,
    started: Instant,
    bytes: u64,
}

impl DownloadDisplay {
    pub(crate) fn new() -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        Self { bars: MultiProgress::new(), on_terminal, running: Mutex::default() }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        self.bars.suspend(|| say(&text));
    }

    fn bar(&self, name: &str, size: Option<u64>, done: u64) -> ProgressBar {
        let bar = self.bars.add(size.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
        let template = "{msg:28} [{bar:24}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("━━ "));
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
        let bar = self.on_terminal.then(|| self.bar(name, size, done));
        let before = self.running().insert(name.to_owned(), Running { bar, started: Instant::now(), bytes: 0 });
        if let Some(bar) = before.and_then(|before| before.bar) {
            bar.finish_and_clear();
        }
    }

    fn advanced(&self, name: &str, bytes: u64) {
        if let Some(running) = self.running().get_mut(name) {
            running.bytes += bytes;
            if let Some(bar) = &running.bar {
                bar.inc(bytes);
            }
        }
    }

    fn finished(&self, name: &str) {
        let Some(running) = self.running().remove(name) else { return };
        if let Some(bar) = running.bar {
            bar.finish_and_clear();
        }
        let wall = Seconds(running.started.elapsed().as_secs_f64());
        if wall > WORTH_A_LINE {
            self.say(&format!("fetched {name}: {} in {wall}", Bytes(running.bytes)));
        }
    }
}

impl resolve::Progress for DownloadDisplay {
    fn line(&self, text: &str) {
        self.say(text);
    }
}

impl Drop for DownloadDisplay {
    fn drop(&mut self) {
        for running in self.running().values() {
            if let Some(bar) = &running.bar {
                bar.finish_and_clear();
            }
        }
    }
}
