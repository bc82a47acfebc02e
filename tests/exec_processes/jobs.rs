//! Jobs for a trainer that pretends, and what it makes of them.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bertbench::exec::Job;
use bertbench::settings::LmLoss;
use bertbench::store::{
    Architecture, CorpusPhase, Host, InitialWeights, Objective, Optimization, Outcome, PretrainingObjective,
    Provenance, Record, RunSettings, Score, TaskObjective, TaskOutcome, Timings, VocabularyIdentity,
};
use bertbench::units::{Bytes, Flops, Tokens};

pub(crate) const EXPERIMENT: &str = "pretended";
/// The experiment of pretraining jobs.
pub(crate) const PRETRAINING_EXPERIMENT: &str = "pretended-first";

/// A job of `task`, which says how it ends, with so many steps of so many milliseconds.
pub(crate) fn job(task: &str, seed: u64, steps: u32, step_milliseconds: u32) -> Job {
    let architecture = Architecture {
        layers: 1,
        hidden: 8,
        heads: 1,
        intermediate: 32,
        vocab_size: 9,
        max_positions: 16,
        type_vocab_size: 2,
        causal: false,
        encoder: bertbench::settings::EncoderType::Bert,
        pooling: None,
        initializer_range: bertbench::settings::InitializerRange::BERT,
    };

    let settings = RunSettings {
        model: "pretender".to_owned(),
        architecture,
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: String::new(), do_lower_case: true, added_tokens: Vec::new() },
        seed,
        device: "cpu".to_owned(),
        optimization: Optimization {
            batch_size: step_milliseconds,
            learning_rate: 3e-5,
            adam_epsilon: 1e-6,
            ..Optimization::default()
        },
        objective: Objective::Task(TaskObjective {
            task: task.to_owned(),
            options: None,
            approach: bertbench::settings::Approach::FineTuning,
            max_length: 16,
            epochs: steps,
            data_sha256: BTreeMap::new(),
            skip_bad_rows: false,
            lm_coef: 0.0,
            both_orders: false,
        }),
        numerics_version: 1,
    };
    Job::new(EXPERIMENT, settings, Flops(f64::from(steps * step_milliseconds) / 1000.0))
}

/// The settings of a job that is not a pretraining.
pub(crate) fn settings(job: &Job) -> &RunSettings {
    assert!(job.settings.task().is_some());
    &job.settings
}

/// A pretraining of another experiment, whose model's name says how it ends.
pub(crate) fn pretraining_job(model: &str) -> Job {
    let of = job("fine", 0, 1, 1);
    let mut settings = settings(&of).clone();
    model.clone_into(&mut settings.model);
    settings.objective = Objective::Pretraining(PretrainingObjective {
        loss: LmLoss::MaskedLm,
        phases: vec![CorpusPhase { max_length: 16, steps: 2, data: model.to_owned() }],
        evaluation: None,
        masking: None,
        snapshots: Vec::new(),
        saving: None,
        logging_steps: 1,
    });
    Job::new(PRETRAINING_EXPERIMENT, settings, Flops(1.0))
}

/// `job`, started from the model of `pretraining`.
pub(crate) fn after(job: &Job, pretraining: &Job) -> Job {
    let (experiment, model) = (pretraining.experiment.clone(), pretraining.settings.model.clone());
    let initial_weights = InitialWeights::Pretraining { experiment, model, run: pretraining.id.clone(), step: None };
    Job::new(&job.experiment, RunSettings { initial_weights, ..settings(job).clone() }, job.cost)
}

/// What a pretraining leaves.
pub(crate) fn pretrain_record(job: &Job) -> Record {
    left(job, Vec::new(), Outcome::Pretraining { weights_sha256: BTreeMap::new() })
}

/// So many jobs that end well.
pub(crate) fn fine_jobs(count: u64, steps: u32, step_milliseconds: u32) -> Vec<Job> {
    (0..count).map(|seed| job("fine", seed, steps, step_milliseconds)).collect()
}

/// The score that a job reaches: the best seed is 7 modulo 10.
pub(crate) fn score(job: &Job) -> f64 {
    [0.5, 0.6, 0.55, 0.7, 0.65, 0.8, 0.52, 0.9, 0.3, 0.4][usize::try_from(settings(job).seed % 10).unwrap()]
}

/// What a job leaves, marked as the work of this process at this moment.
pub(crate) fn record(job: &Job) -> Record {
    let primary = Score {
        metric: "accuracy".to_owned(),
        split: "dev".to_owned(),
        value: Some(score(job)),
        unit: "fraction".to_owned(),
        higher_is_better: true,
    };
    let outcome = Outcome::Task(TaskOutcome {
        benchmark: "mini".to_owned(),
        primary_metric: primary.metric.clone(),
        primary_split: primary.split.clone(),
        majority: 0.5,
        ceiling: None,
        examples: BTreeMap::new(),
        windows: BTreeMap::new(),
        skipped_rows: BTreeMap::new(),
    });
    left(job, vec![primary], outcome)
}

fn left(job: &Job, scores: Vec<Score>, outcome: Outcome) -> Record {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Record {
        id: job.id.clone(),
        experiment: job.experiment.clone(),
        settings: job.settings.clone(),
        scores,
        evaluations: Vec::new(),
        steps: u64::from(job.settings.epochs()),
        skipped_steps: None,
        tokens: Tokens(1),
        timings: Timings::default(),
        peak_memory: Bytes(1),
        host: Host::default(),
        provenance: Provenance::default(),
        pretraining: None,
        // Tells this attempt from any other.
        files: BTreeMap::new(),
        notes: vec![format!("{}-{now}", std::process::id())],
        outcome,
    }
}
