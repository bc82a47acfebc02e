//! What a fetch from the hub shows: on a terminal a bar for each file, elsewhere a line when it is there.

use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::model::hub::HubProgress;
use crate::resolve::Progress;
use crate::units::{Bytes, Seconds};

/// Files that are there sooner are not worth a line where there is no terminal.
const WORTH_A_LINE: Seconds = Seconds(2.0);

/// Shows on standard error what it is told.
pub(super) struct HubDisplay {
    bar: Option<ProgressBar>,
    started: Instant,
    bytes: u64,
}

impl HubDisplay {
    pub(super) fn new() -> Self {
        Self { bar: None, started: Instant::now(), bytes: 0 }
    }
}

impl HubProgress for HubDisplay {
    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("note: {text}")),
            None => eprintln!("note: {text}"),
        }
    }

    fn file(&mut self, name: &str, size: Option<u64>, done: u64) {
        (self.started, self.bytes) = (Instant::now(), 0);
        if done > 0 && size != Some(done) {
            self.note(&format!("{name}: resuming after {}", Bytes(done)));
        }
        if std::io::stderr().is_terminal() {
            let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = "{msg} [{bar:32}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("━━ "));
            bar.set_message(name.to_owned());
            bar.set_position(done);
            bar.reset_eta();
            if let Some(before) = self.bar.replace(bar) {
                before.finish_and_clear();
            }
        }
    }

    fn advanced(&mut self, bytes: u64) {
        self.bytes += bytes;
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn finished(&mut self, name: &str) {
        let wall = Seconds(self.started.elapsed().as_secs_f64());
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if wall > WORTH_A_LINE {
            eprintln!("fetched {name}: {} in {wall}", Bytes(self.bytes));
        }
    }
}

impl Progress for HubDisplay {
    fn line(&mut self, text: &str) {
        eprintln!("{text}");
    }
}

impl Drop for HubDisplay {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
