//! How fast this machine trains: a step and where its time goes, and the encoders beside each other.

mod encoders;
mod step;

pub use encoders::EncoderRequest;
pub use step::{PHASES, Phase, StepRequest, StepSummary};
