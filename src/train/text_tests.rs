//! Answers to whole texts over a frozen encoder, in training.

use super::batch::{PairInput, packed_input};
use super::gradient_hook::GradientHook;
use super::invariants::{Slopes, bits, device, numbers, resumes, texts};
use super::pass::{Pass, classifier_pass};
use super::tape::Graph;
use crate::kernel::{cross_entropy, indices};
use crate::model::{Classifier, ForwardDropout, random_classifier};
use crate::random::Stream;
use crate::settings::{EncoderType, FeatureBased, Layers};
use crate::store::example;
use crate::text::PackedBatch;

const CLASSES: usize = 3;
/// Encoders, and whether texts come in pairs that attend to each other.
const CASES: [(EncoderType, bool, bool); 4] = [
    (EncoderType::Elmo, true, true),
    (EncoderType::Elmo, true, false),
    (EncoderType::Bert, true, true),
    (EncoderType::WordVectors, false, false),
];

fn model(case: (EncoderType, bool, bool)) -> Classifier {
    model_of(case, 1)
}

fn model_of((encoder, pairs, attention): (EncoderType, bool, bool), seed: u64) -> Classifier {
    let features = FeatureBased { layers: Layers::SumWithEmbeddings, hidden: 4, lstm_layers: 2, attention };
    random_classifier(&example::small(encoder), CLASSES, seed, &device())
        .on_features(&features, pairs, seed, &device())
        .unwrap()
}

/// Five examples of 1 to 5 words, with a second text of 1 to 3 in pairs.
fn batch(pairs: bool) -> PackedBatch {
    let words = [(3, 2), (1, 1), (4, 3), (5, 1), (2, 2)].map(|(first, second)| (first, if pairs { second } else { 0 }));
    PackedBatch { labels: vec![0.0, 1.0, 2.0, 0.0, 1.0], ..texts("texts", &words, 3) }
}

fn pass(model: &Classifier, graph: Graph, dropout: f64, step: u64) -> Pass<f64> {
    let batch = batch(model.reads_texts_apart());
    let input = packed_input(&batch, PairInput::of(model), &device());
    let classes = indices(batch.labels.iter().map(|label| *label as u32), &device());
    let dropout = ForwardDropout::new(dropout, Stream::new(4, "dropout"), step);
    let loss = |logits| cross_entropy(logits, classes);
    classifier_pass(model, &input, dropout.as_ref(), &graph.into(), &GradientHook::none(), loss)
}

#[test]
fn gradients_are_those_of_finite_differences_and_the_encoder_has_none() {
    for case in CASES {
        let model = model(case);
        let (_, found) = numbers(pass(&model, Graph::Whole, 0.0, 1));
        let encoder = bits(&model.encoder).len();
        assert!(found[..encoder].iter().all(Vec::is_empty), "{case:?}: the encoder has gradients");
        assert!(found[encoder..].iter().all(|gradient| !gradient.is_empty()), "{case:?}: something does not learn");
        let slopes = Slopes { step: 2e-3, elements: 6, tolerance: 1e-3, steep: (6, 5e-3) };
        slopes.check(&format!("{case:?}"), &model, found, |model| numbers(pass(model, Graph::Whole, 0.0, 1)).0);
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_bits_and_learns() {
    for case in CASES {
        let gradients = |model: &Classifier, step| pass(model, Graph::Whole, 0.1, step).gradients.unwrap();
        let last = resumes(|seed| model_of(case, seed), 3e-3, gradients);
        assert_eq!(bits(&last.encoder), bits(&model(case).encoder), "{case:?}: the encoder is frozen");
        let loss = |model: &Classifier| numbers(pass(model, Graph::Whole, 0.0, 1)).0;
        let (before, after) = (loss(&model(case)), loss(&last));
        assert!(after < before - 0.3, "{case:?}: {before} {after}");
    }
}

#[test]
fn neither_threads_nor_activation_checkpointing_change_a_bit() {
    for case in CASES {
        let model = model(case);
        let of = |graph, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| numbers(pass(&model, graph, 0.3, 1)))
        };
        let expected = of(Graph::Whole, 1);
        for (graph, threads) in [(Graph::Whole, 3), (Graph::LayerInputs, 2)] {
            assert_eq!(of(graph, threads), expected, "{case:?}, {threads} threads");
        }
    }
}

/// Dropout is between the LSTM's layers, before the second LSTM, the tanh layer and the head: another step has other masks.
#[test]
fn masks_are_those_of_the_step() {
    let model = model(CASES[0]);
    let loss = |step| numbers(pass(&model, Graph::Whole, 0.3, step)).0;
    assert_eq!(loss(1).to_bits(), loss(1).to_bits());
    assert_ne!(loss(1).to_bits(), loss(2).to_bits());
}
