//! The loss of the next token beside a task's, against pretraining's, finite differences and its own parts; pairs in both
//! orders.

use std::sync::mpsc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::batch::pack;
use super::encoder_tests::Move;
use super::pass::pretraining_pass;
use crate::corpus::examples::TrainingInstance;
use crate::kernel::{Packing, cross_entropy, indices};
use crate::model::{
    Classifier, Config, ForwardDropout, Head, LanguageModel, load_trained_classifier, random_classifier,
    random_pretraining, save_classifier,
};
use crate::random::Stream;
use crate::settings::{EncoderType, InitializerRange, LmLoss};
use crate::store::{Architecture, Checkpoints, ModelUsage, Objective, RunId, example};
use crate::text::PackedBatch;
use crate::train::batch::{PairInput, packed_input};
use crate::train::gradient_hook::GradientHook;
use crate::train::next_token::NextTokens;
use crate::train::optimizer::Optimizer;
use crate::train::pass::{Pass, pass_with_next_tokens};
use crate::train::state::{read_state, write_state};
use crate::train::tape::Graph;

const WORDS: u32 = 40;
const CLASSES: usize = 3;
const ENCODERS: [EncoderType; 3] = [EncoderType::Gpt, EncoderType::OpenaiGpt, EncoderType::Lstm];

fn architecture(encoder: EncoderType) -> Architecture {
    let of = Architecture { vocab_size: WORDS, max_positions: 12, ..Architecture::without_attention(encoder, 2, 8) };
    if !encoder.is_transformer() {
        return of;
    }
    // Such that norms of so few numbers are no steeper than differences can follow.
    let initializer_range = InitializerRange::new(0.1).unwrap();
    Architecture { heads: 2, intermediate: 16, initializer_range, ..of }
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn language_model(encoder: EncoderType) -> LanguageModel {
    random_pretraining(&architecture(encoder), false, 1, &device())
}

/// A classifier on the encoder and the head of [`language_model`].
fn classifier(encoder: EncoderType) -> Classifier {
    let LanguageModel { encoder: of, tokens, .. } = language_model(encoder);
    let model = random_classifier(&architecture(encoder), CLASSES, 1, &device());
    Classifier { encoder: of, next_token: Some(tokens), ..model }
}

/// Pairs of 3 and 2, 1 and 1, and 4 and 3 words.
fn batch() -> PackedBatch {
    let mut batch = PackedBatch { offsets: vec![0], labels: vec![0.0, 2.0, 1.0], ..PackedBatch::default() };
    let mut draws = Stream::new(5, "pairs").at(0);
    for (sequence, (first, second)) in (0..).zip([(3, 2), (1, 1), (4, 3)]) {
        let mut words = |count: usize| -> Vec<u32> { (0..count).map(|_| 5 + draws.below(35) as u32).collect() };
        let ids = [vec![2], words(first), vec![4], words(second), vec![3]].concat();
        batch.segments.extend((0..ids.len()).map(|at| u32::from(at > first + 1)));
        batch.positions.extend(0..ids.len() as u32);
        batch.ids.extend(ids);
        batch.offsets.push(batch.ids.len() as u32);
        batch.sequences.push(sequence);
    }
    batch
}

/// The examples from number `from` to before `to` of [`batch`], the texts of each swapped if so wanted.
fn examples(from: usize, to: usize, swapped: bool) -> PackedBatch {
    let (whole, mut part) = (batch(), PackedBatch { offsets: vec![0], ..PackedBatch::default() });
    let both = whole.in_both_orders();
    for at in from..to {
        let sequence = 2 * at + usize::from(swapped);
        let tokens = both.offsets[sequence] as usize..both.offsets[sequence + 1] as usize;
        part.ids.extend(&both.ids[tokens.clone()]);
        part.segments.extend(&both.segments[tokens.clone()]);
        part.positions.extend(&both.positions[tokens]);
        part.offsets.push(part.ids.len() as u32);
        part.labels.push(whole.labels[at]);
        part.sequences.push(at as u32);
    }
    part
}

fn pass_of(
    model: &Classifier,
    batch: &PackedBatch,
    next: Option<&NextTokens>,
    graph: Graph,
    dropout: f64,
) -> Pass<f64> {
    hooked(model, batch, next, graph, dropout, &GradientHook::none())
}

fn hooked(
    model: &Classifier,
    batch: &PackedBatch,
    next: Option<&NextTokens>,
    graph: Graph,
    dropout: f64,
    hook: &GradientHook,
) -> Pass<f64> {
    let input = packed_input(batch, PairInput::of(model), &device());
    let classes = indices(batch.labels.iter().map(|label| *label as u32), &device());
    let dropout = ForwardDropout::new(dropout, Stream::new(4, "dropout"), 1);
    let loss = |logits| cross_entropy(logits, classes);
    pass_with_next_tokens(model, (&input, next), dropout.as_ref(), &graph.into(), hook, loss)
}

/// [`batch`] as the model reads it.
fn read_of(model: &Classifier) -> PackedBatch {
    if model.both_orders { batch().in_both_orders() } else { batch() }
}

/// The loss of the whole batch with λ, and its gradients.
fn whole(model: &Classifier, coefficient: f64) -> (f64, Vec<Vec<f32>>) {
    let next = (coefficient > 0.0).then(|| NextTokens::of(&read_of(model), coefficient));
    numbers(pass_of(model, &batch(), next.as_ref(), Graph::Whole, 0.0))
}

fn numbers(pass: Pass<f64>) -> (f64, Vec<Vec<f32>>) {
    let number = |gradient: Option<Tensor<1>>| {
        gradient.map(|gradient| gradient.into_data().iter::<f32>().collect()).unwrap_or_default()
    };
    (pass.losses.wait().unwrap(), pass.gradients.unwrap().into_iter().map(number).collect())
}

fn close(one: &[f32], other: &[f32], what: &str) {
    assert_eq!(one.len(), other.len(), "{what}");
    // Sums of single-precision numbers of at most 1, in another order.
    let size = one.iter().fold(0f32, |most, number| most.max(number.abs()));
    assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-5 * size + 1e-7), "{what}: {one:?} {other:?}");
}

/// The sum of both in value and gradient, of which the second is pretraining's on the same tokens.
#[test]
fn the_loss_is_the_tasks_and_a_share_of_pretrainings() {
    for encoder in ENCODERS {
        let batch = batch();
        let sequence = |bounds: &[u32]| {
            let tokens = bounds[0] as usize..bounds[1] as usize;
            let (ids, segments) = (batch.ids[tokens.clone()].to_vec(), &batch.segments[tokens]);
            let (masked_positions, masked_labels) = (0..).zip(&ids[1..]).map(|(at, id)| (at, *id)).unzip();
            let segments = segments.iter().map(|segment| *segment as u8).collect();
            TrainingInstance { ids, segments, masked_positions, masked_labels, next_is_random: None }
        };
        let examples: Vec<TrainingInstance> = batch.offsets.windows(2).map(sequence).collect();
        let parts = pack(&examples, 3, LmLoss::CausalLm, &device());
        let (how, hook) = (Graph::Whole.into(), GradientHook::none());
        let pass = pretraining_pass(&language_model(encoder), &parts[0], None, &how, &hook);
        let next = pass.losses.wait().unwrap().tokens.mean();
        let of_next: Vec<Option<Tensor<1>>> = pass.gradients.unwrap();
        let model = classifier(encoder);
        let ((task, of_task), (both, of_both)) = (whole(&model, 0.0), whole(&model, 0.5));
        assert!((both - task - 0.5 * next).abs() < 1e-9, "{encoder}: {both} {task} {next}");
        // The classifier's head, a matrix and a bias, stands behind the encoder.
        let of_encoder = of_both.len() - 2 - heads(&model);
        for (at, gradient) in of_next.into_iter().enumerate() {
            let place = if at < of_encoder { at } else { at + 2 };
            let next = gradient.map(|gradient| gradient.into_data().iter::<f32>().collect::<Vec<f32>>());
            let sum = match (of_task[place].as_slice(), next) {
                (task, None) => task.to_vec(),
                ([], Some(next)) => next.iter().map(|next| 0.5 * next).collect(),
                (task, Some(next)) => task.iter().zip(next).map(|(task, next)| task + 0.5 * next).collect(),
            };
            close(&of_both[place], &sum, &format!("{encoder}, parameter {place}"));
        }
        assert_eq!(
            of_both[of_encoder..of_encoder + 2],
            of_task[of_encoder..of_encoder + 2],
            "{encoder}: the task's head"
        );
    }
}

/// Parameters of what predicts the next token.
fn heads(model: &Classifier) -> usize {
    let head = model.next_token.as_ref().unwrap();
    1 + 2 * usize::from(head.transform.is_some()) + 2 * usize::from(head.transform_norm.is_some())
}

#[test]
fn gradients_are_those_of_finite_differences_in_both_orders_too() {
    for (encoder, both_orders) in ENCODERS.into_iter().flat_map(|encoder| [(encoder, false), (encoder, true)]) {
        let model = Classifier { both_orders, ..classifier(encoder) };
        let (_, found) = whole(&model, 0.5);
        let mut checked = 0;
        for (parameter, gradient) in found.into_iter().enumerate() {
            for element in (0..gradient.len()).step_by(gradient.len() / 6 + 1) {
                let moved = |by| whole(&model.clone().map(&mut Move::of(parameter, element, by)), 0.5).0;
                let slope = (moved(2e-3) - moved(-2e-3)) / 4e-3;
                let expected = f64::from(gradient[element]);
                assert!((slope - expected).abs() < 1e-3, "{encoder}, parameter {parameter}: {slope} {expected}");
                checked += usize::from(expected.abs() > 1e-2);
            }
        }
        assert!(checked >= 6, "{encoder}: {checked}");
    }
}

#[test]
fn layers_computed_twice_and_gradients_found_early_change_no_bit() {
    for encoder in ENCODERS {
        let model = classifier(encoder);
        let next = || Some(NextTokens::of(&batch(), 0.5));
        let of = |graph| numbers(pass_of(&model, &batch(), next().as_ref(), graph, 0.3));
        let (whole, twice) = (of(Graph::Whole), of(Graph::LayerInputs));
        assert_eq!(whole.0.to_bits(), twice.0.to_bits(), "{encoder}");
        assert_eq!(whole.1, twice.1, "{encoder}");
        let (sender, found) = mpsc::channel();
        let hook = GradientHook::sending(sender, 1.0);
        let mut pass = hooked(&model, &batch(), next().as_ref(), Graph::Whole, 0.3, &hook);
        drop(hook);
        for (parameter, gradient) in found.iter().flatten() {
            let gradients = pass.gradients.as_mut().unwrap();
            assert!(gradients[parameter].replace(gradient).is_none(), "{encoder}: {parameter} is found once");
        }
        assert_eq!(numbers(pass), whole, "{encoder}");
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_bits_and_learns_both() {
    for (encoder, both_orders) in ENCODERS.into_iter().zip([false, true, true]) {
        let start = || Classifier { both_orders, ..classifier(encoder) };
        let optimization = example::settings("rte", 1).optimization;
        let train = |mut model: Classifier, optimizer: &mut Optimizer, steps: usize| {
            for _ in 0..steps {
                let next = NextTokens::of(&read_of(&model), 0.5);
                let gradients = pass_of(&model, &batch(), Some(&next), Graph::Whole, 0.1).gradients.unwrap();
                (model, _) = optimizer.step(model, gradients, 3e-3, &optimization);
            }
            model
        };
        let mut optimizer = Optimizer::new();
        let first = train(start(), &mut optimizer, 3);
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path(), RunId("aa".into()), 1);
        checkpoints.write(3, &(), |into| write_state(into, &first, &optimizer)).unwrap();
        let kept = checkpoints.newest().unwrap().0.unwrap();
        let (read, mut read_optimizer) = read_state(&kept, start()).unwrap();
        let last = train(first, &mut optimizer, 60);
        let resumed = train(read, &mut read_optimizer, 60);
        assert_eq!(whole(&resumed, 0.5), whole(&last, 0.5), "{encoder}");
        for (coefficient, less) in [(0.0, 0.02), (0.5, 0.1)] {
            let (before, after) = (whole(&start(), coefficient).0, whole(&last, coefficient).0);
            assert!(after < before - less, "{encoder}: {before} {after}");
        }
    }
}

#[test]
fn a_kept_model_reads_both_orders_again() {
    let mut settings = example::settings("mrpc", 1);
    if let Objective::Task(of) = &mut settings.objective {
        of.both_orders = true;
    }
    let architecture = architecture(EncoderType::OpenaiGpt);
    let model = random_classifier(&architecture, CLASSES, 1, &Device::flex());
    let model = Classifier { both_orders: true, ..model };
    let config = Config { usage: Some(ModelUsage::of(&settings)), ..Config::from(architecture) };
    let folder = tempfile::tempdir().unwrap();
    save_classifier(folder.path(), &model, &config, &["a", "b", "c"], 0.1, None).unwrap();
    let loaded = load_trained_classifier(folder.path(), Head::Classes, &Device::flex()).unwrap().model;
    assert!(loaded.both_orders);
    let logits = |model: &Classifier| -> Vec<f32> {
        let input = packed_input(&batch(), PairInput::of(model), &Device::flex());
        model.forward(&input, None).into_data().try_to_vec().unwrap()
    };
    assert_eq!(logits(&loaded), logits(&model));
}

/// A step in two passes is the step in one, but for rounding.
#[test]
fn the_loss_of_a_batch_is_the_weighted_sum_of_its_parts() {
    for encoder in ENCODERS {
        let model = classifier(encoder);
        let (loss, gradients) = whole(&model, 0.5);
        let all = NextTokens::of(&batch(), 0.5).count();
        let (mut sum, mut sums) = (0.0, vec![Vec::<f32>::new(); gradients.len()]);
        for (from, to, weight) in [(0, 2, 2.0 / 3.0), (2, 3, 1.0 / 3.0)] {
            let part = examples(from, to, false);
            let next = NextTokens::of(&part, 0.5).part_of(all, weight);
            let (loss, gradients) = numbers(pass_of(&model, &part, Some(&next), Graph::Whole, 0.0));
            sum += weight * loss;
            for (sum, gradient) in sums.iter_mut().zip(gradients) {
                sum.resize(gradient.len(), 0.0);
                sum.iter_mut().zip(gradient).for_each(|(sum, number)| *sum += weight as f32 * number);
            }
        }
        assert!((loss - sum).abs() < 1e-6, "{encoder}: {loss} {sum}");
        gradients.iter().zip(&sums).for_each(|(whole, sum)| close(whole, sum, &encoder.to_string()));
    }
}

#[test]
fn swapped_texts_give_the_same_bits_in_both_orders_and_other_ones_in_one() {
    for encoder in [EncoderType::Bert, EncoderType::Gpt, EncoderType::OpenaiGpt, EncoderType::Lstm] {
        let causal = encoder.objective().is_causal();
        let of = Architecture { causal, ..architecture(encoder) };
        let mut model = random_classifier(&of, CLASSES, 1, &Device::flex());
        let mut logits = |both_orders, swapped| -> Vec<u32> {
            model.both_orders = both_orders;
            let input = packed_input(&examples(0, 3, swapped), PairInput::of(&model), &Device::flex());
            let logits = model.forward(&input, None);
            assert_eq!(logits.dims(), [3, CLASSES]);
            logits.into_data().iter::<f32>().map(f32::to_bits).collect()
        };
        assert_eq!(logits(true, false), logits(true, true), "{encoder}");
        assert_ne!(logits(false, false), logits(false, true), "{encoder}");
    }
}

/// What the head reads is the sum of what it would read of each order.
#[test]
fn the_head_reads_the_sum_of_both_orders() {
    let mut model = random_classifier(&architecture(EncoderType::Gpt), CLASSES, 1, &Device::flex());
    let read = |batch: PackedBatch| -> Vec<f32> {
        let input = packed_input(&batch, PairInput::Together, &Device::flex());
        let hidden = model.hidden(&input, None);
        let packing: &Packing = &input.packing;
        crate::model::Encoder::pool(&model.encoder, hidden, packing).into_data().try_to_vec().unwrap()
    };
    let sum: Vec<f32> =
        read(examples(0, 3, false)).iter().zip(read(examples(0, 3, true))).map(|(one, other)| one + other).collect();
    let sum = Tensor::<2>::from_data(TensorData::new(sum, [3, 8]), &Device::flex());
    let expected = burn::tensor::module::linear(sum, model.head.weight.val(), Some(model.head.bias.val()));
    model.both_orders = true;
    let found = model.forward(&packed_input(&batch(), PairInput::BothOrders, &Device::flex()), None);
    let [found, expected] = [found, expected].map(|logits| logits.into_data().try_to_vec::<f32>().unwrap());
    close(&found, &expected, "logits");
}
