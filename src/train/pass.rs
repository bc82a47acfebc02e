//! Forward and backward passes: those of a step, and one through a classifier, with the whole graph kept or with
//! layers computed twice.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;

use super::backward::Backward;
use super::batch::{Batch, Losses, Part};
use super::gradient_hook::GradientHook;
use super::next_token::{NextTokenLoss, NextTokens};
use super::optimizer::{FlatGradients, accumulate, add, take};
use super::places::place;
use super::ranks::{OrderedSum, Ranks};
use super::tape::{Graph, Reads, Tape};
use crate::kernel::{Deferred, DeviceFault};
use crate::model::{Classifier, ForwardDropout, PackedInput, TokenHead};
use crate::units::Seconds;

/// The loss of a part of a batch and its gradients.
#[derive(Debug)]
pub(super) struct Pass<L> {
    /// Of the part, as its share of the batch's.
    pub(super) losses: Deferred<L>,
    /// In the model's visiting order, those that a hook took left out; `None` when there was nothing to learn from.
    pub(super) gradients: Option<FlatGradients>,
    /// Duration of the forward pass, loss included.
    pub(super) forward: Seconds,
    /// Duration of the backward pass, with what is computed again.
    pub(super) backward: Seconds,
}

/// The passes of a step.
#[derive(Debug, Default)]
pub(super) struct Passes<L> {
    /// Their sum.
    pub(super) gradients: Option<FlatGradients>,
    /// Their sum.
    pub(super) losses: Deferred<L>,
    /// Tokens of all passes.
    pub(super) tokens: u64,
    /// Duration of the forward passes.
    pub(super) forward: Seconds,
    /// Duration of the backward passes.
    pub(super) backward: Seconds,
}

impl<L: Losses> Passes<L> {
    /// One `pass` for each of `parts`, with the dropout of its number.
    pub(super) fn over<T>(
        parts: &[Part<T>],
        dropout: impl Fn(u64) -> Option<ForwardDropout>,
        pass: impl Fn(&Part<T>, Option<&ForwardDropout>, &GradientHook) -> Pass<L>,
    ) -> Self {
        let mut passes = Self::default();
        let nobody = GradientHook::none();
        for (number, part) in (0..).zip(parts) {
            let Pass { losses, gradients, forward, backward } = pass(part, dropout(number).as_ref(), &nobody);
            passes.losses = sum_of(passes.losses, losses);
            passes.tokens += part.tokens;
            passes.forward.0 += forward.0;
            passes.backward.0 += backward.0;
            let start = Instant::now();
            if let Some(gradients) = gradients {
                passes.gradients = Some(accumulate(passes.gradients.take(), gradients, part.weight));
            }
            passes.backward.0 += start.elapsed().as_secs_f64();
        }
        passes
    }

    /// As [`Self::over`], of the parts of `batch` that the other `ranks` have as well. Sums are made in the order of
    /// passes whoever makes them, so they have the bits of [`Self::over`]. Where exchanges
    /// overlap, another thread computes, and this one exchanges the gradients that it has found.
    ///
    /// # Errors
    /// When the device failed.
    pub(super) fn over_all<T: Sync, M: Module>(
        ranks: &dyn Ranks,
        model: &M,
        batch: &Batch<T>,
        dropout: impl Fn(u64) -> Option<ForwardDropout> + Sync,
        pass: impl Fn(&Part<T>, Option<&ForwardDropout>, &GradientHook) -> Pass<L> + Sync,
    ) -> Result<Self, DeviceFault> {
        let (mut passes, mut all) = (Self::default(), L::default());
        let mut sum = OrderedSum::new(ranks, model);
        let mut own = batch.share.numbers().zip(&batch.parts);
        let (overlaps, nobody) = (ranks.overlaps(), GradientHook::none());
        let rounds = batch.share.rounds();
        for round in 1..=rounds {
            let start = Instant::now();
            let (mut said, mut forward) = (vec![0, 0], Seconds(0.0));
            let mut losses = L::default();
            if let Some((number, part)) = own.next() {
                let made = sum.add_while(round == rounds, |found| {
                    let hook = GradientHook::sending(found, part.weight);
                    let made = pass(part, dropout(number as u64).as_ref(), if overlaps { &hook } else { &nobody });
                    hook.take(0, made.gradients.unwrap_or_default());
                    made.losses.wait().map(|losses| (losses, made.forward))
                });
                (losses, forward) = made.transpose()?.unwrap_or_default();
                said = vec![1, part.tokens];
            } else {
                sum.add_while(round == rounds, drop);
            }
            said.extend(losses.to_words());
            for said in ranks.all_gather_words(&said).chunks(said.len()).filter(|said| said[0] == 1) {
                passes.tokens += said[1];
                all.add(&L::from_words(&said[2..]));
            }
            passes.forward.0 += forward.0;
            passes.backward.0 += start.elapsed().as_secs_f64() - forward.0;
        }
        let start = Instant::now();
        passes.gradients = sum.finish();
        passes.losses = Deferred::known(all);
        passes.backward.0 += start.elapsed().as_secs_f64();
        Ok(passes)
    }
}

/// The losses of `more` passes added to `sum`.
fn sum_of<L: Losses>(sum: Deferred<L>, more: Deferred<L>) -> Deferred<L> {
    sum.and(more).map(|(mut sum, more)| {
        sum.add(&more);
        sum
    })
}

/// A pass through `model`. `loss_of` turns its outputs, `[rows, outputs]`, into their mean loss, `[1]`. All tensors are
/// on an autodiff device. Gradients are those of the loss as `how` scales it.
pub(super) fn classifier_pass(
    model: &Classifier,
    input: &PackedInput,
    dropout: Option<&ForwardDropout>,
    how: &Backward,
    hook: &GradientHook,
    loss_of: impl FnOnce(Tensor<2>) -> Tensor<1>,
) -> Pass<f64> {
    pass_with_next_tokens(model, (input, None), dropout, how, hook, loss_of)
}

/// As [`classifier_pass`], with the loss of the next tokens added, where there are some.
pub(super) fn pass_with_next_tokens(
    model: &Classifier,
    (input, next_tokens): (&PackedInput, Option<&NextTokens>),
    dropout: Option<&ForwardDropout>,
    how: &Backward,
    hook: &GradientHook,
    loss_of: impl FnOnce(Tensor<2>) -> Tensor<1>,
) -> Pass<f64> {
    let start = Instant::now();
    // Nothing of a frozen encoder is kept in either way.
    let by_layers = model.tagger.is_none() && (how.graph == Graph::LayerInputs || hook.listens());
    // The next tokens are predicted from all states.
    let read = if next_tokens.is_none() { model.rows_read(&input.packing) } else { None };
    let reads = || read.as_ref().map_or(Reads::Combined, |read| Reads::Rows(&read.rows));
    let tape = by_layers.then(|| Tape::record(&model.encoder, input, dropout, reads(), how.graph));
    let hidden = match &tape {
        Some(tape) => tape.read.clone(),
        None => model.hidden(input, dropout, read.as_ref()),
    };
    let packing = read.as_ref().map_or(&input.packing, |read| &read.packing);
    let loss = loss_of(model.answer(hidden.clone(), packing, dropout));
    let mean = loss.clone().inner();
    let next = next_tokens.zip(model.next_token.as_ref());
    let next = next.and_then(|(of, head)| of.loss(model, head, hidden));
    let (next, loss) = match next {
        Some(NextTokenLoss { found, before_decoder, of_decoder }) => (Some((found, of_decoder)), loss + before_decoder),
        None => (None, loss),
    };
    let loss = how.scaled_loss(loss);
    let forward = Seconds(start.elapsed().as_secs_f64());
    let start = Instant::now();
    let mut arriving = loss.backward();
    let (of_next, of_decoder) = next.unzip();
    let (of_words, of_bias) = of_decoder.unzip();
    // In the module's visiting order.
    let mut of_heads = take(&model.head, &mut arriving);
    of_heads.extend(take(&model.tagger, &mut arriving));
    of_heads.extend(take(&model.next_token, &mut arriving));
    let has_bias = model.next_token.as_ref().is_some_and(TokenHead::has_bias);
    if let (Some(bias), Some(gradient), true) = (of_bias, of_heads.last_mut(), has_bias) {
        add(gradient, how.scaled(bias));
    }
    let mut gradients = match tape {
        None => {
            let mut gradients = take(&model.encoder, &mut arriving);
            gradients.extend(of_heads);
            gradients
        }
        Some(tape) => tape.backward((&model.encoder, input, dropout), &mut arriving, of_heads, hook),
    };
    if let (Some(words), Some(gradient)) = (of_words, gradients.get_mut(place(model, model.encoder.words().id))) {
        let length = words.dims().iter().product::<usize>();
        add(gradient, how.scaled(words.reshape([length])));
    }
    let losses = Deferred::read([mean], |[mean]| mean.first().map_or(f64::NAN, |mean| f64::from(*mean)));
    let losses = losses.and(of_next.unwrap_or_default()).map(|(task, next)| task + next);
    Pass { losses, gradients: Some(gradients), forward, backward: Seconds(start.elapsed().as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Int, TensorData};

    use super::*;
    use crate::kernel::{Bf16Support, Precision, cross_entropy};
    use crate::model::random_classifier;
    use crate::random::Stream;
    use crate::train::invariants::{SMALL, device, numbers};

    fn pass(model: &Classifier, graph: Graph, step: u64) -> Pass<f64> {
        let device = device();
        let ids: Vec<u32> = (0..11).map(|token| (token * 7 + 5) % 30).collect();
        let positions = [0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 3];
        let segments = [0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1];
        let input = PackedInput::new(&ids, &positions, &segments, &[0, 5, 7, 11], &device);
        let dropout = ForwardDropout::new(0.3, Stream::new(4, "dropout"), step);
        let labels = Tensor::<1, Int>::from_data(TensorData::new(vec![0i32, 2, 1], [3]), &device);
        let loss = |logits| cross_entropy(logits, labels);
        classifier_pass(model, &input, dropout.as_ref(), &graph.into(), &GradientHook::none(), loss)
    }

    #[test]
    fn layers_computed_twice_give_the_same_bits_with_dropout_on() {
        same_bits(&random_classifier(&SMALL, 3, 1, &device()));
    }

    /// In which the sums of gradients depend on which rows are left out.
    #[test]
    fn layers_computed_twice_give_the_same_bits_in_bf16() {
        if Bf16Support::detect() == Bf16Support::None {
            println!("skipped: no bf16 here");
            return;
        }
        let mut model = random_classifier(&SMALL, 3, 1, &device());
        model.encoder.set_precision(Precision::Bf16);
        same_bits(&model);
    }

    fn same_bits(model: &Classifier) {
        let whole = numbers(pass(model, Graph::Whole, 1));
        assert_eq!(whole.1.len(), 5 + 2 * 12 + 2 + 2, "embeddings, layers, pooler and head");
        assert!(whole.1.iter().all(|gradient| gradient.iter().any(|g| *g != 0.0)), "every parameter learns");
        assert_eq!(whole, numbers(pass(model, Graph::LayerInputs, 1)));
        assert_ne!(whole, numbers(pass(model, Graph::Whole, 2)), "another step has other masks");
    }
}
