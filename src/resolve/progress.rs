//! How resolving goes, for who wants to show it.

use crate::download;

/// Is told what happens while an experiment is resolved.
pub trait Progress: download::Progress {
    /// A line about something that takes its time.
    fn line(&self, text: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl download::Progress for Silent {
    fn note(&self, _: &str) {}
    fn file(&self, _: &str, _: Option<u64>, _: u64) {}
    fn advanced(&self, _: &str, _: u64) {}
    fn finished(&self, _: &str) {}
}

impl Progress for Silent {
    fn line(&self, _: &str) {}
}
