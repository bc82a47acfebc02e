//! Invented pretraining runs, and runs that start from them: no model was trained for them.

use bertbench::random::{Draws, Stream};
use bertbench::report::ExperimentInput;
use bertbench::settings::{Approach, FeatureBased, Layers, LmLoss, Masking, Optimizer};
use bertbench::store::{
    CorpusPhase, Evaluation, Event, Failure, HeldOut, HeldOutEvaluation, InitialWeights, Objective, Outcome,
    PretrainingObjective, Record, RunSettings, Score, StepEvent, Timings, Warmup,
};
use bertbench::units::{Bytes, Seconds, Tokens};

use super::synthetic::{TaskShape, host, provenance, record, settings};

const EVERY: u64 = 200;

/// Two entities' tags, judged as CoNLL-2003's are.
pub const CONLL: TaskShape = ("conll2003", "f1", "dev", &[("precision", "dev")], 0.0, 0.9, 300);

/// The paper's 80/10/10 of 15 %, or another division.
pub fn masking(mask_prob: f64, keep_prob: f64, random_prob: f64) -> Masking {
    Masking { mask_prob, keep_prob, random_prob, ..Masking::default() }
}

/// A run of 2000 steps; `large` as the models of [`settings`].
pub fn pretrain_settings(model: &str, large: bool) -> RunSettings {
    let mut settings = settings(model, large, "rte", (32, 1e-3, 3), 1);
    settings.optimization.warmup = Warmup::Steps(200);
    settings.optimization.optimizer = Optimizer::BertAdam {};
    settings.objective = Objective::Pretraining(PretrainingObjective {
        loss: LmLoss::MaskedLmAndNextSentence,
        phases: vec![
            CorpusPhase { max_length: 48, steps: 1800, data: "a".repeat(64) },
            CorpusPhase { max_length: 64, steps: 200, data: "b".repeat(64) },
        ],
        evaluation: Some(HeldOutEvaluation { data: "c".repeat(64), every: EVERY }),
        masking: Some(masking(0.8, 0.1, 0.1)),
        snapshots: Vec::new(),
        saving: None,
        logging_steps: 10,
    });
    RunSettings { numerics_version: 3, ..settings }
}

/// The part of a run's settings that is to be changed.
pub fn objective(settings: &mut RunSettings) -> &mut PretrainingObjective {
    match &mut settings.objective {
        Objective::Pretraining(of) => of,
        Objective::Task(of) => panic!("a run on {}", of.task),
    }
}

fn loss(settings: &RunSettings, step: u64) -> f64 {
    let end = if settings.architecture.layers > 2 { 2.6 } else { 3.1 };
    end + (7.6 - end) * (-(step as f64) / 450.0).exp()
}

fn scores(settings: &RunSettings, step: u64) -> Evaluation {
    let mlm_loss = loss(settings, step);
    let progress = 1.0 - (-(step as f64) / 600.0).exp();
    let mut scores = vec![
        ("mlm_loss", mlm_loss, "nats"),
        ("perplexity", mlm_loss.exp(), "perplexity"),
        ("mlm_accuracy", 0.45 * progress, "fraction"),
    ];
    if settings.pretraining().unwrap().loss.predicts_next_sentence() {
        scores.push(("nsp_loss", 0.69 - 0.4 * progress, "nats"));
        scores.push(("nsp_accuracy", 0.5 + 0.35 * progress, "fraction"));
    }
    let score = |(metric, value, unit): (&str, f64, &str)| Score {
        metric: metric.into(),
        split: "held_out".into(),
        value: Some(value),
        unit: unit.into(),
        higher_is_better: unit == "fraction",
    };
    let held_out = Some(HeldOut { examples: 900, predictions: 4321 });
    Evaluation { epoch: None, step, train_loss: None, scores: scores.into_iter().map(score).collect(), held_out }
}

/// The log up to `last`.
pub fn events(settings: &RunSettings, last: u64) -> Vec<Event> {
    let mut draws = Stream::new(settings.seed, &settings.model).at(1);
    let mut events = Vec::new();
    let of = settings.pretraining().unwrap();
    let warmup = 200;
    for step in (1..=last / of.logging_steps).map(|at| at * of.logging_steps) {
        let held_out = scores(settings, step);
        let share = if step < warmup {
            step as f64 / warmup as f64
        } else {
            (of.steps() - step) as f64 / (of.steps() - warmup) as f64
        };
        events.push(Event::Step(StepEvent {
            step,
            epoch: None,
            phase: Some(if step <= 1800 { 1 } else { 2 }),
            loss: held_out.value("mlm_loss").unwrap()
                + held_out.value("nsp_loss").unwrap_or(0.0)
                + 0.15 * draws.normal(),
            mlm_loss: held_out.value("mlm_loss"),
            mlm_accuracy: held_out.value("mlm_accuracy"),
            nsp_loss: held_out.value("nsp_loss"),
            nsp_accuracy: held_out.value("nsp_accuracy"),
            learning_rate: settings.optimization.learning_rate * share,
            gradient_norm: Some(1.0),
            tokens_per_second: 90_000.0 + 4000.0 * draws.normal(),
            ..StepEvent::default()
        }));
        if step.is_multiple_of(EVERY) && of.evaluation.is_some() {
            events.push(Event::Evaluation(held_out));
        }
    }
    events
}

/// What a run leaves that is done.
pub fn pretrain_record(experiment: &str, settings: &RunSettings) -> Record {
    let of = settings.pretraining().unwrap();
    let mut evaluations: Vec<Evaluation> = (1..=of.steps() / EVERY).map(|at| scores(settings, at * EVERY)).collect();
    if of.evaluation.is_none() {
        evaluations.clear();
    }
    let kept = of.snapshots.iter().copied().chain([of.steps()]);
    Record {
        id: settings.id(),
        experiment: experiment.into(),
        scores: evaluations.last().map_or_else(Vec::new, |last| last.scores.clone()),
        evaluations,
        steps: of.steps(),
        skipped_steps: None,
        tokens: Tokens(of.steps() * 32 * 40),
        timings: Timings { wall: Seconds(75.0), tokens_per_second: 91_000.0, ..Timings::default() },
        peak_memory: Bytes(150_000_000),
        host: host(),
        provenance: provenance(75),
        pretraining: None,
        files: std::collections::BTreeMap::new(),
        notes: vec!["invented: nothing was pretrained".into()],
        outcome: Outcome::Pretraining { weights_sha256: kept.map(|step| (step, format!("{step:064x}"))).collect() },
        settings: settings.clone(),
    }
}

/// An experiment whose runs are all done.
pub fn pretrained(name: &str, runs: &[RunSettings]) -> ExperimentInput {
    ExperimentInput {
        name: name.into(),
        file: Some(format!("experiments/{name}.yaml")),
        planned: runs.to_vec(),
        records: runs.iter().map(|settings| pretrain_record(name, settings)).collect(),
        events: runs
            .iter()
            .map(|settings| (settings.id(), events(settings, settings.pretraining().unwrap().steps())))
            .collect(),
        ..ExperimentInput::default()
    }
}

/// One of a failure, one at work, one that has not begun, and one done.
pub fn half_pretrained(name: &str) -> ExperimentInput {
    let rates = [("a-done", 1e-3), ("b-failed", 5e-3), ("c-working", 5e-4), ("d-missing", 2e-4)];
    let runs = rates.map(|(model, learning_rate)| {
        let mut settings = pretrain_settings(model, false);
        settings.optimization.learning_rate = learning_rate;
        settings
    });
    let mut input = pretrained(name, &runs);
    input.records.truncate(1);
    let cause = "the loss was NaN <script>alert(1)</script>".into();
    input.failures.push((runs[1].clone(), Failure { kind: "diverged".into(), cause, at_unix: 1_767_225_700 }));
    input.events.insert(runs[1].id(), events(&runs[1], 110));
    input.events.insert(runs[2].id(), events(&runs[2], 1230));
    input.events.remove(&runs[3].id());
    input
}

/// A model to fine-tune.
pub struct Tuned<'a> {
    pub model: &'a str,
    pub large: bool,
    /// The pretraining experiment's name, the run, and the step whose model it starts from (the last one without).
    pub from: Option<(&'a str, &'a RunSettings, Option<u64>)>,
    /// How much its scores are above the invented ones of random weights.
    pub gain: f64,
    /// Whether an LSTM reads its frozen layers.
    pub features: bool,
}

impl<'a> Tuned<'a> {
    pub fn random(model: &'a str, large: bool) -> Self {
        Self { model, large, from: None, gain: 0.0, features: false }
    }

    pub fn from(model: &'a str, large: bool, experiment: &'a str, run: &'a RunSettings, gain: f64) -> Self {
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
        of.initial_weights = InitialWeights::Pretraining {
            experiment: experiment.into(),
            model: run.model.clone(),
            run: run.id(),
            step,
        };
        pretrain_record(experiment, run).origin(step).expect("the step was kept")
    });
    if model.features {
        let layers = FeatureBased { layers: Layers::ConcatLastFour, hidden: 768, lstm_layers: 2, attention: false };
        let Objective::Task(task) = &mut of.objective else { panic!("not on a task") };
        task.approach = Approach::FeatureBased(layers);
    }
    let mut record = record(name, benchmark, of, shape, draws);
    record.pretraining = pretraining;
    for score in &mut record.scores {
        score.value = score.value.map(|value| (value + model.gain).clamp(0.0, 1.0));
    }
    record
}
