//! What every encoder has to hold in pretraining: the same bits whatever the threads, a resumption or the way that gradients
//! are computed, gradients that are slopes, files that hold all of it, and states that see what they should.

use burn::module::Module;
use burn::tensor::Device;

use super::batch::{Targets, pack};
use super::losses::HeadLosses;
use super::pass::pretraining_pass;
use super::windows::{self, WordCounts};
use crate::corpus::examples::TrainingInstance;
use crate::kernel::comparison;
use crate::model::{
    Config, Direction, EncoderKind, ForwardDropout, LanguageModel, PackedInput, load_pretraining, random_pretraining,
    save_pretraining,
};
use crate::random::Stream;
use crate::settings::{EncoderType, InitializerRange, LmLoss};
use crate::store::Architecture;
use crate::text::SpecialTokens;
use crate::train::batch::{Losses, Part};
use crate::train::gradient_hook::GradientHook;
use crate::train::invariants::{Slopes, bits, device, numbers, resumes, train, with_hook};
use crate::train::optimizer::{FlatGradients, Optimizer};
use crate::train::pass::Pass;
use crate::train::tape::Graph;

const WORDS: u32 = 40;

fn architecture(encoder: EncoderType) -> Architecture {
    let layers = if encoder.facts().costs.has_layers { 2 } else { 0 };
    let of =
        Architecture { vocab_size: WORDS, max_positions: 12, ..Architecture::without_attention(encoder, layers, 8) };
    if encoder.facts().is_transformer {
        return Architecture { heads: 2, intermediate: 16, causal: encoder.facts().objective.is_causal(), ..of };
    }
    of
}

fn loss_of(encoder: EncoderType) -> LmLoss {
    // Without pairs, which these examples have not.
    if encoder == EncoderType::Bert { LmLoss::MaskedLm } else { encoder.facts().objective }
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
    hooked(model, encoder, step, dropout, graph, &GradientHook::none())
}

fn hooked(
    model: &LanguageModel,
    encoder: EncoderType,
    step: u64,
    dropout: f64,
    graph: Graph,
    hook: &GradientHook,
) -> Pass<HeadLosses> {
    let dropout = ForwardDropout::new(dropout, Stream::new(4, "dropout"), step);
    pretraining_pass(model, &parts(encoder, step)[0], dropout.as_ref(), &graph.into(), hook)
}

/// The gradients of `step` with dropout.
fn gradients(model: &LanguageModel, encoder: EncoderType, step: u64) -> FlatGradients {
    pass(model, encoder, step, 0.1, Graph::Whole).gradients.unwrap()
}

#[test]
fn a_hook_gets_the_same_bits_layer_by_layer() {
    for encoder in EncoderType::ALL {
        let model = model(encoder, 1);
        let (found, times) = with_hook(|hook| hooked(&model, encoder, 1, 0.1, Graph::Whole, hook));
        assert_eq!(times, if encoder.facts().costs.has_layers { 1 + model.encoder.depth() } else { 0 });
        assert_eq!(numbers(found), numbers(pass(&model, encoder, 1, 0.1, Graph::Whole)), "{encoder}");
    }
}

#[test]
fn threads_and_layers_computed_twice_change_no_bit() {
    for encoder in EncoderType::ALL {
        let of = |step, graph| numbers(pass(&model(encoder, 1), encoder, step, 0.1, graph));
        let whole = of(1, Graph::Whole);
        assert_eq!(whole, of(1, Graph::LayerInputs), "{encoder}");
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(whole, single.install(|| of(1, Graph::Whole)), "{encoder}");
        assert_ne!(whole, of(2, Graph::Whole), "{encoder}: another step is another batch");
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_bits_and_learns() {
    for encoder in EncoderType::ALL {
        let last = resumes(|seed| model(encoder, seed), 1e-2, |model, step| gradients(model, encoder, step));
        let loss = |model: &LanguageModel| numbers(pass(model, encoder, 3, 0.0, Graph::Whole)).0.loss();
        let (start, end) = (loss(&model(encoder, 1)), loss(&last));
        assert!(end < start - 0.05, "{encoder}: {start} {end}");
    }
}

/// Trained for so many steps: the decoder's bias and what begins at 0 have left it.
fn trained(encoder: EncoderType, steps: u64) -> LanguageModel {
    let gradients = |model: &LanguageModel, step| gradients(model, encoder, step);
    train(model(encoder, 1), &mut Optimizer::new(), (1e-2, 0..steps), gradients)
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for encoder in [EncoderType::Gpt, EncoderType::Lstm, EncoderType::Elmo, EncoderType::WordVectors] {
        let model = trained(encoder, 5);
        let at = |model: &LanguageModel| numbers(pass(model, encoder, 7, 0.0, Graph::Whole));
        let slopes = Slopes { step: 1e-2, elements: 12, tolerance: 2e-3, steep: (4, 1e-3) };
        slopes.check(encoder.name(), &model, at(&model).1, |model| at(model).0.loss());
    }
}

#[test]
fn files_hold_the_whole_model() {
    for encoder in EncoderType::ALL {
        let mut of = architecture(encoder);
        if encoder.facts().is_transformer {
            of.initializer_range = InitializerRange::new(0.1).unwrap();
        }
        let model = trained(encoder, 2).valid();
        let folder = tempfile::tempdir().unwrap();
        let config = Config::from(of);
        save_pretraining(folder.path(), &model, &config, 0.1, &Vec::new()).unwrap();
        let loaded = load_pretraining(folder.path(), false, 9, &Device::flex()).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new(), "{encoder}");
        assert_eq!(loaded.config.architecture, of);
        let input = PackedInput::new(&[2, 7, 9, 3], &[0, 1, 2, 3], &[0; 4], &[0, 4], &Device::flex());
        let numbers = comparison::numbers::<2>;
        let states = |model: &LanguageModel| {
            let read = model.states(&input, &[0, 1], None).predictions.unwrap();
            (numbers(model.encoder.forward(&input, None)), numbers(read))
        };
        assert_eq!(states(&loaded.model), states(&model), "{encoder}");
        assert_eq!(bits(&loaded.model.tokens.decoder_bias), bits(&model.tokens.decoder_bias), "{encoder}");
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
            comparison::numbers(states).chunks(width).map(<[f32]>::to_vec).collect()
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
