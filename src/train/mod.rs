//! The training path: devices, the fit loop, optimizers with their schedules, evaluation.

mod attempt;
mod batch;
mod benchmark;
mod calibrate;
mod checkpointer;
mod device;
mod error;
mod evaluate;
mod fit;
mod loss;
mod observer;
mod optimizer;
mod pass;
mod precision;
mod pretraining;
mod ranks;
mod ready;
mod run;
mod schedule;
mod score;
mod state;
mod tape;
mod task;
mod task_run;
#[cfg(test)]
mod tests;
mod work;
mod workload;

pub use benchmark::{StepBenchmark, StepMeasured, benchmark_step};
pub use calibrate::{StepTimes, measure_step};
pub use checkpointer::{CheckpointPolicy, Checkpointer};
pub use device::{DeviceError, NamedDevice, fastest_built_in, open_device};
pub use error::TrainError;
pub use evaluate::{EVALUATION_BATCH, predict, predict_in_batches};
pub use fit::FitResult;
pub use observer::{Observer, Phases, StepReport};
pub use precision::{PrecisionError, open_precision};
pub use pretraining::corpus_fits;
pub use ranks::{Alone, Launched, Ranks, connect, end, follow, launched};
pub use ready::{PreparedCorpus, RunContext, task_features};
pub use run::{run, try_step};
pub use score::scores;
pub use task::{TrainingData, fit};
pub use work::work;
pub use workload::DevOutputs;
