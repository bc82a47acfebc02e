//! Invented records: no model was trained for them.

use std::collections::BTreeMap;

use bertbench::random::{Draws, Stream};
use bertbench::report::ExperimentInput;
use bertbench::store::{
    Architecture, Evaluation, Event, Failure, Host, InitialWeights, Objective, Optimization, Outcome, Provenance,
    Record, RunSettings, Score, StepEvent, TaskObjective, TaskOutcome, Timings, VocabularyIdentity,
};
use bertbench::units::{Bytes, Seconds, Tokens};

/// Task, primary metric and split, other scores, majority, ceiling, dev examples.
pub type TaskShape = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], f64, f64, u64);

/// The nine tasks of GLUE.
pub const TASKS: [TaskShape; 9] = [
    ("cola", "mcc", "dev", &[("accuracy", "dev")], 0.0, 0.83, 300),
    ("mnli", "accuracy", "dev_matched", &[("accuracy", "dev_mismatched")], 0.351, 0.92, 400),
    ("mrpc", "f1", "dev", &[("accuracy", "dev")], 0.79, 0.94, 300),
    ("qnli", "accuracy", "dev", &[], 0.512, 0.95, 300),
    ("qqp", "f1", "dev", &[("accuracy", "dev")], 0.55, 0.93, 400),
    ("rte", "accuracy", "dev", &[], 0.527, 0.9, 277),
    ("sst2", "accuracy", "dev", &[], 0.509, 0.96, 300),
    ("stsb", "spearman", "dev", &[("pearson", "dev")], 0.0, 0.95, 300),
    ("wnli", "accuracy", "dev", &[], 0.563, 0.85, 71),
];

const RATES: [f64; 3] = [5e-4, 3e-4, 2e-4];

/// Settings of one run from random weights.
pub fn settings(model: &str, large: bool, task: &str, point: (u32, f64, u32), seed: u64) -> RunSettings {
    RunSettings {
        model: model.into(),
        architecture: Architecture {
            layers: if large { 4 } else { 2 },
            hidden: if large { 96 } else { 64 },
            heads: if large { 4 } else { 2 },
            intermediate: if large { 384 } else { 256 },
            vocab_size: 2048,
            max_positions: 128,
            type_vocab_size: 2,
            causal: false,
            encoder: bertbench::settings::EncoderType::Bert,
            pooling: None,
            initializer_range: bertbench::settings::InitializerRange::BERT,
        },
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: "11".repeat(32), do_lower_case: true, added_tokens: Vec::new() },
        seed,
        device: "cpu".into(),
        optimization: Optimization {
            batch_size: point.0,
            learning_rate: point.1,
            adam_epsilon: 1e-6,
            ..Optimization::default()
        },
        objective: Objective::Task(TaskObjective {
            task: task.into(),
            options: None,
            approach: bertbench::settings::Approach::FineTuning,
            max_length: 64,
            epochs: point.2,
            data_sha256: BTreeMap::from([(format!("{task}/dev.tsv"), "00".repeat(32))]),
            skip_bad_rows: false,
            lm_coef: 0.0,
            both_orders: false,
        }),
        numerics_version: 1,
    }
}

/// Makes it a run on other files.
pub fn other_data_of(settings: &mut RunSettings) {
    let Objective::Task(task) = &mut settings.objective else { panic!("not on a task") };
    task.data_sha256.insert("dev.tsv".into(), "other".into());
}

fn grid() -> Vec<(u32, f64, u32)> {
    let mut points = Vec::new();
    for batch in [16, 32] {
        for rate in RATES {
            points.extend([3, 4].map(|epochs| (batch, rate, epochs)));
        }
    }
    points
}

fn score(metric: &str, split: &str, value: f64) -> Score {
    let unit = if matches!(metric, "mcc" | "pearson" | "spearman") { "correlation" } else { "fraction" };
    Score {
        metric: metric.into(),
        split: split.into(),
        value: value.is_finite().then_some(value),
        unit: unit.into(),
        higher_is_better: true,
    }
}

/// A record whose scores rise over the epochs to an invented end.
pub fn record(
    experiment: &str,
    benchmark: &str,
    settings: RunSettings,
    shape: &TaskShape,
    draws: &mut Draws,
) -> Record {
    let (_, metric, split, others, majority, ceiling, examples) = *shape;
    let large = settings.architecture.layers > 2;
    let skill =
        0.45 + 0.15 * f64::from(u8::from(large)) + 0.1 * draws.normal() + 250.0 * settings.optimization.learning_rate;
    let reached = majority + (ceiling - majority) * skill.clamp(0.0, 1.0);
    let steps = u64::from(settings.epochs()) * 1200 / u64::from(settings.optimization.batch_size);
    let scores = |at: f64, draws: &mut Draws| {
        let jitter = 0.01 * draws.normal();
        let mut scores = vec![score(metric, split, at + jitter)];
        scores.extend(others.iter().map(|(metric, split)| score(metric, split, at - 0.01)));
        scores
    };
    let evaluations: Vec<Evaluation> = (1..=settings.epochs())
        .map(|epoch| {
            let progress = 1.0 - 0.45_f64.powi(i32::try_from(epoch).unwrap());
            Evaluation {
                epoch: Some(epoch),
                step: steps * u64::from(epoch) / u64::from(settings.epochs()),
                train_loss: Some(0.7 - 0.4 * progress * skill),
                scores: scores(majority + (reached - majority) * progress, draws),
                held_out: None,
            }
        })
        .collect();
    let wall = 1.5 + 2.0 * f64::from(u8::from(large)) + 0.3 * draws.uniform();
    Record {
        id: settings.id(),
        experiment: experiment.into(),
        scores: evaluations.last().unwrap().scores.clone(),
        evaluations,
        steps,
        skipped_steps: None,
        tokens: Tokens(steps * u64::from(settings.optimization.batch_size) * 24),
        timings: Timings {
            wall: Seconds(wall),
            setup: Seconds(0.02 * wall),
            forward: Seconds(0.3 * wall),
            backward: Seconds(0.5 * wall),
            optimizer: Seconds(0.08 * wall),
            evaluation: Seconds(0.08 * wall),
            overhead_fraction: 0.02,
            tokens_per_second: 40_000.0 / wall,
        },
        peak_memory: Bytes(180_000_000 + 60_000_000 * u64::from(large)),
        host: host(),
        provenance: provenance(4),
        pretraining: None,
        files: BTreeMap::new(),
        notes: vec!["the weights were drawn at random: nothing was pretrained".into()],
        outcome: Outcome::Task(TaskOutcome {
            benchmark: benchmark.into(),
            primary_metric: metric.into(),
            primary_split: split.into(),
            majority,
            ceiling: (benchmark == "mini").then_some(ceiling),
            examples: BTreeMap::from([("train".into(), 1200), (split.into(), examples)]),
            windows: BTreeMap::new(),
            skipped_rows: BTreeMap::new(),
        }),
        settings,
    }
}

/// A machine that is nowhere.
pub fn host() -> Host {
    Host {
        name: "no-such-host".into(),
        os: "none".into(),
        cpu: "an invented processor".into(),
        cores: 2,
        threads: 2,
        memory: Bytes(8 << 30),
        device: "cpu".into(),
    }
}

/// Code that ran for so many seconds.
pub fn provenance(seconds: u64) -> Provenance {
    Provenance {
        bertbench: "0.1.0".into(),
        burn: "0.22.1".into(),
        rustc: "1.95.0".into(),
        git_commit: Some("0123456789abcdef0123".into()),
        git_dirty: false,
        started_unix: 1_767_225_600,
        finished_unix: 1_767_225_600 + seconds,
    }
}

fn curve(record: &Record, draws: &mut Draws) -> Vec<Event> {
    (1..=record.steps)
        .map(|step| {
            let progress = step as f64 / record.steps as f64;
            let end = record.evaluations.last().unwrap().train_loss.unwrap();
            let loss = end + (0.72 - end) * (-4.0 * progress).exp() + 0.03 * draws.normal();
            let learning_rate = record.settings.optimization.learning_rate * (1.0 - progress);
            Event::Step(StepEvent { step, loss, learning_rate, ..StepEvent::default() })
        })
        .collect()
}

/// Two models × the nine tasks × the grid × the seeds, all runs done.
pub fn complete(name: &str, benchmark: &str, models: [&str; 2], seeds: &[u64]) -> ExperimentInput {
    let mut draws = Stream::new(5, name).at(0);
    let mut experiment = ExperimentInput { name: name.into(), ..ExperimentInput::default() };
    for shape in &TASKS {
        for (large, model) in [(false, models[0]), (true, models[1])] {
            for point in grid() {
                for seed in seeds {
                    let settings = settings(model, large, shape.0, point, *seed);
                    let record = record(name, benchmark, settings.clone(), shape, &mut draws);
                    experiment.events.insert(record.id.clone(), curve(&record, &mut draws));
                    experiment.planned.push(settings);
                    experiment.records.push(record);
                }
            }
        }
    }
    experiment
}

/// The same with two failures, three runs missing and one score that is not a number.
pub fn damaged(name: &str, models: [&str; 2]) -> ExperimentInput {
    let mut experiment = complete(name, "mini", models, &[1]);
    for (at, kind) in [(100, "diverged"), (40, "killed")] {
        let record = experiment.records.remove(at);
        let cause = format!("the loss was NaN at step {at} <script>alert(1)</script>");
        experiment.failures.push((record.settings, Failure { kind: kind.into(), cause, at_unix: 1_767_225_700 }));
    }
    experiment.records.truncate(experiment.records.len() - 3);
    let spoilt = &mut experiment.records[7];
    for score in spoilt.scores.iter_mut().chain(spoilt.evaluations.iter_mut().flat_map(|e| &mut e.scores)) {
        score.value = None;
    }
    experiment
}
