//! Answers to whole texts over a frozen encoder, in training.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::batch::{PairInput, packed_input};
use super::gradient_hook::GradientHook;
use super::optimizer::Optimizer;
use super::pass::{Pass, classifier_pass};
use super::pretraining::encoder_tests::Move;
use super::state::{read_state, write_state};
use super::tape::Graph;
use super::tests::bits;
use crate::kernel::{cross_entropy, indices};
use crate::model::{Classifier, ForwardDropout, random_classifier};
use crate::random::Stream;
use crate::settings::{EncoderType, FeatureBased, InitializerRange, Layers};
use crate::store::{Architecture, Checkpoints, RunId, example};
use crate::text::PackedBatch;

const CLASSES: u32 = 3;
/// Encoders, and whether texts come in pairs that attend to each other.
const CASES: [(EncoderType, bool, bool); 4] = [
    (EncoderType::Elmo, true, true),
    (EncoderType::Elmo, true, false),
    (EncoderType::Bert, true, true),
    (EncoderType::WordVectors, false, false),
];

fn device() -> Device {
    Device::flex().autodiff()
}

fn model((encoder, pairs, attention): (EncoderType, bool, bool)) -> Classifier {
    let of = Architecture { vocab_size: 40, max_positions: 12, ..Architecture::without_attention(encoder, 2, 8) };
    let initializer_range = InitializerRange::new(0.1).unwrap();
    let of = if encoder.is_transformer() {
        Architecture { heads: 2, intermediate: 16, initializer_range, ..of }
    } else {
        of
    };
    let features = FeatureBased { layers: Layers::SumWithEmbeddings, hidden: 4, lstm_layers: 2, attention };
    random_classifier(&of, CLASSES as usize, 1, &device()).on_features(&features, pairs, 1, &device()).unwrap()
}

/// Five examples of 1 to 5 words, with a second text of 1 to 3 in pairs.
fn batch(pairs: bool) -> PackedBatch {
    let mut batch = PackedBatch { offsets: vec![0], ..PackedBatch::default() };
    let mut draws = Stream::new(5, "texts").at(0);
    for (sequence, (first, second)) in (0..).zip([(3, 2), (1, 1), (4, 3), (5, 1), (2, 2)]) {
        let mut words = |count: usize| -> Vec<u32> { (0..count).map(|_| 5 + draws.below(35) as u32).collect() };
        let mut ids = [vec![2], words(first), vec![3]].concat();
        if pairs {
            ids.extend([words(second), vec![3]].concat());
        }
        batch.segments.extend((0..ids.len()).map(|at| u32::from(at > first + 1)));
        batch.positions.extend(0..ids.len() as u32);
        batch.ids.extend(ids);
        batch.offsets.push(batch.ids.len() as u32);
        batch.sequences.push(sequence);
        batch.labels.push((sequence % CLASSES) as f32);
    }
    batch
}

fn pass(model: &Classifier, graph: Graph, dropout: f64, step: u64) -> Pass<f64> {
    let batch = batch(model.reads_texts_apart());
    let input = packed_input(&batch, PairInput::of(model), &device());
    let classes = indices(batch.labels.iter().map(|label| *label as u32), &device());
    let dropout = ForwardDropout::new(dropout, Stream::new(4, "dropout"), step);
    let loss = |logits| cross_entropy(logits, classes);
    classifier_pass(model, &input, dropout.as_ref(), &graph.into(), &GradientHook::none(), loss)
}

/// Loss and gradients; none of a parameter that is frozen.
fn numbers(pass: Pass<f64>) -> (f64, Vec<Vec<f32>>) {
    let number = |gradient: Option<Tensor<1>>| {
        gradient.map(|gradient| gradient.into_data().iter::<f32>().collect()).unwrap_or_default()
    };
    (pass.losses.wait().unwrap(), pass.gradients.unwrap().into_iter().map(number).collect())
}

fn train(mut model: Classifier, optimizer: &mut Optimizer, steps: std::ops::Range<u64>) -> Classifier {
    let optimization = example::settings("rte", 1).optimization;
    for step in steps {
        let gradients = pass(&model, Graph::Whole, 0.1, step).gradients.unwrap();
        (model, _) = optimizer.step(model, gradients, 3e-3, &optimization);
    }
    model
}

#[test]
fn gradients_are_those_of_finite_differences_and_the_encoder_has_none() {
    for case in CASES {
        let model = model(case);
        let (_, found) = numbers(pass(&model, Graph::Whole, 0.0, 1));
        let encoder = bits(&model.encoder).len();
        assert!(found[..encoder].iter().all(Vec::is_empty), "{case:?}: the encoder has gradients");
        assert!(found[encoder..].iter().all(|gradient| !gradient.is_empty()), "{case:?}: something does not learn");
        let mut checked = 0;
        for (parameter, gradient) in found.into_iter().enumerate() {
            for element in (0..gradient.len()).step_by(gradient.len() / 6 + 1) {
                let moved = |by| {
                    let moved = model.clone().map(&mut Move::of(parameter, element, by));
                    numbers(pass(&moved, Graph::Whole, 0.0, 1)).0
                };
                let slope = (moved(2e-3) - moved(-2e-3)) / 4e-3;
                let expected = f64::from(gradient[element]);
                assert!((slope - expected).abs() < 1e-3, "{case:?}, parameter {parameter}: {slope} {expected}");
                checked += usize::from(expected.abs() > 5e-3);
            }
        }
        assert!(checked >= 6, "{case:?}: {checked}");
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_bits_and_learns() {
    for case in CASES {
        let mut optimizer = Optimizer::new();
        let first = train(model(case), &mut optimizer, 0..3);
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path(), RunId("aa".into()), 1);
        checkpoints.write(3, &(), |into| write_state(into, &first, &optimizer)).unwrap();
        let kept = checkpoints.newest().unwrap().0.unwrap();
        let (read, mut read_optimizer) = read_state(&kept, model(case)).unwrap();
        let last = train(first, &mut optimizer, 3..60);
        let resumed = train(read, &mut read_optimizer, 3..60);
        assert_eq!(bits(&resumed), bits(&last), "{case:?}");
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
