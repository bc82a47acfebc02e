//! `pretraining.csv`: a row per pretraining run.

use super::Error;
use super::analysis::Analysis;
use super::objective::names;
use super::phrase::moment;
use super::pretraining::{PretrainRun, PretrainState};
use super::system::parameters;
use super::weights;
use crate::store::{Optimization, Warmup};

/// The columns. As in `results.csv`, what depends on the machine and the moment comes last.
pub const PRETRAINING_COLUMNS: [&str; 37] = [
    "experiment",
    "model",
    "run",
    "state",
    "start",
    "layers",
    "hidden",
    "heads",
    "intermediate",
    "vocab_size",
    "parameters",
    "objective",
    "masked_share",
    "mask",
    "same",
    "random",
    "whole_words",
    "phases",
    "batch_size",
    "learning_rate",
    "warmup_steps",
    "seed",
    "steps_planned",
    "steps",
    "tokens",
    "evaluated_step",
    "loss",
    "perplexity",
    "mlm_accuracy",
    "nsp_accuracy",
    "predictions",
    "weights_sha256",
    "wall_seconds",
    "tokens_per_second",
    "peak_memory_bytes",
    "host",
    "started",
];

/// All rows, in the report's order; empty where there is nothing to tell.
pub(crate) fn render(analysis: &Analysis<'_>) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(PRETRAINING_COLUMNS)?;
    for run in &analysis.pretraining {
        let mut row = settings(&analysis.input.pretraining[run.experiment].name, run);
        row.extend(outcome(run));
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| Error::Csv(error.into_error().into()))
}

/// The word for what became of a run.
pub(crate) fn state(run: &PretrainRun<'_>) -> &'static str {
    match run.state {
        PretrainState::Done(_) => "done",
        PretrainState::Failed(_) => "failed",
        PretrainState::Missing if run.last_step().is_some() => "not finished",
        PretrainState::Missing => "missing",
    }
}

fn settings(experiment: &str, run: &PretrainRun<'_>) -> Vec<String> {
    let settings = run.settings;
    let shape = &settings.architecture;
    let masking =
        |read: fn(&crate::store::Masking) -> String| run.objective.masking.as_ref().map(read).unwrap_or_default();
    let phases: Vec<String> =
        run.objective.phases.iter().map(|phase| format!("{}x{}", phase.steps, phase.max_length)).collect();
    vec![
        experiment.to_owned(),
        settings.model.clone(),
        run.id.0.clone(),
        state(run).to_owned(),
        weights::kind(&settings.initial_weights).to_owned(),
        shape.layers.to_string(),
        shape.hidden.to_string(),
        shape.heads.to_string(),
        shape.intermediate.to_string(),
        shape.vocab_size.to_string(),
        parameters(shape).to_string(),
        names(run.objective.loss).words.to_owned(),
        masking(|masking| masking.masked_lm_prob.to_string()),
        masking(|masking| masking.mask_prob.to_string()),
        masking(|masking| masking.keep_prob.to_string()),
        masking(|masking| masking.random_prob.to_string()),
        masking(|masking| masking.whole_word.to_string()),
        phases.join("+"),
        settings.optimization.batch_size.to_string(),
        settings.optimization.learning_rate.to_string(),
        warmup_steps(&settings.optimization),
        settings.seed.to_string(),
        run.objective.steps().to_string(),
    ]
}

/// Empty where the warmup is not in steps.
fn warmup_steps(of: &Optimization) -> String {
    match of.warmup {
        Warmup::Steps(steps) => steps.to_string(),
        Warmup::Fraction(_) => String::new(),
    }
}

fn outcome(run: &PretrainRun<'_>) -> Vec<String> {
    let evaluations = run.evaluations();
    let (last, record) = (evaluations.last(), run.record());
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let whole = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    vec![
        whole(run.last_step()),
        whole(record.map(|record| record.tokens.0)),
        whole(last.map(|scores| scores.step)),
        number(last.and_then(|scores| scores.value("mlm_loss"))),
        number(last.and_then(|scores| scores.value("perplexity"))),
        number(last.and_then(|scores| scores.value("mlm_accuracy"))),
        number(last.and_then(|scores| scores.value("nsp_accuracy"))),
        whole(last.and_then(|scores| scores.held_out).map(|of| of.predictions)),
        record.and_then(|record| record.weights_sha256(record.steps)).unwrap_or_default().to_owned(),
        number(record.map(|record| record.timings.wall.0)),
        number(run.tokens_per_second()),
        whole(record.map(|record| record.peak_memory.0)),
        record.map(|record| record.host.name.clone()).unwrap_or_default(),
        record.map(|record| moment(record.provenance.started_unix)).unwrap_or_default(),
    ]
}
