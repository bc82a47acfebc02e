//! An experiment file on this machine: everything between what is written and what can run.
//!
//! ```text
//! EXPERIMENT.yaml ─config─▶ Experiment ─(device, checkpoints, hub, vocabularies, data, corpora)─▶ Plan + RunContext
//! ```
//!
//! Nothing here prints: who wants to show how a fetch or a preparation goes gives a [`Progress`].

mod calibration;
mod checkpoint;
mod data;
mod error;
mod inputs;
mod prepared;
mod pretraining;
mod stored;

pub use calibration::{Calibrations, pretraining_forecasts};
pub use checkpoint::checkpoint_argument;
pub use data::{DataRoot, data_root, device_name};
pub use error::ResolveError;
pub use prepared::{Either, Prepared, Request};
pub use pretraining::PreparedPretraining;

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
