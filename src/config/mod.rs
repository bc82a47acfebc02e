//! The experiment file: read strictly, checked, and turned into plain values.
//!
//! ```text
//! text ─yaml─▶ tree with places ─overrides─▶ tree ─typed─▶ as written ─check─▶ Experiment
//! ```
//!
//! Every error is a [`Diagnostic`](crate::diagnostic::Diagnostic) that points at the characters to
//! blame. Places stay inside this module; [`ExperimentBase::place_of`] gives them out by key path.

mod approach;
mod base;
mod check;
mod dimensions;
mod document;
mod experiment;
mod explain;
mod hub;
mod lengths;
mod limits;
mod load;
mod model;
mod models;
mod names;
mod overrides;
mod pretraining;
mod pretraining_check;
mod reading;
mod recipe;
mod schema;
mod task;
mod tasks;
mod typed;
mod values;
mod written;
mod written_model;
mod written_pretrain;
mod written_training;
mod wrong;
mod yaml;

pub use base::ExperimentBase;
pub use experiment::{DataSource, Experiment, ExperimentFile, data_cache};
pub use hub::{DEFAULT_REVISION, HubModel};
pub use load::{load, parse};
pub use model::{Dimensions, Model, ModelSource};
pub use pretraining::{Phase, PhaseExamples, PretrainModel, Pretraining, Recipe, TextSource};
pub use schema::schema;
pub use task::{KnownTask, Task, TaskShape};
pub use written::Sweep;
pub use written_model::{Preset, Pretrained};
pub use written_training::Training;

#[cfg(test)]
mod tests;
