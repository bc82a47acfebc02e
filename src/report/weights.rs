//! Where the weights of a fine-tuned model come from, in words and in columns.

use super::run::Run;
use super::system::System;
use crate::store::{InitialWeights, Origin};

/// `random`, `checkpoint: FOLDER`, `pretrained: EXPERIMENT/MODEL`.
pub(crate) fn described(start: &InitialWeights) -> String {
    match start {
        InitialWeights::Random => "random".to_owned(),
        InitialWeights::Checkpoint { folder, hub, .. } => format!("checkpoint: {}", hub.as_ref().unwrap_or(folder)),
        InitialWeights::Pretraining { experiment, model, step, .. } => {
            let step = step.map_or_else(String::new, |step| format!(", step {step}"));
            format!("pretrained: {experiment}/{model}{step}")
        }
    }
}

/// The word of `results.csv`.
pub(crate) fn kind(start: &InitialWeights) -> &'static str {
    match start {
        InitialWeights::Random => "random",
        InitialWeights::Checkpoint { .. } => "checkpoint",
        InitialWeights::Pretraining { .. } => "pretraining",
    }
}

/// The pretraining that a system starts from, as the first of its records that tells.
pub(crate) fn pretraining<'a>(runs: &[Run<'a>], system: usize) -> Option<&'a Origin> {
    runs.iter().filter(|run| run.system == system).find_map(|run| run.record()?.pretraining.as_ref())
}

/// Whether tables must say where weights come from: some of these were pretrained by an experiment.
pub(crate) fn matter(systems: &[System]) -> bool {
    systems.iter().any(|system| matches!(system.initial_weights, InitialWeights::Pretraining { .. }))
}

/// The experiment, model, step and held-out perplexity of the pretraining that a run starts from; empty without.
pub(crate) fn columns(run: &Run<'_>) -> [String; 4] {
    let InitialWeights::Pretraining { experiment, model, step, .. } = &run.settings.initial_weights else {
        return Default::default();
    };
    let recorded = run.record().and_then(|record| record.pretraining.as_ref());
    let step = recorded.map(|pretraining| pretraining.step).or(*step);
    let perplexity = recorded.and_then(|pretraining| pretraining.evaluation.as_ref()?.value("perplexity"));
    [
        experiment.clone(),
        model.clone(),
        step.map(|step| step.to_string()).unwrap_or_default(),
        perplexity.map(|value| value.to_string()).unwrap_or_default(),
    ]
}
