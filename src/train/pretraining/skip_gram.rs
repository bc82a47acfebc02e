//! Skip-gram with negative sampling (Mikolov et al. 2013): each word predicts those in a window around it, against words
//! drawn at random. Sums are over whole batches in one order, so that threads change no bit; word2vec.c's race for the same
//! rows instead.

use std::time::Instant;

use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::losses::{HeadLoss, HeadLosses};
use super::windows::{NEGATIVE, SkipGrams};
use crate::model::{Encoder, LanguageModel};
use crate::train::optimizer::take;
use crate::train::pass::Pass;
use crate::units::Seconds;

/// Forward and backward pass.
pub(super) fn skip_gram_pass(model: &LanguageModel, pairs: &SkipGrams) -> Pass<HeadLosses> {
    let start = Instant::now();
    let found = skip_gram_loss(model, pairs);
    let losses = found.as_ref().map(|(_, losses)| *losses).unwrap_or_default();
    let forward = Seconds(start.elapsed().as_secs_f64());
    let start = Instant::now();
    let gradients = found.map(|(loss, _)| take(model, &mut loss.mul_scalar(1.0 / pairs.all.max(1) as f64).backward()));
    Pass { losses, gradients, forward, backward: Seconds(start.elapsed().as_secs_f64()) }
}

/// Σ over the pairs of −log σ(v·u) − Σ over random words of log σ(−v·u), `[1]`, and what is said of it: a pair is right
/// when the word of the window has a greater product than all random ones. `None` without pairs, and for a model that is
/// no word vectors.
pub(super) fn skip_gram_loss(model: &LanguageModel, pairs: &SkipGrams) -> Option<(Tensor<1>, HeadLosses)> {
    let (context, count) = (model.context.as_ref()?, pairs.centres.len());
    if count == 0 {
        return None;
    }
    let (vectors, context) = (model.encoder.words().val(), context.val());
    let (device, [_, width], each) = (vectors.device(), vectors.dims(), 1 + NEGATIVE);
    let centres = vectors.select(0, indices(&pairs.centres, &device)).reshape([count, 1, width]);
    let others = context.select(0, indices(&pairs.others, &device)).reshape([count, each, width]);
    let products: Tensor<2> = (others * centres).sum_dim(2).reshape([count, each]);
    let mut signs = vec![-1f32; each];
    signs[0] = 1.0;
    let signs = Tensor::<2>::from_data(TensorData::new(signs, [1, each]), &device);
    let best = products.clone().argmax(1).into_data();
    let correct = best.iter::<i64>().filter(|best| *best == 0).count() as u64;
    let loss = log_sigmoid(products * signs).sum().neg();
    let sum = f64::from(loss.clone().into_scalar::<f32>());
    let tokens = HeadLoss { count: count as u64, correct, sum };
    Some((loss, HeadLosses { tokens, ..HeadLosses::default() }))
}

fn indices(ids: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(ids.to_vec(), [ids.len()]), device)
}
