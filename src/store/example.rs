//! Runs for tests.

use std::collections::BTreeMap;

use super::{
    Architecture, Host, InitialWeights, Optimizer, Precision, Provenance, Record, RunSettings, Score, Timings,
    TrainingSettings,
};
use crate::units::{Bytes, Tokens};

/// A run of a small model on `task`; every seed is another run.
pub(crate) fn settings(task: &str, seed: u64) -> RunSettings {
    let (layers, hidden, heads, intermediate) = (2, 128, 2, 512);
    RunSettings {
        model: "bert-tiny".to_owned(),
        architecture: Architecture {
            layers,
            hidden,
            heads,
            intermediate,
            vocab_size: 30522,
            max_positions: 512,
            type_vocab_size: 2,
            causal: false,
        },
        start: InitialWeights::Random,
        task: task.to_owned(),
        task_options: None,
        approach: crate::store::Approach::FineTuning,
        batch_size: 16,
        learning_rate: 3e-5,
        epochs: 3,
        seed,
        training: TrainingSettings {
            max_length: 128,
            warmup_fraction: 0.1,
            weight_decay: 0.01,
            dropout: 0.1,
            max_grad_norm: 1.0,
            gradient_accumulation_steps: 1,
            gradient_checkpointing: false,
            precision: Precision::F32,
            optimizer: Optimizer::AdamW,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-6,
        },
        device: "cpu".to_owned(),
        data_sha256: BTreeMap::from([("train.tsv".to_owned(), "00".to_owned())]),
        vocabulary_sha256: "11".to_owned(),
        lower_case: true,
        skip_bad_rows: false,
        numerics_version: 1,
    }
}

/// What a run leaves that reached `score` on dev.
pub(crate) fn record(experiment: &str, settings: &RunSettings, score: Option<f64>) -> Record {
    Record {
        id: settings.id(),
        experiment: experiment.to_owned(),
        settings: settings.clone(),
        benchmark: "mini".to_owned(),
        primary_metric: "accuracy".to_owned(),
        primary_split: "dev".to_owned(),
        scores: vec![Score {
            metric: "accuracy".to_owned(),
            split: "dev".to_owned(),
            value: score,
            unit: "fraction".to_owned(),
            higher_is_better: true,
        }],
        evaluations: Vec::new(),
        majority: 0.5,
        ceiling: None,
        examples: BTreeMap::new(),
        skipped_rows: BTreeMap::new(),
        steps: 1,
        tokens: Tokens(1),
        timings: Timings::default(),
        peak_memory: Bytes(1),
        host: Host::default(),
        provenance: Provenance::default(),
        pretraining: None,
        notes: Vec::new(),
    }
}
