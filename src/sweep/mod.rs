//! An experiment's runs as a whole: what to expect of them, whether they can be made, made on this machine or sent to
//! Slurm, how far they are, and whether what they recorded comes out again.
//!
//! Nothing here prints: what is worth knowing meanwhile is said by functions that the caller gives.

mod check;
mod dev_sets;
mod local;
mod needed;
mod outlook;
mod queue;
mod ranks;
mod running;
mod states;
mod status;
mod submit;
mod verify;

pub use check::{Checked, check};
pub use dev_sets::{DISAGREEING, DevSet, published_dev_sets};
pub use local::{Ended, How, Places, Sweep, worker_command};
pub use needed::NeededRun;
pub use outlook::{Outlook, Sum, outlook};
pub use queue::{PRE_EMPTED, QUEUED, Queued};
pub use ranks::{cores, threads_of_rank};
pub use running::{Left, Running};
pub use states::States;
pub use status::{RunProgress, Status, StatusOf, TaskStatus, TaskSum, status};
pub use submit::{NotSent, SubmitRequest, SubmitSummary, Submitted, submit};
pub use verify::{Rescored, rescore};
