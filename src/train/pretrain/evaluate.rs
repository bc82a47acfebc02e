//! Scores on held-out examples.

use burn::tensor::Device;

use super::batch::PretrainingBatch;
use super::tally::{Losses, Tally};
use crate::corpus::examples::ExampleSet;
use crate::model::PretrainingModel;
use crate::store::{Evaluation, HeldOut, Score};
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
) -> Result<Evaluation, TrainError> {
    let mut tally = Tally::default();
    let mut next = 0;
    while next < set.len() {
        let end = set.len().min(next + u64::from(EVALUATION_BATCH));
        let batch = PretrainingBatch::of(&set.in_order(next..end)?);
        let output = model.states(&batch.input(device), &batch.rows, None);
        tally.add(&Losses::of(model, output, &batch, None).tally);
        next = end;
    }
    Ok(evaluation(step, &tally, set.len()))
}

fn evaluation(step: u64, tally: &Tally, examples: u64) -> Evaluation {
    let score = |metric: &str, value: f64, unit: &str, higher_is_better: bool| Score {
        metric: metric.to_owned(),
        split: "held_out".to_owned(),
        value: Some(value),
        unit: unit.to_owned(),
        higher_is_better,
    };
    let mut scores = vec![
        score("mlm_loss", tally.tokens.loss(), "nats", false),
        score("perplexity", tally.tokens.loss().exp(), "perplexity", false),
        score("mlm_accuracy", tally.tokens.accuracy(), "fraction", true),
    ];
    if tally.pairs.count > 0 {
        scores.push(score("nsp_loss", tally.pairs.loss(), "nats", false));
        scores.push(score("nsp_accuracy", tally.pairs.accuracy(), "fraction", true));
    }
    let held_out = Some(HeldOut { examples, predictions: tally.tokens.count });
    Evaluation { epoch: None, step, train_loss: None, scores, held_out }
}
