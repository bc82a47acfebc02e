//! The training path: devices, the fit loop, optimizers with their schedules, evaluation.

mod benchmark;
mod calibrate;
mod checkpointer;
mod device;
mod error;
mod evaluate;
mod fit;
#[cfg(test)]
mod frozen_tests;
mod loss;
mod optimizer;
mod pass;
mod precision;
mod pretrain;
mod ready;
mod run;
mod schedule;
mod score;
mod state;
mod tape;

pub use benchmark::{StepBenchmark, StepMeasured, benchmark_step};
pub use calibrate::{StepTimes, measure_step};
pub use checkpointer::Checkpointer;
pub use device::{DeviceError, NamedDevice, open_device};
pub use error::TrainError;
pub use evaluate::{EVALUATION_BATCH, predict, predict_in_batches};
pub use fit::{FitResult, Phases, StepReport, TrainingData, Watch, fit, fit_with_checkpoints};
pub use precision::{PrecisionError, open_precision};
pub use pretrain::{
    PretrainContext, PretrainStep, PretrainWatch, Pretrained, Saving, check_pretraining, evaluate_pretraining,
    pretrain, pretrain_context, pretrain_run, try_pretraining_step,
};
pub use ready::{RunContext, task_features, try_step};
pub use run::run;
pub use schedule::Schedule;
pub use score::scores;
