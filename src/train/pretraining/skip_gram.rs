//! Skip-gram with negative sampling (Mikolov et al. 2013): each word predicts those in a window around it, against words
//! drawn at random. Sums are over whole batches in one order, so that threads change no bit; word2vec.c's race for the same
//! rows instead.

use std::time::Instant;

use burn::module::Module;

use super::losses::{HeadLoss, HeadLosses};
use super::windows::SkipGrams;
use crate::kernel::{self, Deferred, SkipGramLoss, SkipGramPairs};
use crate::model::LanguageModel;
use crate::train::backward::Backward;
use crate::train::optimizer::FlatGradients;
use crate::train::pass::Pass;
use crate::train::places::{parameters, place};
use crate::units::Seconds;

/// Loss and gradients, which one operation gives.
pub(super) fn skip_gram_pass(model: &LanguageModel, pairs: &SkipGrams, how: &Backward) -> Pass<HeadLosses> {
    let start = Instant::now();
    let plain = model.valid();
    let found = loss(&plain, pairs, Some(pairs.all));
    let losses = found.as_ref().map(|found| losses(found, pairs)).unwrap_or_default();
    let gradients = found.and_then(|found| found.gradients).map(|[vectors, context]| {
        let mut gradients: FlatGradients = (0..parameters(model)).map(|_| None).collect();
        let ids = [Some(model.encoder.words().id), model.context.as_ref().map(|context| context.id)];
        for (id, gradient) in ids.into_iter().zip([vectors, context]) {
            let length = gradient.dims().iter().product::<usize>();
            if let Some(own) = id.and_then(|id| gradients.get_mut(place(model, id))) {
                *own = Some(gradient.reshape([length]));
            }
        }
        how.all_scaled(gradients)
    });
    let forward = Seconds(start.elapsed().as_secs_f64());
    Pass { losses: Deferred::known(losses), gradients, forward, backward: Seconds(0.0) }
}

/// What `model` (without autodiff) loses; nothing without pairs, and for a model that is no word vectors.
pub(super) fn skip_gram_losses(model: &LanguageModel, pairs: &SkipGrams) -> HeadLosses {
    loss(model, pairs, None).map(|found| losses(&found, pairs)).unwrap_or_default()
}

fn loss(model: &LanguageModel, pairs: &SkipGrams, mean_over: Option<usize>) -> Option<SkipGramLoss> {
    let context = model.context.as_ref().filter(|_| !pairs.centres.is_empty())?;
    let (vectors, context) = (model.encoder.words().val(), context.val());
    let pairs = SkipGramPairs { centres: &pairs.centres, others: &pairs.others };
    Some(kernel::skip_gram_loss(&vectors, &context, pairs, mean_over))
}

/// A pair is right when the word of the window has a greater product than all random ones.
fn losses(found: &SkipGramLoss, pairs: &SkipGrams) -> HeadLosses {
    let tokens = HeadLoss { count: pairs.centres.len() as u64, correct: found.right, sum: found.loss };
    HeadLosses { tokens, ..HeadLosses::default() }
}
