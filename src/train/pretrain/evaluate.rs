//! Scores on held-out examples.

use burn::tensor::Device;

use super::batch::PretrainingBatch;
use super::tally::{Losses, Tally};
use crate::corpus::examples::ExampleSet;
use crate::model::PretrainingModel;
use crate::store::PretrainScores;
use crate::train::error::TrainError;
use crate::train::evaluate::EVALUATION_BATCH;

/// The scores of `model` (without autodiff, on `device`) on all examples of `set`, masked as in their first epoch.
/// `step` is only told.
///
/// # Errors
/// When an example cannot be read.
pub fn evaluate_pretraining(
    model: &PretrainingModel,
    set: &ExampleSet,
    step: u64,
    device: &Device,
) -> Result<PretrainScores, TrainError> {
    let mut tally = Tally::default();
    let mut next = 0;
    while next < set.len() {
        let end = set.len().min(next + u64::from(EVALUATION_BATCH));
        let batch = PretrainingBatch::of(&set.in_order(next..end)?);
        let output = model.states(&batch.input(device), &batch.rows, None);
        tally.add(&Losses::of(model, output, &batch, None).tally);
        next = end;
    }
    let pairs = Some(tally.pairs).filter(|pairs| pairs.count > 0);
    Ok(PretrainScores {
        step,
        mlm_loss: tally.tokens.loss(),
        perplexity: tally.tokens.loss().exp(),
        mlm_accuracy: tally.tokens.accuracy(),
        nsp_loss: pairs.map(|pairs| pairs.loss()),
        nsp_accuracy: pairs.map(|pairs| pairs.accuracy()),
        predictions: tally.tokens.count,
        examples: set.len(),
    })
}
