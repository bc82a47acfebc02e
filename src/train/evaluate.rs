//! Prediction without gradients.

use burn::tensor::Device;

use crate::model::{Classifier, PackedInput};
use crate::text::{FeatureSet, PackedBatch, evaluation_batches};

/// Sequences in one evaluation batch of a run. Batches are sorted by length, so that little is padded.
pub const EVALUATION_BATCH: u32 = 32;

/// The outputs of `model` in the order of `features`, row by row: a row for every token or for every sequence, as
/// the model's head is.
#[must_use]
pub fn predict(model: &Classifier, features: &FeatureSet, device: &Device) -> Vec<f32> {
    predict_in_batches(model, features, EVALUATION_BATCH, device)
}

/// As [`predict`], in batches of `batch_size` sequences (at least one example). The last digits may depend on it.
#[must_use]
pub fn predict_in_batches(model: &Classifier, features: &FeatureSet, batch_size: u32, device: &Device) -> Vec<f32> {
    let per_token = model.kind.per_token();
    let rows = if per_token { features.tokens() as usize } else { features.sequences() };
    let mut all = vec![0.0; rows * model.outputs()];
    let examples = (batch_size / features.sequences_per_example() as u32).max(1);
    for indices in evaluation_batches(features, examples) {
        let batch = PackedBatch::pack(features, &indices);
        let input = PackedInput::new(&batch.ids, &batch.positions, &batch.segments, &batch.offsets, device);
        let outputs = model.forward(&input, None);
        let [_, width] = outputs.dims();
        let outputs: Vec<f32> = outputs.into_data().iter::<f32>().collect();
        for (row, &sequence) in batch.sequences.iter().enumerate() {
            let (from, to) = if per_token {
                (batch.offsets[row] as usize, features.offsets()[sequence as usize] as usize)
            } else {
                (row, sequence as usize)
            };
            let rows = if per_token { batch.offsets[row + 1] as usize - from } else { 1 };
            all[to * width..(to + rows) * width].copy_from_slice(&outputs[from * width..(from + rows) * width]);
        }
    }
    all
}
