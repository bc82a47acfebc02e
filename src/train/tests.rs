//! The feature-based approach in training: a toy whose answer stands to the right of each token.

use super::gradient_hook::GradientHook;
use super::invariants::{bits, device, numbers};
use super::optimizer::Optimizer;
use super::pass::{Pass, classifier_pass};
use super::tape::Graph;
use crate::kernel::token_loss;
use crate::model::{Classifier, ForwardDropout, Head, PackedInput, random_classifier};
use crate::random::Stream;
use crate::settings::{FeatureBased, Layers};
use crate::store::{Optimization, example};

const SEQUENCES: u32 = 8;

fn tagger(layers: Layers) -> Classifier {
    let device = device();
    let mut model = random_classifier(&example::small_bert(4, 16), 2, 1, &device);
    model.kind = Head::Tags;
    model
        .on_features(&FeatureBased { layers, hidden: 16, lstm_layers: 2, attention: false }, false, 1, &device)
        .unwrap()
}

/// Sequences of 3 to 12 random tokens, and whether the token to the right of each is in the vocabulary's upper
/// half; nothing is to the right of the last one.
fn batch(step: u64) -> (PackedInput, Vec<u32>) {
    let mut draws = Stream::new(3, "toy").at(step);
    let (mut offsets, mut ids, mut positions, mut labels) = (vec![0], Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SEQUENCES {
        let sequence: Vec<u32> = (0..3 + draws.below(10)).map(|_| draws.below(30) as u32).collect();
        positions.extend(0..sequence.len() as u32);
        labels.extend(sequence[1..].iter().map(|&id| u32::from(id >= 15)).chain([0]));
        ids.extend(sequence);
        offsets.push(ids.len() as u32);
    }
    (PackedInput::new(&ids, &positions, &vec![0; ids.len()], &offsets, &device()), labels)
}

fn pass(model: &Classifier, graph: Graph, step: u64) -> Pass<f64> {
    let (input, labels) = batch(step);
    let dropout = ForwardDropout::new(0.1, Stream::new(4, "dropout"), step);
    let rows: Vec<u32> = (0..labels.len() as u32).collect();
    let loss = |outputs| token_loss(outputs, &rows, &labels);
    classifier_pass(model, &input, dropout.as_ref(), &graph.into(), &GradientHook::none(), loss)
}

#[test]
fn the_encoder_stays_as_it_is_to_the_bit_and_the_rest_learns() {
    let optimization = Optimization { weight_decay: 0.01, ..example::settings("rte", 1).optimization };
    for layers in [Layers::Embeddings, Layers::SumLastFour, Layers::ConcatLastFour] {
        let (mut model, mut optimizer) = (tagger(layers), Optimizer::new());
        let (encoder, trained) = (bits(&model.encoder), [bits(&model.tagger), bits(&model.head)]);
        let mut losses = Vec::new();
        for step in 0..150 {
            let pass = pass(&model, Graph::Whole, step);
            losses.push(pass.losses.wait().unwrap());
            let gradients = pass.gradients.unwrap();
            let (frozen, learning) = gradients.split_at(encoder.len());
            assert!(frozen.iter().all(Option::is_none), "the encoder has gradients");
            assert!(learning.iter().all(Option::is_some), "something does not learn");
            (model, _) = optimizer.step(model, gradients, 1e-2, &optimization);
        }
        let [first, last] = [&losses[..10], &losses[140..]].map(|part| part.iter().sum::<f64>() / 10.0);
        assert!(first > 0.5 && last < 0.2, "{layers:?}: from {first} to {last}");
        assert_eq!(bits(&model.encoder), encoder, "{layers:?}");
        let after = [bits(&model.tagger), bits(&model.head)];
        for (before, after) in trained.iter().flatten().zip(after.iter().flatten()) {
            assert_ne!(before, after, "{layers:?}");
        }
    }
}

#[test]
fn activation_checkpointing_changes_no_bit() {
    let model = tagger(Layers::SumAll);
    let [whole, again] = [Graph::Whole, Graph::LayerInputs].map(|graph| numbers(pass(&model, graph, 1)));
    assert_eq!(whole, again);
}
