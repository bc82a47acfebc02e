//! One step and a hundred, through the fit loop, with both optimizers.

use std::collections::BTreeMap;

use bertbench::model::Classifier;
use bertbench::random::Stream;
use bertbench::settings::Optimizer;
use bertbench::store::{
    Architecture, InitialWeights, Objective, Optimization, RunSettings, TaskObjective, VocabularyIdentity, Warmup,
};
use bertbench::task::Task;
use bertbench::text::{FeatureSet, training_batches};
use bertbench::train::{Observer, StepReport, TrainingData, fit};
use burn::tensor::Device;
use serde_json::{Value, json};

use super::golden::{Case, Tensors, numbers, packed};
use super::measured::{Of, hold, largest_difference, nan_or_max, norm};

/// Of the first loss. Differences of rounding grow along the path: PyTorch's own curve of `bert_score` with
/// `bert_adam` differs by 2.3e-4 between float32 and float64.
const LOSS: f64 = 1e-3;
/// Of logits of up to 5.
const TRAINED: f64 = 1e-2;
/// Of the step's size.
const STEP: f64 = 1e-3;
/// Adam divides the gradient by its own size: where it is this part of the whole gradient's norm or
/// less, it is mostly rounding, and the step's direction chance. Such elements are left out, unless they
/// are exactly 0 on both sides.
const ROUNDING: f64 = 1e-6;

const OPTIMIZERS: [(&str, Optimizer); 2] = [("adamw", Optimizer::AdamW {}), ("bert_adam", Optimizer::BertAdam {})];

fn batches_file() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bert_batches.json")
}

fn batches() -> Value {
    serde_json::from_str(&std::fs::read_to_string(batches_file()).unwrap()).unwrap()
}

/// Rewritten by `BERTBENCH_UPDATE=1`, after which `tests/golden/bert.py` must run again.
#[test]
fn the_reference_takes_the_batches_that_the_fit_loop_draws() {
    let epochs: Vec<Vec<Vec<u32>>> =
        (1..=20).map(|epoch| training_batches(18, 4, Stream::new(1, "shuffle").at(epoch))).collect();
    let fresh = json!({"seed": 1, "examples": 18, "batch_size": 4, "epochs": epochs});
    if batches() != fresh && std::env::var_os("BERTBENCH_UPDATE").is_some() {
        std::fs::write(batches_file(), format!("{fresh}\n")).unwrap();
    }
    assert_eq!(batches(), fresh);
}

pub struct Losses(pub Vec<f64>);

impl Observer for Losses {
    fn step(&mut self, report: &StepReport) {
        self.0.push(report.loss);
    }
}

fn settings(case: &Case, name: &str, optimizer: Optimizer) -> RunSettings {
    let epsilon = case.expected["epsilon"][name].as_f64().unwrap();
    let settings = settings_of(case.config().architecture, &|key| case.number(key), optimizer, epsilon);
    RunSettings { model: case.name.clone(), ..settings }
}

/// Settings of the 100 steps, whose numbers `number` gives by their keys.
pub fn settings_of(
    architecture: Architecture,
    number: &dyn Fn(&str) -> f64,
    optimizer: Optimizer,
    adam_epsilon: f64,
) -> RunSettings {
    RunSettings {
        model: String::new(),
        architecture,
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: String::new(), do_lower_case: true, added_tokens: Vec::new() },
        seed: 1,
        device: "cpu".into(),
        optimization: Optimization {
            batch_size: batches()["batch_size"].as_u64().unwrap() as u32,
            learning_rate: number("learning_rate"),
            warmup: Warmup::Fraction(number("warmup_fraction")),
            weight_decay: number("weight_decay"),
            dropout: 0.0,
            max_grad_norm: number("clip_norm"),
            optimizer,
            adam_epsilon,
            ..Optimization::default()
        },
        objective: Objective::Task(TaskObjective {
            task: String::new(),
            options: None,
            approach: bertbench::settings::Approach::FineTuning,
            max_length: 512,
            epochs: batches()["epochs"].as_array().unwrap().len() as u32,
            data_sha256: BTreeMap::new(),
            skip_bad_rows: false,
            lm_coef: 0.0,
            both_orders: false,
        }),
        numerics_version: 1,
    }
}

/// The model after the steps, and the loss of each.
fn train(case: &Case, settings: &RunSettings, train: &FeatureSet) -> (Classifier, Vec<f64>) {
    let task = match case.outputs() {
        1 => "stsb",
        2 => "rte",
        _ => "mnli",
    };
    let data = TrainingData { task: Task::find(task).unwrap(), train, dev: &[], tags: &[] };
    let (device, mut losses) = (Device::flex(), Losses(Vec::new()));
    let model = case.model(&device.clone().autodiff());
    (fit(model, settings, data, &device, &mut losses, None).unwrap().model, losses.0)
}

fn cases() -> impl Iterator<Item = (Case, &'static str, RunSettings)> {
    let cases = Case::all().into_iter().filter(Case::has_head).map(|case| case.folder);
    cases.flat_map(|folder| {
        OPTIMIZERS.map(|(name, optimizer)| {
            let case = Case::open(folder.clone());
            let settings = settings(&case, name, optimizer);
            (case, name, settings)
        })
    })
}

#[test]
fn one_step_moves_every_parameter_as_the_reference_does() {
    for (case, name, settings) in cases() {
        let learning_rate = case.number("step_learning_rate");
        let set = case.ragged();
        let mut one = settings;
        (one.optimization.batch_size, one.optimization.learning_rate) = (set.len() as u32, learning_rate);
        one.optimization.warmup = Warmup::Fraction(0.0);
        let Objective::Task(task) = &mut one.objective else { unreachable!() };
        task.epochs = 1;
        let (model, losses) = train(&case, &one, &set);
        assert_eq!(losses.len(), 1);
        let largest = step_difference(&case, name, &case.named(&model));
        hold(&case.name, &format!("every parameter's step, {name}"), Of::Relative, STEP, largest);
    }
}

/// The largest ‖ours − theirs‖ / ‖theirs − start‖ of a parameter.
fn step_difference(case: &Case, optimizer: &str, ours: &Tensors) -> f64 {
    let (start, theirs) = (case.tensors("model.safetensors"), case.tensors(&format!("{optimizer}.safetensors")));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    let gradients = [case.tensors("gradients.safetensors"), gradients(case)];
    let rounding = 1.001 * ROUNDING * case.number("gradient_norm");
    let (mut largest, mut left_out, mut count) = (0.0, 0, 0);
    for (name, theirs) in &theirs {
        let chance = |at: &usize| {
            let [theirs, ours] = [0, 1].map(|of| gradients[of][name][*at].abs());
            // A little more for ours: at the limit, the two may fall on different sides of it.
            theirs <= rounding && ours <= 1.1 * rounding && (theirs > 0.0 || ours > 0.0)
        };
        let compared: Vec<usize> = (0..theirs.len()).filter(|at| !chance(at)).collect();
        count += theirs.len();
        left_out += theirs.len() - compared.len();
        let step = norm(compared.iter().map(|&at| theirs[at] - start[name][at]));
        if step > 0.0 {
            largest = nan_or_max(largest, norm(compared.iter().map(|&at| ours[name][at] - theirs[at])) / step);
        }
    }
    assert!(left_out * 20 < count, "{}: {left_out} of {count} left out", case.name);
    largest
}

fn gradients(case: &Case) -> Tensors {
    let device = Device::flex().autodiff();
    let (model, (input, labels)) = (case.model(&device), packed(&case.ragged(), &device));
    case.named_gradients(&model, case.loss(&model, &input, &labels, &device).backward())
}

#[test]
fn a_hundred_steps_follow_the_loss_curve_of_the_reference() {
    for (case, name, settings) in cases() {
        let (model, losses) = train(&case, &settings, &case.training_set());
        let theirs = case.numbers("losses", name);
        assert_eq!(losses.len(), 100);
        let spread = theirs.iter().fold(0.0, |most, loss| f64::max(most, (loss - theirs[0]).abs()));
        assert!(spread > 0.25, "{}: the curve is flat", case.name);
        let largest = largest_difference(&losses, &theirs) / theirs[0];
        hold(&case.name, &format!("loss of each of 100 steps, {name}"), Of::Relative, LOSS, largest);
        let device = Device::flex();
        let (input, _) = packed(&case.ragged(), &device);
        let logits = numbers(model.forward(&input, None));
        let largest = largest_difference(&logits, &case.numbers("trained_logits", name));
        hold(&case.name, &format!("logits after 100 steps, {name}"), Of::Absolute, TRAINED, largest);
    }
}
