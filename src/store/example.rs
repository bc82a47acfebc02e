//! Runs for tests.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{
    Architecture, CorpusPhase, HeldOutEvaluation, Host, InitialWeights, Objective, Optimization, Outcome,
    PretrainingObjective, Provenance, Record, RunSettings, RunsRoot, Score, TaskObjective, TaskOutcome, Timings,
    VocabularyIdentity, Warmup,
};
use crate::settings::{EncoderType, InitializerRange, LmLoss, Optimizer};
use crate::units::{Bytes, Tokens};

/// An empty folder of runs.
pub(crate) fn runs() -> (TempDir, RunsRoot) {
    let disk = tempfile::tempdir().unwrap();
    let root = RunsRoot::new(disk.path());
    (disk, root)
}

/// Waits for half a minute at most.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within half a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A BERT of these sizes, with the published vocabulary's size and positions.
pub(crate) const fn bert(layers: u32, hidden: u32, heads: u32, intermediate: u32) -> Architecture {
    Architecture {
        layers,
        hidden,
        heads,
        intermediate,
        vocab_size: 30522,
        max_positions: 512,
        type_vocab_size: 2,
        causal: false,
        encoder: EncoderType::Bert,
        pooling: None,
        initializer_range: InitializerRange::BERT,
    }
}

/// A BERT of two heads, with 50 words and 12 positions.
pub(crate) const fn small_bert(layers: u32, hidden: u32) -> Architecture {
    Architecture { vocab_size: 50, max_positions: 12, ..bert(layers, hidden, 2, 24) }
}

/// An encoder of two layers with 40 words and 12 positions. Weights are such that norms of so few numbers are no steeper
/// than differences can follow.
pub(crate) fn small(encoder: EncoderType) -> Architecture {
    let of = Architecture { vocab_size: 40, max_positions: 12, ..Architecture::without_attention(encoder, 2, 8) };
    if !encoder.facts().is_transformer {
        return of;
    }
    Architecture { heads: 2, intermediate: 16, initializer_range: InitializerRange::new(0.1).unwrap(), ..of }
}

/// A run of a small model on `task`; every seed is another run.
pub(crate) fn settings(task: &str, seed: u64) -> RunSettings {
    RunSettings {
        model: "bert-tiny".to_owned(),
        architecture: bert(2, 128, 2, 512),
        initial_weights: InitialWeights::Random,
        vocabulary: VocabularyIdentity { sha256: "11".to_owned(), do_lower_case: true, added_tokens: Vec::new() },
        seed,
        device: "cpu".to_owned(),
        optimization: optimization(),
        objective: Objective::Task(TaskObjective {
            task: task.to_owned(),
            options: None,
            approach: crate::settings::Approach::FineTuning,
            max_length: 128,
            epochs: 3,
            data_sha256: BTreeMap::from([("train.tsv".to_owned(), "00".to_owned())]),
            skip_bad_rows: false,
            lm_coef: 0.0,
            both_orders: false,
        }),
        numerics_version: 1,
    }
}

fn optimization() -> Optimization {
    Optimization { batch_size: 16, learning_rate: 3e-5, adam_epsilon: 1e-6, ..Optimization::default() }
}

/// A pretraining of the model of [`settings`] in two phases, of 90 and 10 steps.
pub(crate) fn pretraining(seed: u64) -> RunSettings {
    let base = settings("", seed);
    let optimization = Optimization {
        batch_size: 256,
        learning_rate: 1e-4,
        warmup: Warmup::Steps(10),
        optimizer: Optimizer::BertAdam {},
        ..optimization()
    };
    let phase = |(max_length, steps)| CorpusPhase { max_length, steps, data: "d".to_owned() };
    let objective = Objective::Pretraining(PretrainingObjective {
        loss: LmLoss::MaskedLmAndNextSentence,
        phases: [(128, 90), (512, 10)].map(phase).to_vec(),
        evaluation: Some(HeldOutEvaluation { data: "h".to_owned(), every: 5 }),
        masking: None,
        snapshots: Vec::new(),
        saving: None,
        logging_steps: 10,
    });
    RunSettings { optimization, objective, ..base }
}

/// What a run leaves that reached `score` on dev.
pub(crate) fn record(experiment: &str, settings: &RunSettings, score: Option<f64>) -> Record {
    Record {
        id: settings.id(),
        experiment: experiment.to_owned(),
        settings: settings.clone(),
        scores: vec![Score {
            metric: "accuracy".to_owned(),
            split: "dev".to_owned(),
            value: score,
            unit: "fraction".to_owned(),
            higher_is_better: true,
        }],
        evaluations: Vec::new(),
        steps: 1,
        skipped_steps: None,
        tokens: Tokens(1),
        timings: Timings::default(),
        peak_memory: Bytes(1),
        host: Host::default(),
        provenance: Provenance::default(),
        pretraining: None,
        files: BTreeMap::new(),
        notes: Vec::new(),
        outcome: Outcome::Task(TaskOutcome {
            benchmark: "mini".to_owned(),
            primary_metric: "accuracy".to_owned(),
            primary_split: "dev".to_owned(),
            majority: 0.5,
            ceiling: None,
            examples: BTreeMap::new(),
            windows: BTreeMap::new(),
            skipped_rows: BTreeMap::new(),
        }),
    }
}
