//! A short measurement of this machine, for forecasts.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::gradient_hook::GradientHook;
use super::optimizer::Optimizer;
use super::pass::classifier_pass;
use super::tape::Graph;
use crate::kernel::cross_entropy;
use crate::model::{Classifier, ForwardDropout, PackedInput, random_classifier};
use crate::random::Stream;
use crate::store::{Architecture, Optimization};
use crate::units::Seconds;

/// Repetitions, of which the median counts, after one that does not.
pub(super) const REPETITIONS: usize = 3;
/// Rows of the word embeddings of the measured model: enough to gather from, quick to draw.
pub(super) const VOCABULARY: u32 = 1000;

/// Seconds of one step of a model on a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepTimes {
    /// The measured model: the architecture asked for, with at most two layers and a small vocabulary.
    pub architecture: Architecture,
    /// Sequences in the batch.
    pub sequences: u64,
    /// Tokens of each sequence.
    pub length: u64,
    /// Parameters that the optimizer updated.
    pub parameters: u64,
    /// Forward and backward with dropout.
    pub forward_backward: Seconds,
    /// Clipping and AdamW.
    pub optimizer: Seconds,
    /// Forward without gradients.
    pub evaluation: Seconds,
}

/// Measures a step of `architecture`, cut to `layers` layers, on `sequences` sequences of `length` tokens.
#[must_use]
pub fn measure_step(
    architecture: &Architecture,
    layers: u32,
    sequences: u32,
    length: u32,
    training: &Optimization,
    device: &Device,
) -> StepTimes {
    let architecture =
        Architecture { layers: layers.min(architecture.layers), vocab_size: VOCABULARY, ..*architecture };
    let autodiff = device.clone().autodiff();
    let mut model = random_classifier(&architecture, 2, 1, &autodiff);
    model.encoder.set_precision(training.precision);
    let parameters = model.num_params() as u64;
    let mut optimizer = Optimizer::new();
    let [mut forward_backward, mut update, mut evaluation] = [(); 3].map(|()| Vec::new());
    for step in 0..=REPETITIONS {
        let start = Instant::now();
        let dropout = ForwardDropout::new(training.dropout, Stream::new(1, "dropout"), step as u64);
        let labels = TensorData::new(vec![0i32; sequences as usize], [sequences as usize]);
        let loss = |logits| cross_entropy(logits, Tensor::<1, Int>::from_data(labels, &autodiff));
        let input = batch(sequences, length, &autodiff);
        let how = Graph::of(training.gradient_checkpointing).into();
        let pass = classifier_pass(&model, &input, dropout.as_ref(), &how, &GradientHook::none(), loss);
        // A device that fails says so in the runs.
        drop(pass.losses.wait());
        forward_backward.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let norm;
        (model, norm) = optimizer.step(model, pass.gradients.unwrap_or_default(), training.adam_epsilon, training);
        drop(norm.wait());
        update.push(start.elapsed().as_secs_f64());
        evaluation.push(predict_once(&model.valid(), sequences, length, device));
    }
    StepTimes {
        architecture,
        sequences: u64::from(sequences),
        length: u64::from(length),
        parameters,
        forward_backward: median(forward_backward),
        optimizer: median(update),
        evaluation: median(evaluation),
    }
}

fn predict_once(model: &Classifier, sequences: u32, length: u32, device: &Device) -> f64 {
    let start = Instant::now();
    let logits = model.forward(&batch(sequences, length, device), None);
    // A device has computed nothing before; one that fails says so in the runs.
    drop(device.sync());
    let seconds = start.elapsed().as_secs_f64();
    drop(logits);
    seconds
}

fn batch(sequences: u32, length: u32, device: &Device) -> PackedInput {
    let positions: Vec<u32> = (0..sequences).flat_map(|_| 0..length).collect();
    let ids: Vec<u32> = positions.iter().map(|position| (position * 7 + 5) % VOCABULARY).collect();
    let offsets: Vec<u32> = (0..=sequences).map(|sequence| sequence * length).collect();
    PackedInput::new(&ids, &positions, &vec![0; ids.len()], &offsets, device)
}

/// The median of all but the first.
pub(super) fn median(mut seconds: Vec<f64>) -> Seconds {
    seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    Seconds(seconds[seconds.len() / 2])
}
