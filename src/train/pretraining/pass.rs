//! Forward and backward pass over a part of a batch.

use std::time::Instant;

use burn::tensor::{Gradients, Tensor};

use super::batch::Targets;
use super::losses::{HeadLosses, HeadOutputs};
use super::places::place;
use super::skip_gram::skip_gram_pass;
use crate::kernel::DecoderGradients;
use crate::model::{Encoder, ForwardDropout, LanguageModel};
use crate::train::batch::Part;
use crate::train::optimizer::{FlatGradients, take};
use crate::train::pass::Pass;
use crate::train::tape::{Graph, Reads, Tape};
use crate::units::Seconds;

/// Each head's loss is its mean over the predictions of the whole batch, so that the number of parts changes nothing
/// but rounding.
pub(super) fn pretraining_pass(
    model: &LanguageModel,
    part: &Part<Targets>,
    dropout: Option<&ForwardDropout>,
    graph: Graph,
) -> Pass<HeadLosses> {
    let Part { input, targets, .. } = part;
    if let Some(pairs) = &targets.skip_gram {
        return skip_gram_pass(model, pairs);
    }
    let start = Instant::now();
    let tape = (graph == Graph::LayerInputs).then(|| Tape::record(&model.encoder, input, dropout, Reads::Last));
    let states = match &tape {
        Some(tape) => model.answer(tape.read.clone(), &input.packing, &targets.rows),
        None => model.states(input, &targets.rows, dropout),
    };
    let HeadOutputs { losses, pairs, decoder } = HeadOutputs::of(model, states, targets, Some(targets.all_rows));
    let forward = Seconds(start.elapsed().as_secs_f64());
    let start = Instant::now();
    let pairs = pairs.map(|loss| share(loss, targets.pairs.len(), targets.all_pairs));
    let gradients = backward(model, pairs, decoder, |gradients| match tape {
        Some(tape) => tape.backward(&model.encoder, input, dropout, gradients),
        None => take(&model.encoder, gradients),
    });
    Pass { losses, gradients, forward, backward: Seconds(start.elapsed().as_secs_f64()) }
}

/// The gradients of a pass from the loss of the next sentence and from what the decoder sends back; `encoder` takes
/// those of the encoder.
fn backward(
    model: &LanguageModel,
    pairs: Option<Tensor<1>>,
    decoder: Option<(Tensor<2>, DecoderGradients)>,
    encoder: impl FnOnce(&mut Gradients) -> FlatGradients,
) -> Option<FlatGradients> {
    let (from_decoder, of_decoder) = match decoder {
        // Σ states × gradient has that gradient.
        Some((states, DecoderGradients { states: arriving, table, bias })) => {
            (Some((states * Tensor::from_inner(arriving)).sum()), Some((table, bias)))
        }
        None => (None, None),
    };
    let loss = [from_decoder, pairs].into_iter().flatten().reduce(|sum, loss| sum + loss)?;
    let mut arriving = loss.backward();
    let mut gradients = encoder(&mut arriving);
    // In the module's visiting order.
    gradients.extend(take(&model.transform, &mut arriving));
    gradients.extend(take(&model.transform_norm, &mut arriving));
    gradients.extend(take(&model.decoder_bias, &mut arriving));
    gradients.extend(take(&model.next_sentence, &mut arriving));
    gradients.extend(take(&model.context, &mut arriving));
    if let Some((table, bias)) = of_decoder {
        let length = table.dims().iter().product::<usize>();
        add(&mut gradients, place(model, model.encoder.words().id), table.reshape([length]));
        add(&mut gradients, place(model, model.decoder_bias.id), bias);
    }
    Some(gradients)
}

/// Adds `more` to the gradient of the parameter at `place`.
fn add(gradients: &mut FlatGradients, place: usize, more: Tensor<1>) {
    if let Some(gradient) = gradients.get_mut(place) {
        // In this order the sum is made where `more` is, and only the rows of the lookup's gradient are cleared
        // for the next step.
        *gradient = Some(match gradient.take() {
            Some(gradient) => more + gradient,
            None => more,
        });
    }
}

/// A mean over `part` of `whole` predictions as its share of the whole mean.
fn share(loss: Tensor<1>, part: usize, whole: usize) -> Tensor<1> {
    if part == whole { loss } else { loss.mul_scalar(part as f64 / whole as f64) }
}
