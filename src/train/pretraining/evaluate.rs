//! Scores on held-out examples.

use burn::tensor::Device;

use super::batch::pack;
use super::losses::{HeadLosses, HeadOutputs};
use super::skip_gram::skip_gram_losses;
use super::windows::{WordCounts, stream};
use crate::corpus::examples::ExampleSet;
use crate::model::LanguageModel;
use crate::settings::LmLoss;
use crate::store::{Evaluation, HeldOut, Score};
use crate::train::batch::Losses;
use crate::train::behind::Behind;
use crate::train::error::TrainError;
use crate::train::evaluate::{BATCHES_BEHIND, EVALUATION_BATCH};

/// The scores of `model` (without autodiff, on `device`) on all examples of `set`, masked as in their first epoch,
/// after `step` steps.
///
/// # Errors
/// When an example cannot be read, or the device failed.
pub(super) fn evaluate_pretraining(
    model: &LanguageModel,
    set: &ExampleSet,
    loss: LmLoss,
    step: u64,
    device: &Device,
) -> Result<Evaluation, TrainError> {
    let counts = (loss == LmLoss::SkipGram).then(|| WordCounts::of(set)).transpose()?;
    let (mut sum, mut behind) = (HeadLosses::default(), Behind::new());
    let mut next = 0;
    while next < set.len() {
        let end = set.len().min(next + u64::from(EVALUATION_BATCH));
        let examples = set.in_order(next..end)?;
        if let Some(counts) = &counts {
            // The same pairs at every evaluation, whatever the run's seed.
            let pairs = counts.pairs(&examples, &mut stream(0).at(next));
            sum.add(&skip_gram_losses(model, &pairs));
            next = end;
            continue;
        }
        for part in pack(&examples, EVALUATION_BATCH as usize, loss, device) {
            let states = model.states(&part.input, &part.targets.rows, None);
            behind.push(HeadOutputs::of(model, states, &part.targets, None).losses);
        }
        while let Some(losses) = behind.next_but(BATCHES_BEHIND)? {
            sum.add(&losses);
        }
        next = end;
    }
    while let Some(losses) = behind.next_but(0)? {
        sum.add(&losses);
    }
    Ok(evaluation(step, &sum, loss, set.len()))
}

fn evaluation(step: u64, losses: &HeadLosses, loss: LmLoss, examples: u64) -> Evaluation {
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
        score("mlm_accuracy", tokens.accuracy(), "fraction", true),
    ];
    // Word vectors say how likely a word is among random ones, not among all.
    if loss != LmLoss::SkipGram {
        scores.insert(1, score("perplexity", tokens.mean().exp(), "perplexity", false));
    }
    if pairs.count > 0 {
        scores.push(score("nsp_loss", pairs.mean(), "nats", false));
        scores.push(score("nsp_accuracy", pairs.accuracy(), "fraction", true));
    }
    let held_out = Some(HeldOut { examples, predictions: tokens.count });
    Evaluation { epoch: None, step, train_loss: None, scores, held_out }
}
