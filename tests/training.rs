//! The fit loop on a golden model and four examples of `tests/golden/bert.py`. That it computes what PyTorch
//! computes is tested in `tests/reference_bert`.

use std::path::PathBuf;

use bertbench::model::{Classifier, Head, WantedHead, load_to_train, save_classifier};
use bertbench::settings::Optimizer;
use bertbench::store::{
    Architecture, Checkpoints, InitialWeights, Objective, Optimization, RunId, RunSettings, TaskObjective,
    VocabularyIdentity, Warmup,
};
use bertbench::task::{DevSplit, Gold, Task};
use bertbench::text::{FeatureSet, SkippedRows};
use bertbench::train::{
    CheckpointPolicy, Checkpointer, FitResult, Observer, StepReport, TrainError, TrainingData, fit,
};
use bertbench::units::Seconds;
use burn::tensor::Device;
use serde_json::Value;

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bert")
}

fn expected() -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden().join("expected.json")).unwrap()).unwrap()
}

/// The first four examples, 9 + 3 + 14 + 6 tokens.
fn features() -> FeatureSet {
    let expected = expected();
    let rows = |key: &str| serde_json::from_value::<Vec<Vec<u32>>>(expected[key].clone()).unwrap()[..4].to_vec();
    let segments: Vec<Vec<u8>> = rows("segments").iter().map(|row| row.iter().map(|&s| s as u8).collect()).collect();
    let labels: Vec<f32> = serde_json::from_value(expected["labels"].clone()).unwrap();
    FeatureSet::from_examples(&rows("ids"), &segments, labels[..4].to_vec(), SkippedRows::default())
}

fn settings(batch_size: u32, learning_rate: f64, epochs: u32, dropout: f64) -> RunSettings {
    RunSettings {
        model: "golden".into(),
        architecture: Architecture {
            layers: 2,
            hidden: 32,
            heads: 4,
            intermediate: 64,
            vocab_size: 60,
            max_positions: 16,
            type_vocab_size: 2,
            causal: false,
            encoder: bertbench::settings::EncoderType::Bert,
            pooling: None,
            initializer_range: bertbench::settings::InitializerRange::BERT,
        },
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: String::new(), do_lower_case: true, added_tokens: Vec::new() },
        seed: 1,
        device: "cpu".into(),
        optimization: Optimization {
            batch_size,
            learning_rate,
            warmup: Warmup::Fraction(0.2),
            dropout,
            ..Optimization::default()
        },
        objective: Objective::Task(TaskObjective {
            task: "mnli".into(),
            options: None,
            approach: bertbench::settings::Approach::FineTuning,
            max_length: 16,
            epochs,
            data_sha256: std::collections::BTreeMap::new(),
            skip_bad_rows: false,
            lm_coef: 0.0,
            both_orders: false,
        }),
        numerics_version: 1,
    }
}

#[derive(Default)]
struct Recorder {
    losses: Vec<f64>,
    stop_after: Option<usize>,
}

impl Observer for Recorder {
    fn step(&mut self, report: &StepReport) {
        self.losses.push(report.loss);
    }

    fn stop(&mut self) -> bool {
        self.stop_after.is_some_and(|steps| self.losses.len() >= steps)
    }
}

fn train(settings: &RunSettings, recorder: &mut Recorder) -> Result<FitResult<Classifier>, TrainError> {
    train_from_checkpoints(settings, recorder, None)
}

fn train_from_checkpoints(
    settings: &RunSettings,
    recorder: &mut Recorder,
    checkpointer: Option<&mut Checkpointer>,
) -> Result<FitResult<Classifier>, TrainError> {
    let device = Device::flex();
    let features = features();
    let wanted = WantedHead { kind: Head::Classes, names: &[], outputs: 3, next_token: false };
    let model = load_to_train(&golden(), wanted, None, 1, &device.clone().autodiff()).unwrap().model;
    let dev = [DevSplit { name: "dev_matched", features: features.clone(), gold: Gold::Labels }];
    let data = TrainingData { task: Task::find("mnli").unwrap(), train: &features, dev: &dev, tags: &[] };
    fit(model, settings, data, &device, recorder, checkpointer)
}

fn weights(model: &Classifier) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let config = bertbench::model::Config::read(&golden()).unwrap();
    let labels = ["a", "b", "c"];
    save_classifier(folder.path(), model, &config, &labels, 0.0, None).unwrap();
    std::fs::read(folder.path().join("model.safetensors")).unwrap()
}

#[test]
fn steps_tokens_and_evaluations_are_counted() {
    let mut recorder = Recorder::default();
    let fitted = train(&settings(3, 1e-2, 10, 0.0), &mut recorder).unwrap();
    assert_eq!((fitted.steps, recorder.losses.len(), fitted.evaluations.len()), (20, 20, 10));
    assert_eq!(fitted.tokens.0, 320, "ten times 9 + 3 + 14 + 6 tokens");
}

/// Every bit of the model and of every loss, with dropout and several passes a step.
#[test]
fn activation_checkpointing_changes_no_bit() {
    for optimizer in [Optimizer::AdamW {}, Optimizer::BertAdam {}] {
        let run = |gradient_checkpointing| {
            let mut settings = settings(4, 1e-2, 5, 0.1);
            settings.optimization = Optimization {
                gradient_checkpointing,
                optimizer,
                gradient_accumulation_steps: 2,
                ..settings.optimization
            };
            let mut recorder = Recorder::default();
            let fitted = train(&settings, &mut recorder).unwrap();
            (weights(&fitted.model), fitted.dev_outputs, recorder.losses)
        };
        assert_eq!(run(true), run(false));
    }
}

/// Two passes of half a batch are one step on the whole batch.
#[test]
fn gradient_accumulation_changes_no_number_but_rounding() {
    let (mut whole, mut halves) = (Recorder::default(), Recorder::default());
    train(&settings(4, 1e-2, 10, 0.0), &mut whole).unwrap();
    let mut accumulated = settings(4, 1e-2, 10, 0.0);
    accumulated.optimization.gradient_accumulation_steps = 2;
    train(&accumulated, &mut halves).unwrap();
    for (a, b) in whole.losses.iter().zip(&halves.losses) {
        assert!((a - b).abs() < 1e-3, "{a} and {b}");
    }
}

#[test]
fn the_same_run_gives_the_same_bits_on_any_number_of_threads() {
    let run = || {
        let mut recorder = Recorder::default();
        let fitted = train(&settings(2, 1e-2, 5, 0.1), &mut recorder).unwrap();
        (weights(&fitted.model), fitted.dev_outputs, recorder.losses)
    };
    let first = run();
    assert_eq!(first, run());
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(first, pool.install(run), "{threads} threads");
    }
    let mut other = settings(2, 1e-2, 5, 0.1);
    other.seed = 2;
    let mut recorder = Recorder::default();
    train(&other, &mut recorder).unwrap();
    assert_ne!(first.2, recorder.losses, "another seed shuffles and drops otherwise");
}

#[test]
fn a_stop_ends_the_run_between_two_steps_and_a_bad_loss_ends_it_at_once() {
    let mut recorder = Recorder { stop_after: Some(3), ..Recorder::default() };
    let error = train(&settings(2, 1e-2, 5, 0.1), &mut recorder).unwrap_err();
    assert!(matches!(error, TrainError::Stopped { step: 3 }), "{error}");
    let error = train(&settings(2, 1e30, 5, 0.0), &mut Recorder::default()).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
}

/// Processes that take so many steps each, the last one all that are left; a process that saves does so after every
/// step, one that does not might as well have been killed.
fn in_processes(settings: &RunSettings, processes: &[(usize, bool)]) -> (FitResult<Classifier>, Vec<f64>) {
    let folder = tempfile::tempdir().unwrap();
    let checkpointer = |saves: bool| {
        let every = Seconds(if saves { 0.0 } else { 1e9 });
        Checkpointer::new(Checkpoints::new(folder.path(), RunId("aa".into()), 2), CheckpointPolicy::of_task(every))
    };
    let (mut losses, mut saved) = (Vec::new(), 0);
    for &(steps, saves) in processes {
        let mut recorder = Recorder { stop_after: Some(steps), ..Recorder::default() };
        let error = train_from_checkpoints(settings, &mut recorder, Some(&mut checkpointer(saves))).unwrap_err();
        assert!(matches!(error, TrainError::Stopped { .. }), "{error}");
        losses.truncate(saved);
        losses.extend(recorder.losses);
        saved = if saves { losses.len() } else { saved };
    }
    let mut recorder = Recorder::default();
    let fitted = train_from_checkpoints(settings, &mut recorder, Some(&mut checkpointer(false))).unwrap();
    losses.truncate(saved);
    losses.extend(recorder.losses);
    assert_eq!(!fitted.notes.is_empty(), saved > 0, "{:?}", fitted.notes);
    (fitted, losses)
}

#[test]
fn a_run_that_is_stopped_or_killed_at_any_step_ends_with_the_same_bits() {
    for optimizer in [Optimizer::AdamW {}, Optimizer::BertAdam {}] {
        let mut settings = settings(3, 1e-2, 5, 0.1);
        settings.optimization = Optimization { optimizer, gradient_accumulation_steps: 2, ..settings.optimization };
        let result = |(fitted, losses): (FitResult<Classifier>, Vec<f64>)| {
            let weights = weights(&fitted.model);
            (weights, fitted.dev_outputs, fitted.evaluations, fitted.steps, fitted.tokens, losses)
        };
        let whole = result(in_processes(&settings, &[]));
        assert_eq!((whole.3, whole.5.len()), (10, 10));
        for first in 1..10 {
            assert_eq!(result(in_processes(&settings, &[(first, true)])), whole, "stopped after step {first}");
        }
        let many = [(2, true), (1, false), (3, true), (4, false), (1, true), (1, true)];
        assert_eq!(result(in_processes(&settings, &many)), whole);
        assert_eq!(result(in_processes(&settings, &[(4, false)])), whole, "killed before the first checkpoint");
    }
}
