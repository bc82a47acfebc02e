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

use crate::model::hub::HubProgress;

/// Is told what happens while an experiment is resolved.
pub trait Progress: HubProgress {
    /// A line about something that takes its time.
    fn line(&mut self, text: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl HubProgress for Silent {
    fn note(&mut self, _: &str) {}
    fn file(&mut self, _: &str, _: Option<u64>, _: u64) {}
    fn advanced(&mut self, _: u64) {}
    fn finished(&mut self, _: &str) {}
}

impl Progress for Silent {
    fn line(&mut self, _: &str) {}
}
