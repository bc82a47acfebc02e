//! How resolving goes, for who wants to show it.

use super::scratch::Scratch;
use crate::download;

/// Is told what happens while an experiment is resolved.
pub trait Progress: download::Progress {
    /// A line about something that takes its time.
    fn line(&self, text: &str);
}

/// What resolving may use.
#[derive(Clone, Copy)]
pub(super) struct Access<'a> {
    /// Is told how it goes.
    pub(super) progress: &'a dyn Progress,
    /// Whether devices are opened, and what is missing is fetched from the hub. Otherwise what was fetched must do.
    pub(super) machine: bool,
    /// Where what is missing is made for as long as it is needed. Without it, what is missing is made in its place, and
    /// kept for the runs.
    pub(super) scratch: Option<&'a Scratch>,
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
