//! Prediction without gradients.

use burn::tensor::Device;

use super::batch::{PairInput, packed_input};
use super::behind::Behind;
use crate::kernel::{Deferred, DeviceFault};
use crate::model::Classifier;
use crate::text::{FeatureSet, PackedBatch, evaluation_batches};

/// Sequences in one evaluation batch of a run. Batches are sorted by length, so that little is padded.
pub const EVALUATION_BATCH: u32 = 32;

/// Batches whose outputs a device may still owe while the next one is packed.
pub(super) const BATCHES_BEHIND: usize = 3;

/// The outputs of `model` in the order of `features`, row by row: a row for every token or for every sequence, as
/// the model's head is.
///
/// # Errors
/// When the device failed.
pub fn predict(model: &Classifier, features: &FeatureSet, device: &Device) -> Result<Vec<f32>, DeviceFault> {
    predict_in_batches(model, features, EVALUATION_BATCH, device)
}

/// As [`predict`], in batches of `batch_size` sequences (at least one example). The last digits may depend on it.
///
/// # Errors
/// When the device failed.
pub fn predict_in_batches(
    model: &Classifier,
    features: &FeatureSet,
    batch_size: u32,
    device: &Device,
) -> Result<Vec<f32>, DeviceFault> {
    let rows = if model.kind.per_token() { features.tokens() as usize } else { features.sequences() };
    let mut all = vec![0.0; rows * model.outputs()];
    let mut behind = Behind::new();
    let examples = (batch_size / features.sequences_per_example() as u32).max(1);
    for indices in evaluation_batches(features, examples) {
        let batch = PackedBatch::pack(features, &indices);
        let input = packed_input(&batch, PairInput::of(model), device);
        let outputs = model.forward(&input, None);
        let [rows, width] = outputs.dims();
        let outputs = Deferred::read([outputs.reshape([rows * width])], |[outputs]| outputs);
        behind.push(outputs.map(move |outputs| (batch, outputs)));
        while let Some((batch, outputs)) = behind.next_but(BATCHES_BEHIND)? {
            place(model, features, &batch, &outputs, &mut all);
        }
    }
    while let Some((batch, outputs)) = behind.next_but(0)? {
        place(model, features, &batch, &outputs, &mut all);
    }
    Ok(all)
}

/// Puts the outputs for `batch` where those of its examples are among `all`.
fn place(model: &Classifier, features: &FeatureSet, batch: &PackedBatch, outputs: &[f32], all: &mut [f32]) {
    let (per_token, width) = (model.kind.per_token(), model.outputs());
    for (row, &sequence) in batch.sequences.iter().enumerate() {
        let (from, to) = if per_token {
            (batch.offsets[row] as usize, features.parts().offsets[sequence as usize] as usize)
        } else {
            (row, sequence as usize)
        };
        let rows = if per_token { batch.offsets[row + 1] as usize - from } else { 1 };
        all[to * width..(to + rows) * width].copy_from_slice(&outputs[from * width..(from + rows) * width]);
    }
}
