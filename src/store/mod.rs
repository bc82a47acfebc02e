//! Plain files are the database: one folder a run, one writer a file, the record last.

mod approach;
pub mod atomic;
mod attempt;
mod checkpoints;
mod claim;
mod claim_note;
mod diff;
mod error;
mod events;
#[cfg(test)]
pub(crate) mod example;
mod failure;
mod folder;
mod host;
mod kept;
mod models;
pub mod output;
mod plan_file;
mod pretrain_folder;
mod pretrain_log;
mod pretrain_record;
mod pretrained;
mod pretraining;
mod process;
pub mod record;
mod root;
pub mod settings;
#[cfg(test)]
mod tests;
mod work;

pub use approach::{Approach, Context, FeatureBased, Layers, SpanOptions, TagOptions, TaskOptions};
pub use checkpoints::{CHECKPOINTS, Checkpoint, CheckpointWriter, Checkpoints, Unusable};
pub use claim::{Claim, ClaimTimeout, Claims, Holder, TIMEOUT_VARIABLE};
pub use diff::diff;
pub use error::StoreError;
pub use events::{Event, EventLog, StepEvent};
pub use failure::{FailureKind, unix_now};
pub use folder::{RunFolder, RunState};
pub use host::{free_disk, host, peak_memory, provenance, reset_peak_memory};
pub use kept::Kept;
pub use models::by_rank;
pub use plan_file::{PlanFile, StoredPlan, StoredPretraining, StoredRun, StoredTask};
pub use pretrain_folder::{PretrainFolder, PretrainFolderError};
pub use pretrain_log::{PretrainEvent, PretrainLog, PretrainScores, PretrainStepEvent};
pub use pretrain_record::{PRETRAINING, PretrainRecord, Pretraining};
pub use pretraining::{Masking, Objective, PretrainEvaluation, PretrainPhase, PretrainSaving, PretrainSettings};
pub use process::{Process, host_name, machine};
pub use record::{Evaluation, Failure, Host, Provenance, Record, Score, Timings};
pub use root::{Records, RunsRoot};
pub use settings::{Architecture, InitialWeights, Optimizer, Precision, RunId, RunSettings, TrainingSettings};
pub use work::{Finished, Work};
