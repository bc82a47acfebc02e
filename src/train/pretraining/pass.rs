//! Forward and backward pass over a part of a batch.

use std::time::Instant;

use burn::tensor::{Gradients, Tensor};

use super::batch::Targets;
use super::losses::{HeadLosses, HeadOutputs};
use super::skip_gram::skip_gram_pass;
use crate::kernel::DecoderGradients;
use crate::model::{ForwardDropout, LanguageModel};
use crate::train::backward::Backward;
use crate::train::batch::Part;
use crate::train::gradient_hook::GradientHook;
use crate::train::optimizer::{FlatGradients, add, take};
use crate::train::pass::Pass;
use crate::train::places::place;
use crate::train::tape::{Graph, Reads, Tape};
use crate::units::Seconds;

/// Each head's loss is its mean over the predictions of the whole batch, so that the number of parts changes nothing
/// but rounding.
pub(super) fn pretraining_pass(
    model: &LanguageModel,
    part: &Part<Targets>,
    dropout: Option<&ForwardDropout>,
    how: &Backward,
    hook: &GradientHook,
) -> Pass<HeadLosses> {
    let Part { input, targets, .. } = part;
    if let Some(pairs) = &targets.skip_gram {
        return skip_gram_pass(model, pairs, how);
    }
    let start = Instant::now();
    let by_layers = how.graph == Graph::LayerInputs || hook.listens();
    let read = if by_layers { model.rows_read(&input.packing, &targets.rows) } else { None };
    let reads = || read.as_ref().map_or(Reads::Last, |read| Reads::Rows(&read.rows));
    let tape = by_layers.then(|| Tape::record(&model.encoder, input, dropout, reads(), how.graph));
    let states = match (&tape, &read) {
        (Some(tape), Some(read)) => model.answer(tape.read.clone(), &read.packing, &read.predictions),
        (Some(tape), None) => model.answer(tape.read.clone(), &input.packing, &targets.rows),
        (None, _) => model.states(input, &targets.rows, dropout),
    };
    let HeadOutputs { losses, pairs, decoder } = HeadOutputs::of(model, states, targets, Some(targets.all_rows));
    let forward = Seconds(start.elapsed().as_secs_f64());
    let start = Instant::now();
    let pairs = pairs.map(|loss| share(loss, targets.pairs.len(), targets.all_pairs));
    let gradients = backward(model, how, pairs, decoder, |gradients, of_heads| {
        if let Some(tape) = tape {
            return tape.backward((&model.encoder, input, dropout), gradients, of_heads, hook);
        }
        let mut of_encoder = take(&model.encoder, gradients);
        of_encoder.extend(of_heads);
        of_encoder
    });
    Pass { losses, gradients, forward, backward: Seconds(start.elapsed().as_secs_f64()) }
}

/// The gradients of a pass from the loss of the next sentence and from what the decoder sends back; `encoder` takes
/// those of the encoder, and puts those of the heads behind them.
fn backward(
    model: &LanguageModel,
    how: &Backward,
    pairs: Option<Tensor<1>>,
    decoder: Option<(Tensor<2>, DecoderGradients)>,
    encoder: impl FnOnce(&mut Gradients, FlatGradients) -> FlatGradients,
) -> Option<FlatGradients> {
    let (from_decoder, of_decoder) = match decoder {
        // Σ states × gradient has that gradient.
        Some((states, DecoderGradients { states: arriving, table, bias })) => {
            (Some((states * Tensor::from_inner(arriving)).sum()), Some((table, bias)))
        }
        None => (None, None),
    };
    let loss = [from_decoder, pairs].into_iter().flatten().reduce(|sum, loss| sum + loss)?;
    let mut arriving = how.scaled_loss(loss).backward();
    let (table, bias) = of_decoder.unzip();
    // In the module's visiting order.
    let mut of_heads = take(&model.tokens, &mut arriving);
    if let (Some(bias), Some(gradient), true) = (bias, of_heads.last_mut(), model.tokens.has_bias()) {
        add(gradient, how.scaled(bias));
    }
    of_heads.extend(take(&model.next_sentence, &mut arriving));
    of_heads.extend(take(&model.context, &mut arriving));
    let mut gradients = encoder(&mut arriving, of_heads);
    if let (Some(table), Some(gradient)) = (table, gradients.get_mut(place(model, model.encoder.words().id))) {
        let length = table.dims().iter().product::<usize>();
        add(gradient, how.scaled(table.reshape([length])));
    }
    Some(gradients)
}

/// A mean over `part` of `whole` predictions as its share of the whole mean.
fn share(loss: Tensor<1>, part: usize, whole: usize) -> Tensor<1> {
    if part == whole { loss } else { loss.mul_scalar(part as f64 / whole as f64) }
}
