//! Forward and backward passes of a step.

use std::time::Instant;

use burn::tensor::{Device, Tensor};

use super::batch::PretrainingBatch;
use super::tally::{Losses, Tally};
use crate::model::{ForwardDropout, PretrainingModel};
use crate::train::fit::Phases;
use crate::train::optimizer::{FlatGradients, accumulate, take};
use crate::units::Seconds;

/// The gradients of a step, summed over its passes, and what the heads did.
#[derive(Default)]
pub(super) struct Passes {
    pub(super) gradients: Option<FlatGradients>,
    pub(super) tally: Tally,
    pub(super) tokens: u64,
    pub(super) phases: Phases,
}

impl Passes {
    /// One pass for each of `parts`. Each head's loss is its mean over the predictions of all parts, so that the
    /// number of parts changes nothing but rounding.
    pub(super) fn over(
        parts: &[PretrainingBatch],
        model: &PretrainingModel,
        dropout: impl Fn(usize) -> Option<ForwardDropout>,
        device: &Device,
    ) -> Self {
        let tokens = parts.iter().map(|part| part.rows.len()).sum::<usize>();
        let pairs = parts.iter().map(|part| part.pairs.len()).sum::<usize>();
        let mut passes = Self::default();
        for (number, part) in parts.iter().enumerate() {
            let start = Instant::now();
            let input = part.input(device);
            passes.phases.batching.0 += start.elapsed().as_secs_f64();
            let start = Instant::now();
            let output = model.forward(&input, &part.rows, dropout(number).as_ref());
            let losses = Losses::of(output, part);
            passes.tally.add(&losses.tally);
            passes.tokens += part.tokens();
            let weighted = [
                losses.tokens.map(|loss| share(loss, part.rows.len(), tokens)),
                losses.pairs.map(|loss| share(loss, part.pairs.len(), pairs)),
            ];
            let loss = weighted.into_iter().flatten().reduce(|sum, loss| sum + loss);
            passes.phases.forward.0 += start.elapsed().as_secs_f64();
            let start = Instant::now();
            if let Some(loss) = loss {
                let gradients = take(model, &mut loss.backward());
                passes.gradients = Some(accumulate(passes.gradients.take(), gradients, 1.0));
            }
            passes.phases.backward = Seconds(passes.phases.backward.0 + start.elapsed().as_secs_f64());
        }
        passes
    }
}

/// A mean over `part` of `whole` predictions as its share of the whole mean.
fn share(loss: Tensor<1>, part: usize, whole: usize) -> Tensor<1> {
    if part == whole { loss } else { loss.mul_scalar(part as f64 / whole as f64) }
}
