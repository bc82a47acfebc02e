//! Plain files are the database: one folder a run, one writer a file, the record last.

pub mod atomic;
pub mod record;
pub mod settings;

pub use record::{Evaluation, Failure, Host, Provenance, Record, Score, Timings};
pub use settings::{Architecture, RunId, RunSettings, Start, TrainingSettings};
