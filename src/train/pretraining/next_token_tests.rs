//! The loss of the next token beside a task's, against pretraining's, finite differences and its own parts; pairs in both
//! orders.

use burn::tensor::{Device, Tensor, TensorData};

use super::batch::pack;
use super::pass::pretraining_pass;
use crate::corpus::examples::TrainingInstance;
use crate::kernel::{Packing, cross_entropy, indices};
use crate::model::{
    Classifier, Config, ForwardDropout, Head, LanguageModel, load_trained_classifier, random_classifier,
    random_pretraining, save_classifier,
};
use crate::random::Stream;
use crate::settings::{EncoderType, LmLoss};
use crate::store::{Architecture, ModelUsage, Objective, example};
use crate::text::PackedBatch;
use crate::train::batch::{PairInput, packed_input};
use crate::train::gradient_hook::GradientHook;
use crate::train::invariants::{Slopes, device, numbers, resumes, texts, with_hook};
use crate::train::next_token::NextTokens;
use crate::train::pass::{Pass, pass_with_next_tokens};
use crate::train::tape::Graph;

const CLASSES: usize = 3;
const ENCODERS: [EncoderType; 3] = [EncoderType::Gpt, EncoderType::OpenaiGpt, EncoderType::Lstm];

fn language_model(encoder: EncoderType, seed: u64) -> LanguageModel {
    random_pretraining(&example::small(encoder), false, seed, &device())
}

/// A classifier on the encoder and the head of [`language_model`].
fn classifier(encoder: EncoderType) -> Classifier {
    seeded(encoder, 1)
}

fn seeded(encoder: EncoderType, seed: u64) -> Classifier {
    let LanguageModel { encoder: of, tokens, .. } = language_model(encoder, seed);
    let model = random_classifier(&example::small(encoder), CLASSES, seed, &device());
    Classifier { encoder: of, next_token: Some(tokens), ..model }
}

/// Pairs of 3 and 2, 1 and 1, and 4 and 3 words.
fn batch() -> PackedBatch {
    PackedBatch { labels: vec![0.0, 2.0, 1.0], ..texts("pairs", &[(3, 2), (1, 1), (4, 3)], 4) }
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
        let pass = pretraining_pass(&language_model(encoder, 1), &parts[0], None, &how, &hook);
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
        let slopes = Slopes { step: 2e-3, elements: 6, tolerance: 1e-3, steep: (6, 1e-2) };
        slopes.check(encoder.name(), &model, whole(&model, 0.5).1, |model| whole(model, 0.5).0);
    }
}

#[test]
fn layers_computed_twice_and_gradients_found_early_change_no_bit() {
    for encoder in ENCODERS {
        let model = classifier(encoder);
        let next = || Some(NextTokens::of(&batch(), 0.5));
        let of = |graph| numbers(pass_of(&model, &batch(), next().as_ref(), graph, 0.3));
        let (whole, twice) = (of(Graph::Whole), of(Graph::LayerInputs));
        assert_eq!(whole, twice, "{encoder}");
        let (found, _) = with_hook(|hook| hooked(&model, &batch(), next().as_ref(), Graph::Whole, 0.3, hook));
        assert_eq!(numbers(found), whole, "{encoder}");
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_bits_and_learns_both() {
    for (encoder, both_orders) in ENCODERS.into_iter().zip([false, true, true]) {
        let start = |seed| Classifier { both_orders, ..seeded(encoder, seed) };
        let last = resumes(start, 3e-3, |model, _| {
            let next = NextTokens::of(&read_of(model), 0.5);
            pass_of(model, &batch(), Some(&next), Graph::Whole, 0.1).gradients.unwrap()
        });
        for (coefficient, less) in [(0.0, 0.02), (0.5, 0.1)] {
            let (before, after) = (whole(&start(1), coefficient).0, whole(&last, coefficient).0);
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
    let architecture = example::small(EncoderType::OpenaiGpt);
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
        let causal = encoder.facts().objective.is_causal();
        let of = Architecture { causal, ..example::small(encoder) };
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
    let mut model = random_classifier(&example::small(EncoderType::Gpt), CLASSES, 1, &Device::flex());
    let read = |batch: PackedBatch| -> Vec<f32> {
        let input = packed_input(&batch, PairInput::Together, &Device::flex());
        let hidden = model.hidden(&input, None, None);
        let packing: &Packing = &input.packing;
        model.encoder.pool(hidden, packing).into_data().try_to_vec().unwrap()
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
