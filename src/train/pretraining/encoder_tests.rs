//! What every encoder has to hold in pretraining: the same bits whatever the threads, a resumption or the way that gradients
//! are computed, gradients that are slopes, files that hold all of it, and states that see what they should.

use std::sync::mpsc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::batch::{Targets, pack};
use super::losses::HeadLosses;
use super::pass::pretraining_pass;
use super::windows::{self, WordCounts};
use crate::corpus::examples::TrainingInstance;
use crate::model::{
    Config, Direction, Encoder, EncoderKind, ForwardDropout, LanguageModel, PackedInput, load_pretraining,
    random_pretraining, save_pretraining,
};
use crate::random::Stream;
use crate::settings::{EncoderType, InitializerRange, LmLoss};
use crate::store::{Architecture, Checkpoints, RunId, example};
use crate::text::SpecialTokens;
use crate::train::batch::{Losses, Part};
use crate::train::gradient_hook::GradientHook;
use crate::train::optimizer::Optimizer;
use crate::train::pass::Pass;
use crate::train::state::{read_state, write_state};
use crate::train::tape::Graph;

const WORDS: u32 = 40;

fn architecture(encoder: EncoderType) -> Architecture {
    let layers = if encoder.has_layers() { 2 } else { 0 };
    let of =
        Architecture { vocab_size: WORDS, max_positions: 12, ..Architecture::without_attention(encoder, layers, 8) };
    if encoder.is_transformer() {
        return Architecture { heads: 2, intermediate: 16, causal: encoder.objective().is_causal(), ..of };
    }
    of
}

fn loss_of(encoder: EncoderType) -> LmLoss {
    // Without pairs, which these examples have not.
    if encoder == EncoderType::Bert { LmLoss::MaskedLm } else { encoder.objective() }
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn model(encoder: EncoderType, seed: u64) -> LanguageModel {
    random_pretraining(&architecture(encoder), false, seed, &device())
}

/// Three examples of 7, 4 and 9 tokens, their words by the step.
fn parts(encoder: EncoderType, step: u64) -> Vec<Part<Targets>> {
    let mut draws = Stream::new(5, "toy").at(step);
    let mut sequence = |words: usize| -> Vec<u32> {
        let words: Vec<u32> = (0..words).map(|_| 5 + draws.below(WORDS as usize - 5) as u32).collect();
        [2].into_iter().chain(words).chain([3]).collect()
    };
    let examples: Vec<TrainingInstance> = [5, 2, 7]
        .into_iter()
        .map(|words| {
            let ids = sequence(words);
            let (masked_positions, masked_labels) = if loss_of(encoder).masks() {
                (vec![1], vec![7])
            } else {
                (0..).zip(&ids[1..]).map(|(at, id)| (at, *id)).unzip()
            };
            let segments = vec![0; ids.len()];
            TrainingInstance { ids, segments, masked_positions, masked_labels, next_is_random: None }
        })
        .collect();
    let mut parts = pack(&examples, 3, loss_of(encoder), &device());
    if loss_of(encoder) == LmLoss::SkipGram {
        let special = SpecialTokens { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4, end: 3 };
        let counts: Vec<u64> = (0..u64::from(WORDS)).map(|id| u64::from(id > 4)).collect();
        let words = WordCounts::new(special, &counts).without_subsampling();
        parts[0].targets.skip_gram = Some(words.pairs(&examples, &mut windows::stream(1).at(step)));
    }
    parts
}

fn pass(model: &LanguageModel, encoder: EncoderType, step: u64, dropout: f64, graph: Graph) -> Pass<HeadLosses> {
    let dropout = ForwardDropout::new(dropout, Stream::new(4, "dropout"), step);
    pretraining_pass(model, &parts(encoder, step)[0], dropout.as_ref(), &graph.into(), &GradientHook::none())
}

/// Every bit of the gradients; nothing where there is none.
fn gradient_bits(pass: Pass<HeadLosses>) -> Vec<Vec<u32>> {
    let bits = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().map(f32::to_bits).collect();
    pass.gradients.unwrap().into_iter().map(|gradient| gradient.map(bits).unwrap_or_default()).collect()
}

fn bits<M: Module>(module: &M) -> Vec<Vec<u32>> {
    struct Bits(Vec<Vec<u32>>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            self.0.push(parameter.val().inner().into_data().iter::<f32>().map(f32::to_bits).collect());
        }
    }
    let mut bits = Bits(Vec::new());
    module.visit(&mut bits);
    bits.0
}

fn train(
    mut model: LanguageModel,
    encoder: EncoderType,
    optimizer: &mut Optimizer,
    steps: std::ops::Range<u64>,
) -> LanguageModel {
    let optimization = example::settings("rte", 1).optimization;
    for step in steps {
        let gradients = pass(&model, encoder, step, 0.1, Graph::Whole).gradients.unwrap();
        (model, _) = optimizer.step(model, gradients, 1e-2, &optimization);
    }
    model
}

/// As [`gradient_bits`], of a pass with a hook, and how many times the hook found something.
fn found_early(model: &LanguageModel, encoder: EncoderType) -> (Vec<Vec<u32>>, usize) {
    let (sender, found) = mpsc::channel();
    let hook = GradientHook::sending(sender, 1.0);
    let dropout = ForwardDropout::new(0.1, Stream::new(4, "dropout"), 1);
    let mut pass = pretraining_pass(model, &parts(encoder, 1)[0], dropout.as_ref(), &Graph::Whole.into(), &hook);
    drop(hook);
    let found: Vec<_> = found.iter().collect();
    let times = found.len();
    let gradients = pass.gradients.as_mut().unwrap();
    for (parameter, gradient) in found.into_iter().flatten() {
        assert!(gradients[parameter].replace(gradient).is_none(), "{encoder}: parameter {parameter} is found once");
    }
    (gradient_bits(pass), times)
}

#[test]
fn a_hook_gets_the_same_bits_layer_by_layer() {
    for encoder in EncoderType::ALL {
        let model = model(encoder, 1);
        let whole = gradient_bits(pass(&model, encoder, 1, 0.1, Graph::Whole));
        let times = if encoder.has_layers() { 1 + model.encoder.depth() } else { 0 };
        assert_eq!(found_early(&model, encoder), (whole, times), "{encoder}");
    }
}

#[test]
fn threads_and_layers_computed_twice_change_no_bit() {
    for encoder in EncoderType::ALL {
        let whole = gradient_bits(pass(&model(encoder, 1), encoder, 1, 0.1, Graph::Whole));
        let twice = gradient_bits(pass(&model(encoder, 1), encoder, 1, 0.1, Graph::LayerInputs));
        assert_eq!(whole, twice, "{encoder}");
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let alone = single.install(|| gradient_bits(pass(&model(encoder, 1), encoder, 1, 0.1, Graph::Whole)));
        assert_eq!(whole, alone, "{encoder}");
        let other = gradient_bits(pass(&model(encoder, 1), encoder, 2, 0.1, Graph::Whole));
        assert_ne!(whole, other, "{encoder}: another step is another batch");
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_bits_and_learns() {
    for encoder in EncoderType::ALL {
        let mut optimizer = Optimizer::new();
        let first = train(model(encoder, 1), encoder, &mut optimizer, 0..3);
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path(), RunId("aa".into()), 1);
        checkpoints.write(3, &(), |into| write_state(into, &first, &optimizer)).unwrap();
        let kept = checkpoints.newest().unwrap().0.unwrap();
        let (read, mut read_optimizer) = read_state(&kept, model(encoder, 2)).unwrap();
        assert_eq!(bits(&read), bits(&first), "{encoder}");
        let last = train(first, encoder, &mut optimizer, 3..60);
        assert_eq!(bits(&train(read, encoder, &mut read_optimizer, 3..60)), bits(&last), "{encoder}");
        let loss = |model: &LanguageModel| pass(model, encoder, 3, 0.0, Graph::Whole).losses.wait().unwrap().loss();
        let (start, end) = (loss(&model(encoder, 1)), loss(&last));
        assert!(end < start - 0.05, "{encoder}: {start} {end}");
    }
}

/// Adds to one element of one parameter.
pub(in crate::train) struct Move {
    parameter: usize,
    element: usize,
    by: f32,
    next: usize,
}

impl Move {
    pub(in crate::train) fn of(parameter: usize, element: usize, by: f32) -> Self {
        Self { parameter, element, by, next: 0 }
    }
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = parameter.consume();
        let mut value = value.inner();
        if self.next == self.parameter {
            let (shape, mut numbers) = (value.dims(), value.into_data().try_to_vec::<f32>().unwrap());
            numbers[self.element] += self.by;
            value = Tensor::from_data(TensorData::new(numbers, shape), &Device::flex());
        }
        self.next += 1;
        Param::from_mapped_value(id, Tensor::from_inner(value).require_grad(), mapper)
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for encoder in [EncoderType::Gpt, EncoderType::Lstm, EncoderType::Elmo, EncoderType::WordVectors] {
        // Trained a little: the decoder's bias and what begins at 0 have left it.
        let model = train(model(encoder, 1), encoder, &mut Optimizer::new(), 0..5);
        let found = pass(&model, encoder, 7, 0.0, Graph::Whole).gradients.unwrap();
        let loss = |model: &LanguageModel| pass(model, encoder, 7, 0.0, Graph::Whole).losses.wait().unwrap().loss();
        let mut checked = 0;
        for (parameter, gradient) in found.into_iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let gradient: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
            for element in (0..gradient.len()).step_by(gradient.len() / 12 + 1) {
                let [high, low] =
                    [1e-2, -1e-2].map(|by| loss(&model.clone().map(&mut Move::of(parameter, element, by))));
                let slope = (high - low) / 2e-2;
                let expected = f64::from(gradient[element]);
                assert!((slope - expected).abs() < 2e-3, "{encoder}, parameter {parameter}: {slope} {expected}");
                checked += usize::from(expected.abs() > 1e-3);
            }
        }
        assert!(checked >= 4, "{encoder}: {checked}");
    }
}

#[test]
fn files_hold_the_whole_model() {
    for encoder in EncoderType::ALL {
        let mut of = architecture(encoder);
        if encoder.is_transformer() {
            of.initializer_range = InitializerRange::new(0.1).unwrap();
        }
        let model = train(model(encoder, 1), encoder, &mut Optimizer::new(), 0..2).valid();
        let folder = tempfile::tempdir().unwrap();
        let config = Config::from(of);
        save_pretraining(folder.path(), &model, &config, 0.1, &Vec::new()).unwrap();
        let loaded = load_pretraining(folder.path(), false, 9, &Device::flex()).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new(), "{encoder}");
        assert_eq!(loaded.config.architecture, of);
        let input = PackedInput::new(&[2, 7, 9, 3], &[0, 1, 2, 3], &[0; 4], &[0, 4], &Device::flex());
        let states = |model: &LanguageModel| -> Vec<f32> {
            model.encoder.forward(&input, None).into_data().try_to_vec().unwrap()
        };
        assert_eq!(states(&loaded.model), states(&model), "{encoder}");
        let rows = [0, 1];
        let read = |model: &LanguageModel| -> Vec<f32> {
            model.states(&input, &rows, None).predictions.unwrap().into_data().try_to_vec().unwrap()
        };
        assert_eq!(read(&loaded.model), read(&model), "{encoder}");
        let bias =
            |model: &LanguageModel| -> Vec<f32> { model.tokens.decoder_bias.val().into_data().try_to_vec().unwrap() };
        assert_eq!(bias(&loaded.model), bias(&model), "{encoder}");
    }
}

/// A change of the last word of three reaches the states of those before it when the direction says so.
#[test]
fn states_see_what_their_direction_says() {
    for encoder in EncoderType::ALL {
        let model = model(encoder, 1).valid();
        let states = |ids: &[u32]| -> Vec<Vec<f32>> {
            let input = PackedInput::new(ids, &[0, 1, 2], &[0; 3], &[0, 3], &Device::flex());
            let states = model.encoder.forward(&input, None);
            let [_, width] = states.dims();
            assert_eq!(width, model.encoder.width(), "{encoder}");
            states.into_data().try_to_vec::<f32>().unwrap().chunks(width).map(<[f32]>::to_vec).collect()
        };
        let (one, last, first) = (states(&[7, 8, 9]), states(&[7, 8, 10]), states(&[11, 8, 9]));
        let (right, left) = (one[1] != last[1], one[1] != first[1]);
        let direction = EncoderKind::of(encoder).direction(loss_of(encoder)).unwrap();
        let expected = match direction {
            Direction::Both => (true, true),
            Direction::LeftToRight => (true, false),
            Direction::Token => (false, false),
        };
        assert_eq!((left, right), expected, "{encoder}");
        assert_eq!(model.encoder.direction(), direction, "{encoder}");
    }
}
