//! Losses, gradients and steps against PyTorch and transformers: `tests/golden/pretraining_step.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::module::linear;
use burn::tensor::{Tensor, activation::softmax};
use serde_json::Value;

use super::batch::{Targets, pack};
use super::losses::HeadLosses;
use super::pass::pretraining_pass;
use crate::corpus::examples::TrainingInstance;
use crate::model::{Config, ForwardDropout, LanguageModel, load_pretraining, save_pretraining};
use crate::random::Stream;
use crate::settings::{LmLoss, Optimizer};
use crate::store::{
    CorpusPhase, InitialWeights, Objective, Optimization, PretrainingObjective, RunSettings, VocabularyIdentity, Warmup,
};
use crate::train::batch::{Losses, Part};
use crate::train::invariants::device;
use crate::train::optimizer::{self, FlatGradients};
use crate::train::pass::Passes;
use crate::train::schedule::Schedule;
use crate::train::tape::Graph;

/// Of losses and logits of up to 20, in f32 against f64.
const FORWARD: f64 = 2e-5;
/// Of the norm of a parameter's gradient.
const GRADIENT: f64 = 1e-4;
/// Of the distance that a parameter moves in three steps.
const STEPS: f64 = 1e-3;

type Tensors = BTreeMap<String, Vec<f64>>;

/// A model of the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Case {
    /// Its folder.
    name: &'static str,
    objective: LmLoss,
}

const MASKED: Case = Case { name: "pretraining_step", objective: LmLoss::MaskedLmAndNextSentence };
/// Left to right.
const NEXT: Case = Case { name: "next_token_step", objective: LmLoss::CausalLm };

fn tensors(path: &Path) -> Tensors {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |bytes: &[u8]| {
        bytes.chunks_exact(4).map(|word| f64::from(f32::from_le_bytes(word.try_into().unwrap()))).collect()
    };
    file.tensors().into_iter().map(|(name, tensor)| (name, numbers(tensor.data()))).collect()
}

/// `examples` in parts of so many.
fn parts_of(examples: &[Value], size: usize) -> Vec<Part<Targets>> {
    let row = |value: &Value| serde_json::from_value::<Vec<u32>>(value.clone()).unwrap();
    let examples: Vec<TrainingInstance> = examples
        .iter()
        .map(|example| TrainingInstance {
            ids: row(&example["ids"]),
            segments: row(&example["segments"]).into_iter().map(|segment| segment as u8).collect(),
            masked_positions: row(&example["masked_positions"]),
            masked_labels: row(&example["masked_labels"]),
            next_is_random: example["next_is_random"].as_bool(),
        })
        .collect();
    pack(&examples, size, LmLoss::CausalLm, &device())
}

impl Case {
    fn golden(self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(self.name)
    }

    fn expected(self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.golden().join("expected.json")).unwrap()).unwrap()
    }

    fn model(self) -> LanguageModel {
        let loaded = load_pretraining(&self.golden(), self.objective.predicts_next_sentence(), 1, &device()).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new(), "every tensor of transformers' file has a place");
        assert_eq!(loaded.config.architecture.causal, self == NEXT);
        loaded.model
    }

    /// The batch of the reference, in parts of so many examples.
    fn parts(self, size: usize) -> Vec<Part<Targets>> {
        parts_of(self.expected()["examples"].as_array().unwrap(), size)
    }

    /// As the file that transformers would read.
    fn named(self, model: &LanguageModel) -> Tensors {
        let folder = tempfile::tempdir().unwrap();
        let (config, theirs) = (Config::read(&self.golden()).unwrap(), read_json(&self.golden().join("config.json")));
        save_pretraining(folder.path(), model, &config, 0.0, &[]).unwrap();
        let ours = read_json(&folder.path().join("config.json"));
        assert_eq!(ours["architectures"], theirs["architectures"]);
        let causal = |config: &Value| config["is_decoder"].as_bool().unwrap_or(false);
        assert_eq!(causal(&ours), causal(&theirs));
        tensors(&folder.path().join("model.safetensors"))
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The gradients in the places of the parameters that have one.
struct Replace(std::vec::IntoIter<Option<Tensor<1>>>);

impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.0.next().expect("as many as parameters") else { return parameter };
        let (id, old, mapper) = parameter.consume();
        Param::from_mapped_value(id, Tensor::from_inner(gradient.reshape(old.dims())), mapper)
    }
}

/// Without dropout.
pub(super) fn passes(model: &LanguageModel, parts: &[Part<Targets>]) -> Passes<HeadLosses> {
    let pass =
        |part: &_, dropout: Option<&_>, hook: &_| pretraining_pass(model, part, dropout, &Graph::Whole.into(), hook);
    Passes::over(parts, |_| None, pass)
}

fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

fn near(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1.0), "{what}: {ours} and {theirs}");
}

/// ‖ours − theirs‖ of each tensor is at most `tolerance` × ‖theirs − from‖, and at least `absolute` where nothing
/// moves.
fn agree(ours: &Tensors, theirs: &Tensors, from: Option<&Tensors>, tolerance: f64, absolute: f64) {
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, theirs) in theirs {
        let ours = &ours[name];
        let size = norm(theirs.iter().enumerate().map(|(at, x)| x - from.map_or(0.0, |from| from[name][at])));
        let difference = norm(ours.iter().zip(theirs).map(|(a, b)| a - b));
        assert!(difference <= tolerance * size + absolute, "{name}: differs by {difference} of {size}");
    }
}

#[test]
fn losses_logits_and_gradients_are_those_of_the_reference() {
    for case in [MASKED, NEXT] {
        let (expected, model) = (case.expected(), case.model());
        let number = |key: &str| expected[key].as_f64().unwrap();
        let [whole] = &case.parts(6)[..] else { panic!("six examples") };
        let output = model.states(&whole.input, &whole.targets.rows, None);
        let (table, bias) = (model.encoder.words().val(), model.tokens.decoder_bias.val());
        let predictions = linear(output.predictions.unwrap(), table.transpose(), Some(bias));
        let theirs = &tensors(&case.golden().join("logits.safetensors"))["predictions"];
        let ours = flat(predictions);
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            near("predictions", *ours, *theirs, FORWARD);
        }
        assert_eq!(output.next_sentence.is_some(), case == MASKED);
        let theirs = tensors(&case.golden().join("gradients.safetensors"));
        // In parts, losses and gradients are those of the whole batch, though each head's predictions are divided
        // differently.
        for size in [6, 4, 1] {
            let passes = passes(&model, &case.parts(size));
            let losses = passes.losses.wait().unwrap();
            near("tokens", losses.tokens.mean(), number("mlm_loss"), FORWARD);
            near("next sentence", losses.pairs.mean(), expected["nsp_loss"].as_f64().unwrap_or(0.0), FORWARD);
            let gradients = model.clone().map(&mut Replace(passes.gradients.unwrap().into_iter()));
            // The gradient of keys' biases is 0 but for rounding.
            agree(&case.named(&gradients), &theirs, None, GRADIENT, 1e-6 * number("gradient_norm"));
        }
    }
}

#[test]
fn layers_computed_twice_give_the_same_bits_with_dropout_on() {
    for case in [MASKED, NEXT] {
        let model = case.model();
        let gradients = |graph: Graph, step| {
            let dropout = |part: u64| ForwardDropout::new(0.3, Stream::new(4, "dropout"), step + part);
            let pass =
                |part: &_, dropout: Option<&_>, hook: &_| pretraining_pass(&model, part, dropout, &graph.into(), hook);
            let passes = Passes::over(&case.parts(4), dropout, pass);
            let bits = |gradient: Tensor<1>| gradient.into_data().try_to_vec::<f32>().unwrap();
            let gradients: Vec<_> = passes.gradients.unwrap().into_iter().map(|one| one.map(bits)).collect();
            (passes.losses.wait().unwrap(), gradients)
        };
        let whole = gradients(Graph::Whole, 1);
        // The pooler of a model without next sentences learns nothing.
        let learning = whole.1.iter().flatten().filter(|gradient| gradient.iter().any(|g| *g != 0.0)).count();
        // Queries, keys and values of a layer are one weight and one bias: 12 tensors.
        assert_eq!(learning, 5 + 2 * 12 + 5 + if case == MASKED { 4 } else { 0 });
        assert_eq!(whole, gradients(Graph::LayerInputs, 1));
        assert_ne!(whole, gradients(Graph::Whole, 3), "another step has other masks");
    }
}

#[test]
fn logits_of_the_next_sentence_are_those_of_the_reference() {
    let [whole] = &MASKED.parts(6)[..] else { panic!("six examples") };
    let logits = MASKED.model().states(&whole.input, &whole.targets.rows, None).next_sentence.unwrap();
    let probabilities = flat(softmax(logits.clone(), 1));
    assert!(probabilities.chunks(2).all(|pair| (pair[0] + pair[1] - 1.0).abs() < 1e-6));
    let theirs: Vec<Vec<f64>> = serde_json::from_value(MASKED.expected()["next_sentence"].clone()).unwrap();
    for (ours, theirs) in flat(logits).iter().zip(theirs.concat()) {
        near("next sentence", *ours, theirs, FORWARD);
    }
}

fn flat(tensor: Tensor<2>) -> Vec<f64> {
    tensor.inner().into_data().iter::<f32>().map(f64::from).collect()
}

fn settings(case: Case, name: &str, optimizer: Optimizer) -> RunSettings {
    let expected = case.expected();
    let number = |key: &str| expected[key].as_f64().unwrap();
    assert!(expected["losses"][name].is_array());
    RunSettings {
        model: String::new(),
        architecture: Config::read(&case.golden()).unwrap().architecture,
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: String::new(), do_lower_case: true, added_tokens: Vec::new() },
        seed: 1,
        device: "cpu".into(),
        optimization: Optimization {
            batch_size: 6,
            learning_rate: number("learning_rate"),
            warmup: Warmup::Steps(number("warmup_steps") as u64),
            weight_decay: number("weight_decay"),
            dropout: 0.0,
            max_grad_norm: number("clip_norm"),
            optimizer,
            adam_epsilon: number("epsilon"),
            ..Optimization::default()
        },
        objective: Objective::Pretraining(PretrainingObjective {
            loss: case.objective,
            phases: vec![CorpusPhase { max_length: 16, steps: number("total_steps") as u64, data: String::new() }],
            evaluation: None,
            masking: None,
            snapshots: Vec::new(),
            saving: None,
            logging_steps: 1,
        }),
        numerics_version: 1,
    }
}

#[test]
fn three_steps_move_every_parameter_as_the_reference_does() {
    let optimizers = [("adamw", Optimizer::AdamW {}), ("bert_adam", Optimizer::BertAdam {})];
    for (case, (name, optimizer)) in optimizers.into_iter().flat_map(|with| [(MASKED, with), (NEXT, with)]) {
        let start = tensors(&case.golden().join("model.safetensors"));
        let settings = settings(case, name, optimizer);
        let schedule = Schedule::new(optimizer, settings.pretraining().unwrap().steps(), settings.optimization.warmup);
        let losses: Vec<f64> = serde_json::from_value(case.expected()["losses"][name].clone()).unwrap();
        let (mut model, mut adam, parts) = (case.model(), optimizer::Optimizer::new(), case.parts(6));
        for (step, loss) in (0..).zip(&losses) {
            let passes = passes(&model, &parts);
            near("loss", passes.losses.wait().unwrap().loss(), *loss, STEPS);
            let rate = settings.optimization.learning_rate * schedule.factor(step);
            (model, _) = adam.step(model, passes.gradients.unwrap(), rate, &settings.optimization);
        }
        let theirs = tensors(&case.golden().join(format!("{name}.safetensors")));
        agree(&case.named(&model.valid()), &theirs, Some(&start), STEPS, 1e-6);
    }
}

/// The word embeddings' gradient is the sum of the decoder's, in every row, and the lookup's, in the rows read: without
/// the decoder's it would be zero in rows that no token has.
#[test]
fn rows_that_no_token_has_learn_from_the_decoder() {
    let (model, parts) = (MASKED.model(), MASKED.parts(6));
    let gradients: FlatGradients = passes(&model, &parts).gradients.unwrap();
    let word: Vec<f32> = gradients[0].clone().unwrap().into_data().try_to_vec().unwrap();
    assert_eq!(word.len(), 60 * 32);
    assert!(word.chunks(32).all(|row| row.iter().any(|g| *g != 0.0)), "every row, [PAD] too");
}
