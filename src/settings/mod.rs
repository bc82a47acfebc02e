//! Choices that are the same in an experiment file and in the settings of a run, each once, with its schema.

mod approach;
mod device;
mod encoder;
mod encoder_costs;
mod initializer_range;
mod pretraining;
mod slurm;
mod task;
mod tokenizer;
mod training;

use serde::Serialize;

pub use approach::{Approach, FeatureBased, Layers, MAX_HIDDEN, MAX_LSTM_LAYERS};
pub use device::{Device, DeviceKind, with_index};
pub use encoder::{EncoderType, Facts as EncoderFacts, Pooling};
pub use encoder_costs::{EncoderCosts, EncoderSizes};
pub use initializer_range::InitializerRange;
pub use pretraining::{LmLoss, Masking, SaveStrategy, TextFormat};
pub use slurm::{Cluster, Slurm};
pub use task::{Columns, Context, MAX_COLUMN, Scheme, Separator, SpanOptions, TaskFiles};
pub use tokenizer::AddedToken;
pub use training::{Optimizer, Precision};

/// A choice without settings of its own, as experiment files write it.
#[must_use]
pub fn written(choice: &impl Serialize) -> String {
    let value = serde_json::to_value(choice).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A number that a file may leave out.
pub(crate) fn number<const N: u32, T: From<u32>>() -> T {
    T::from(N)
}
