//! An experiment file on this machine: everything between what is written and what can run.
//!
//! ```text
//! EXPERIMENT.yaml ─config─▶ Experiment ─(checksums, dimensions, initial weights)─▶ Identity: which runs there are
//!                                     ─(device, hub, tokens)─▶ Prepared: Plan + RunContext
//! ```
//!
//! Nothing here prints: who wants to show how a fetch or a preparation goes gives a [`Progress`].

mod calibration;
mod checkpoint;
mod data;
mod error;
mod identity;
mod ner;
mod prepared;
mod pretraining;
mod progress;
mod request;
mod stored;
mod tasks;

pub use calibration::Calibrations;
pub use checkpoint::checkpoint_argument;
pub use data::{DataRoot, data_root, device_name};
pub use error::ResolveError;
pub use identity::Identity;
pub use ner::{NerExperiment, NerFlags, TEST as NER_TEST};
pub use prepared::Prepared;
pub use progress::{Progress, Silent};
pub use request::Request;

#[cfg(test)]
mod tests;
