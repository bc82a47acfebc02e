//! Invented pretraining runs, and runs that start from them: no model was trained for them.

use bertbench::random::{Draws, Stream};
use bertbench::report::{ExperimentInput, PretrainingInput};
use bertbench::store::{
    Approach, Architecture, Failure, FeatureBased, InitialWeights, Layers, Masking, Objective, Optimizer, Precision,
    PretrainEvaluation, PretrainEvent, PretrainPhase, PretrainRecord, PretrainScores, PretrainSettings,
    PretrainStepEvent, Record,
};
use bertbench::units::{Bytes, Seconds, Tokens};

use super::synthetic::{TaskShape, host, provenance, record, settings};

const EVERY: u64 = 200;

/// Two entities' tags, judged as CoNLL-2003's are.
pub const CONLL: TaskShape = ("conll2003", "f1", "dev", &[("precision", "dev")], 0.0, 0.9, 300);

/// The paper's 80/10/10 of 15 %, or another division.
pub fn masking(mask_prob: f64, keep_prob: f64, random_prob: f64) -> Masking {
    Masking { masked_lm_prob: 0.15, mask_prob, keep_prob, random_prob, whole_word: false }
}

/// A run of 2000 steps; `large` as the models of [`settings`].
pub fn pretrain_settings(model: &str, large: bool) -> PretrainSettings {
    let architecture: Architecture = settings(model, large, "rte", (16, 1e-4, 3), 1).architecture;
    PretrainSettings {
        model: model.into(),
        architecture,
        start: InitialWeights::Random,
        objective: Objective::MaskedLmAndNextSentence,
        phases: vec![
            PretrainPhase { max_length: 48, steps: 1800, data: "a".repeat(64) },
            PretrainPhase { max_length: 64, steps: 200, data: "b".repeat(64) },
        ],
        batch_size: 32,
        gradient_accumulation_steps: 1,
        learning_rate: 1e-3,
        warmup_steps: 200,
        weight_decay: 0.01,
        optimizer: Optimizer::BertAdam,
        adam_beta1: 0.9,
        adam_beta2: 0.999,
        adam_epsilon: 1e-6,
        max_grad_norm: 1.0,
        dropout: 0.1,
        precision: Precision::F32,
        seed: 1,
        device: "cpu".into(),
        vocabulary_sha256: "11".repeat(32),
        evaluation: Some(PretrainEvaluation { data: "c".repeat(64), every: EVERY }),
        masking: Some(masking(0.8, 0.1, 0.1)),
        snapshots: Vec::new(),
        gradient_checkpointing: false,
        saving: None,
        logging_steps: 10,
        numerics_version: 3,
    }
}

fn loss(settings: &PretrainSettings, step: u64) -> f64 {
    let end = if settings.architecture.layers > 2 { 2.6 } else { 3.1 };
    end + (7.6 - end) * (-(step as f64) / 450.0).exp()
}

fn scores(settings: &PretrainSettings, step: u64) -> PretrainScores {
    let mlm_loss = loss(settings, step);
    let nsp = settings.objective.predicts_next_sentence();
    let progress = 1.0 - (-(step as f64) / 600.0).exp();
    PretrainScores {
        step,
        mlm_loss,
        perplexity: mlm_loss.exp(),
        mlm_accuracy: 0.45 * progress,
        nsp_loss: nsp.then_some(0.69 - 0.4 * progress),
        nsp_accuracy: nsp.then_some(0.5 + 0.35 * progress),
        predictions: 4321,
        examples: 900,
    }
}

/// The log up to `last`.
pub fn events(settings: &PretrainSettings, last: u64) -> Vec<PretrainEvent> {
    let mut draws = Stream::new(settings.seed, &settings.model).at(1);
    let mut events = Vec::new();
    for step in (1..=last / settings.logging_steps).map(|at| at * settings.logging_steps) {
        let held_out = scores(settings, step);
        let warmup = settings.warmup_steps;
        let share = if step < warmup {
            step as f64 / warmup as f64
        } else {
            (settings.steps() - step) as f64 / (settings.steps() - warmup) as f64
        };
        events.push(PretrainEvent::Step(PretrainStepEvent {
            step,
            phase: if step <= 1800 { 1 } else { 2 },
            loss: held_out.mlm_loss + held_out.nsp_loss.unwrap_or(0.0) + 0.15 * draws.normal(),
            mlm_loss: held_out.mlm_loss,
            mlm_accuracy: held_out.mlm_accuracy,
            nsp_loss: held_out.nsp_loss,
            nsp_accuracy: held_out.nsp_accuracy,
            learning_rate: settings.learning_rate * share,
            gradient_norm: 1.0,
            tokens_per_second: 90_000.0 + 4000.0 * draws.normal(),
        }));
        if step.is_multiple_of(EVERY) && settings.evaluation.is_some() {
            events.push(PretrainEvent::Evaluation(held_out));
        }
    }
    events
}

/// What a run leaves that is done.
pub fn pretrain_record(experiment: &str, settings: &PretrainSettings) -> PretrainRecord {
    let evaluations: Vec<PretrainScores> =
        (1..=settings.steps() / EVERY).map(|at| scores(settings, at * EVERY)).collect();
    let kept = settings.snapshots.iter().copied().chain([settings.steps()]);
    PretrainRecord {
        id: settings.id(),
        experiment: experiment.into(),
        evaluations: if settings.evaluation.is_some() { evaluations } else { Vec::new() },
        steps: settings.steps(),
        tokens: Tokens(settings.steps() * 32 * 40),
        wall: Seconds(75.0),
        tokens_per_second: 91_000.0,
        peak_memory: Bytes(150_000_000),
        weights_sha256: kept.map(|step| (step, format!("{step:064x}"))).collect(),
        host: host(),
        provenance: provenance(75),
        notes: vec!["invented: nothing was pretrained".into()],
        settings: settings.clone(),
    }
}

/// An experiment whose runs are all done.
pub fn pretrained(name: &str, runs: &[PretrainSettings]) -> PretrainingInput {
    PretrainingInput {
        name: name.into(),
        file: Some(format!("experiments/{name}.yaml")),
        planned: runs.to_vec(),
        records: runs.iter().map(|settings| pretrain_record(name, settings)).collect(),
        failures: Vec::new(),
        curves: runs.iter().map(|settings| (settings.id(), events(settings, settings.steps()))).collect(),
    }
}

/// One of a failure, one at work, one that has not begun, and one done.
pub fn half_pretrained(name: &str) -> PretrainingInput {
    let rates = [("a-done", 1e-3), ("b-failed", 5e-3), ("c-working", 5e-4), ("d-missing", 2e-4)];
    let runs =
        rates.map(|(model, learning_rate)| PretrainSettings { learning_rate, ..pretrain_settings(model, false) });
    let mut input = pretrained(name, &runs);
    input.records.truncate(1);
    let cause = "the loss was NaN <script>alert(1)</script>".into();
    input.failures.push((runs[1].clone(), Failure { kind: "diverged".into(), cause, at_unix: 1_767_225_700 }));
    input.curves.insert(runs[1].id(), events(&runs[1], 110));
    input.curves.insert(runs[2].id(), events(&runs[2], 1230));
    input.curves.remove(&runs[3].id());
    input
}

/// A model to fine-tune.
pub struct Tuned<'a> {
    pub model: &'a str,
    pub large: bool,
    /// The pretraining experiment's name, the run, and the step whose model it starts from (the last one without).
    pub from: Option<(&'a str, &'a PretrainSettings, Option<u64>)>,
    /// How much its scores are above the invented ones of random weights.
    pub gain: f64,
    /// Whether an LSTM reads its frozen layers.
    pub features: bool,
}

impl<'a> Tuned<'a> {
    pub fn random(model: &'a str, large: bool) -> Self {
        Self { model, large, from: None, gain: 0.0, features: false }
    }

    pub fn from(model: &'a str, large: bool, experiment: &'a str, run: &'a PretrainSettings, gain: f64) -> Self {
        Self { from: Some((experiment, run, None)), gain, ..Self::random(model, large) }
    }
}

/// These models on these tasks at two points of a sweep, all done.
pub fn tuned(name: &str, benchmark: &str, models: &[Tuned<'_>], tasks: &[TaskShape]) -> ExperimentInput {
    tuned_with_seeds(name, benchmark, models, tasks, &[1])
}

/// The same with several seeds.
pub fn tuned_with_seeds(
    name: &str,
    benchmark: &str,
    models: &[Tuned<'_>],
    tasks: &[TaskShape],
    seeds: &[u64],
) -> ExperimentInput {
    let mut experiment = ExperimentInput { name: name.into(), ..ExperimentInput::default() };
    for shape in tasks {
        for model in models {
            for point in [(16, 3e-4, 3), (32, 3e-4, 3)] {
                for seed in seeds {
                    // The same draws for every model, so that scores differ by `gain` alone.
                    let mut draws = Stream::new(7, shape.0).at(u64::from(point.0) + 1000 * seed);
                    let record = one((name, benchmark), model, shape, (point, *seed), &mut draws);
                    experiment.planned.push(record.settings.clone());
                    experiment.records.push(record);
                }
            }
        }
    }
    experiment
}

fn one(
    (name, benchmark): (&str, &str),
    model: &Tuned<'_>,
    shape: &TaskShape,
    (point, seed): ((u32, f64, u32), u64),
    draws: &mut Draws,
) -> Record {
    let mut of = settings(model.model, model.large, shape.0, point, seed);
    let pretraining = model.from.map(|(experiment, run, step)| {
        of.architecture = run.architecture;
        of.start = InitialWeights::Pretraining {
            experiment: experiment.into(),
            model: run.model.clone(),
            run: run.id(),
            step,
        };
        pretrain_record(experiment, run).at(step).expect("the step was kept")
    });
    if model.features {
        let layers = FeatureBased { layers: Layers::ConcatLastFour, hidden: 768, lstm_layers: 2 };
        of.approach = Approach::FeatureBased(layers);
    }
    let mut record = record(name, benchmark, of, shape, draws);
    record.pretraining = pretraining;
    for score in &mut record.scores {
        score.value = score.value.map(|value| (value + model.gain).clamp(0.0, 1.0));
    }
    record
}
