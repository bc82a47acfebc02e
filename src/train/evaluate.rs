//! Prediction without gradients.

use burn::tensor::Device;

use crate::model::{Classifier, PackedInput};
use crate::text::{FeatureSet, PackedBatch, evaluation_batches};

/// Sequences in one evaluation batch of a run. Batches are sorted by length, so that little is padded.
pub const EVALUATION_BATCH: u32 = 32;

/// The outputs of `model` for every example, in the order of `features`: `[examples, outputs]` row by row.
#[must_use]
pub fn predict(model: &Classifier, features: &FeatureSet, device: &Device) -> Vec<f32> {
    predict_in_batches(model, features, EVALUATION_BATCH, device)
}

/// As [`predict`], in batches of `batch_size` sequences. The last digits may depend on it.
#[must_use]
pub fn predict_in_batches(model: &Classifier, features: &FeatureSet, batch_size: u32, device: &Device) -> Vec<f32> {
    let mut all = Vec::new();
    for indices in evaluation_batches(features, batch_size) {
        let batch = PackedBatch::pack(features, &indices);
        let input = PackedInput::new(&batch.ids, &batch.positions, &batch.segments, &batch.offsets, device);
        let outputs = model.forward(&input, None);
        let [_, width] = outputs.dims();
        all.resize(features.len() * width, 0.0);
        let outputs: Vec<f32> = outputs.into_data().iter::<f32>().collect();
        for (&example, row) in indices.iter().zip(outputs.chunks_exact(width)) {
            let at = example as usize * width;
            all[at..at + width].copy_from_slice(row);
        }
    }
    all
}
