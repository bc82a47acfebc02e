//! Jobs for a trainer that pretends, and what it makes of them.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bertbench::exec::Job;
use bertbench::store::{
    Architecture, Host, Optimizer, Precision, Provenance, Record, RunSettings, Score, Start, Timings, TrainingSettings,
};
use bertbench::units::{Bytes, Seconds, Tokens};

pub(crate) const EXPERIMENT: &str = "pretended";

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
    };
    let training = TrainingSettings {
        max_length: 16,
        warmup_fraction: 0.1,
        weight_decay: 0.01,
        dropout: 0.1,
        clip_norm: 1.0,
        gradient_accumulation: 1,
        activation_checkpointing: false,
        precision: Precision::F32,
        optimizer: Optimizer::AdamW,
        adam_beta1: 0.9,
        adam_beta2: 0.999,
        adam_epsilon: 1e-6,
    };
    let settings = RunSettings {
        model: "pretender".to_owned(),
        architecture,
        start: Start::Random,
        task: task.to_owned(),
        task_options: None,
        approach: bertbench::store::Approach::FineTuning,
        batch_size: step_milliseconds,
        learning_rate: 3e-5,
        epochs: steps,
        seed,
        training,
        device: "cpu".to_owned(),
        data_sha256: BTreeMap::new(),
        vocabulary_sha256: String::new(),
        lower_case: true,
        skip_bad_rows: false,
        numerics_version: 1,
    };
    Job::new(EXPERIMENT, settings, Seconds(f64::from(steps * step_milliseconds) / 1000.0))
}

/// So many jobs that end well.
pub(crate) fn fine_jobs(count: u64, steps: u32, step_milliseconds: u32) -> Vec<Job> {
    (0..count).map(|seed| job("fine", seed, steps, step_milliseconds)).collect()
}

/// The score that a job reaches: the best seed is 7 modulo 10.
pub(crate) fn score(job: &Job) -> f64 {
    [0.5, 0.6, 0.55, 0.7, 0.65, 0.8, 0.52, 0.9, 0.3, 0.4][usize::try_from(job.settings.seed % 10).unwrap()]
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Record {
        id: job.id.clone(),
        experiment: job.experiment.clone(),
        settings: job.settings.clone(),
        benchmark: "mini".to_owned(),
        primary_metric: primary.metric.clone(),
        primary_split: primary.split.clone(),
        scores: vec![primary],
        evaluations: Vec::new(),
        majority: 0.5,
        ceiling: None,
        examples: BTreeMap::new(),
        skipped_rows: BTreeMap::new(),
        steps: u64::from(job.settings.epochs),
        tokens: Tokens(1),
        timings: Timings::default(),
        peak_memory: Bytes(1),
        host: Host::default(),
        provenance: Provenance::default(),
        // Tells this attempt from any other.
        pretraining: None,
        notes: vec![format!("{}-{now}", std::process::id())],
    }
}
