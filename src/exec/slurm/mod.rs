//! Runs as Slurm job arrays.
//!
//! An array task is `bertbench run` of a few runs, whose ids stand in its line of a list: claims, records, checkpoints
//! and resuming are what they are on one machine, and the folder of runs is the only state. A submission is a folder
//! `runs/EXPERIMENT/.slurm/N/` that is written once: a copy of the experiment file, and for each array its list of
//! runs, its batch script, and the number that Slurm gave it.

mod array;
mod commands;
mod queue;
mod script;
mod submission;

pub use array::{Array, TIME_FACTOR, group};
pub use commands::{SlurmError, cancel, largest_array, submit};
pub use queue::{Place, Queue, TaskState};
pub use script::{Script, words};
pub use submission::{Submission, create, next_folder, submissions};
