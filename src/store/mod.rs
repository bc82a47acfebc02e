//! Plain files are the database: one folder a run, one writer a file, the record last.

mod answers;
mod approach;
pub mod atomic;
mod attempt;
mod checkpoints;
mod claim;
mod claim_note;
mod claim_watch;
mod diff;
mod encoder_speed;
mod error;
mod evaluation;
mod events;
#[cfg(test)]
pub(crate) mod example;
mod examples;
mod failure;
mod flush;
mod folder;
mod host;
mod kept;
mod look;
mod models;
mod origin;
pub mod output;
mod plan_file;
mod present;
mod process;
mod product_kernels;
pub mod record;
mod root;
mod run_id;
mod run_state;
mod sealed;
mod settings;
mod side_files;
#[cfg(test)]
mod tests;
mod unused;
mod usage;

pub use answers::Answers;
pub use approach::{TagOptions, TaskOptions};
pub use checkpoints::{CHECKPOINTS, Checkpoint, CheckpointWriter, Checkpoints, Unusable};
pub use claim::{Claim, ClaimTimeout, Claims, Holder, TIMEOUT_VARIABLE};
pub use diff::diff;
pub use encoder_speed::{EncoderSpeed, SpeedRow};
pub use error::{StoreError, unless_damaged};
pub use evaluation::{Evaluation, HeldOut, Score};
pub use events::{Event, EventLog, StepEvent};
pub use examples::{ExampleChoice, ExampleQuestion, ExampleText, Examples, examples_name};
pub use failure::{FailureKind, is_disk_full, says_out_of_memory, unix_now};
pub use folder::RunFolder;
pub use host::{free_disk, host, peak_memory, provenance, reset_peak_memory};
pub use kept::Kept;
pub use look::Look;
pub use models::{best_runs, by_rank};
pub use plan_file::{PlanFile, StoredPlan, StoredPretraining};
pub use process::{Process, host_name, machine};
pub use product_kernels::{ProductKernels, ProductKey};
pub use record::{Failure, Host, Origin, Outcome, Provenance, Record, TaskOutcome, Timings};
pub use root::RunsRoot;
pub use run_id::RunId;
pub use run_state::RunState;
pub use sealed::write_sealed;
pub use settings::{
    Architecture, CheckpointHead, CorpusPhase, HeldOutEvaluation, InitialWeights, NUMERICS_VERSION, Objective,
    Optimization, PRETRAINING, PretrainingObjective, RunIdentity, RunSettings, TaskObjective, VocabularyIdentity,
    Warmup,
};
pub use unused::bytes_at;
pub use usage::ModelUsage;
