//! Scores on held-out examples.

use burn::tensor::Device;

use super::batch::pack;
use super::losses::{HeadLosses, HeadOutputs};
use crate::corpus::examples::ExampleSet;
use crate::model::LanguageModel;
use crate::store::{Evaluation, HeldOut, Score};
use crate::train::error::TrainError;
use crate::train::evaluate::EVALUATION_BATCH;
use crate::train::workload::Losses;

/// The scores of `model` (without autodiff, on `device`) on all examples of `set`, masked as in their first epoch,
/// after `step` steps.
///
/// # Errors
/// When an example cannot be read.
pub(super) fn evaluate_pretraining(
    model: &LanguageModel,
    set: &ExampleSet,
    step: u64,
    device: &Device,
) -> Result<Evaluation, TrainError> {
    let mut sum = HeadLosses::default();
    let mut next = 0;
    while next < set.len() {
        let end = set.len().min(next + u64::from(EVALUATION_BATCH));
        for part in pack(&set.in_order(next..end)?, EVALUATION_BATCH as usize, device) {
            let states = model.states(&part.input, &part.targets.rows, None);
            sum.add(&HeadOutputs::of(model, states, &part.targets, None).losses);
        }
        next = end;
    }
    Ok(evaluation(step, &sum, set.len()))
}

fn evaluation(step: u64, losses: &HeadLosses, examples: u64) -> Evaluation {
    let HeadLosses { tokens, pairs } = losses;
    let score = |metric: &str, value: f64, unit: &str, higher_is_better: bool| Score {
        metric: metric.to_owned(),
        split: "held_out".to_owned(),
        value: Some(value),
        unit: unit.to_owned(),
        higher_is_better,
    };
    let mut scores = vec![
        score("mlm_loss", tokens.mean(), "nats", false),
        score("perplexity", tokens.mean().exp(), "perplexity", false),
        score("mlm_accuracy", tokens.accuracy(), "fraction", true),
    ];
    if pairs.count > 0 {
        scores.push(score("nsp_loss", pairs.mean(), "nats", false));
        scores.push(score("nsp_accuracy", pairs.accuracy(), "fraction", true));
    }
    let held_out = Some(HeldOut { examples, predictions: tokens.count });
    Evaluation { epoch: None, step, train_loss: None, scores, held_out }
}
