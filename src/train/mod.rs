//! The training path: devices, the fit loop, optimizers with their schedules, evaluation.

mod attempt;
mod backward;
mod batch;
mod behind;
mod benchmark;
mod calibrate;
mod checkpointer;
mod device;
mod error;
mod evaluate;
mod fit;
mod gradient_hook;
#[cfg(test)]
mod invariants;
mod kept;
mod loss;
mod model_card;
mod next_token;
mod observer;
mod optimizer;
mod pass;
mod places;
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
#[cfg(test)]
mod text_tests;
mod tuning;
mod work;
mod workload;

pub use benchmark::{StepBenchmark, StepMeasured, TimedSteps, benchmark_step, time_steps};
pub use calibrate::{StepTimes, measure_step};
pub use checkpointer::{CheckpointPolicy, Checkpointer};
pub use device::{
    DeviceError, Found, FoundDevice, NamedDevice, NothingToTune, fastest_built_in, list_devices, open_device,
};
pub use error::TrainError;
pub use evaluate::{EVALUATION_BATCH, predict, predict_in_batches};
pub use fit::FitResult;
pub use kept::score_kept;
pub use observer::{Observer, Phases, StepReport};
pub use precision::PrecisionError;
pub use pretraining::{corpus_fits, measure_skip_gram, score_pretrained};
pub use ranks::{Alone, Launched, Ranks, connect, end, follow, launched};
pub use ready::{PreparedCorpus, RunContext, task_features};
pub use run::{run, try_step};
pub use score::scores;
pub use task::{TrainingData, fit};
pub use work::work;
pub use workload::DevOutputs;
