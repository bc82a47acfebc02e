//! Runs by what a user names: experiment files, experiments, models in them, single runs; and what those runs left, for
//! reports, comparisons and exports.
//!
//! What an experiment file asks for is the plan that was kept when it was run; nothing here resolves it anew.

mod experiments;
mod operand;
mod pages;
mod run;

pub use experiments::{experiments, gathered, gathered_files};
pub use operand::{Operand, with_baseline};
pub use pages::Pages;
pub use run::find_run;
