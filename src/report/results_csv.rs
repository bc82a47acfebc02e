//! `results.csv`: a row per finished run and score.

use super::Error;
use super::analysis::Analysis;
use super::objective::names;
use super::phrase::moment;
use super::run::Run;
use super::weights;
use crate::settings::Masking;
use crate::store::{CorpusPhase, PretrainingObjective, Record, Score};

/// The columns. What depends on the machine and the moment comes after the scores, so that two equal sweeps' files agree
/// in every column before `wall_seconds`. Where the weights came from, dimensions and what concerns pretraining follow;
/// what does not apply to a run is empty.
pub const COLUMNS: [&str; 39] = [
    "experiment",
    "task",
    "model",
    "run",
    "batch_size",
    "learning_rate",
    "epochs",
    "seed",
    "split",
    "metric",
    "value",
    "unit",
    "direction",
    "steps",
    "tokens",
    "wall_seconds",
    "tokens_per_second",
    "peak_memory_bytes",
    "host",
    "started",
    "start",
    "pretraining_experiment",
    "pretraining_model",
    "pretraining_step",
    "pretraining_perplexity",
    "layers",
    "hidden",
    "heads",
    "intermediate",
    "vocab_size",
    "parameters",
    "loss",
    "masked_lm_prob",
    "mask_prob",
    "keep_prob",
    "random_prob",
    "whole_word",
    "phases",
    "weights_sha256",
];

/// All rows, in the report's order of runs and each record's order of scores.
pub(crate) fn render(analysis: &Analysis<'_>) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for run in analysis.all_runs() {
        let Some(record) = run.record() else { continue };
        for score in &record.scores {
            writer.write_record(row(analysis, run, record, score))?;
        }
    }
    writer.into_inner().map_err(|error| Error::Csv(error.into_error().into()))
}

/// Floats in their shortest form that reads back exactly; a score that is not a number as `NaN`.
fn row(analysis: &Analysis<'_>, run: &Run<'_>, record: &Record, score: &Score) -> [String; COLUMNS.len()] {
    let settings = run.settings;
    let [experiment, model, step, perplexity] = weights::columns(run);
    let shape = &settings.architecture;
    let pretraining = settings.pretraining();
    let phase = |phase: &CorpusPhase| format!("{}x{}", phase.steps, phase.max_length);
    let phases = |of: &PretrainingObjective| of.phases.iter().map(phase).collect::<Vec<_>>().join("+");
    let masking =
        |read: fn(&Masking) -> String| pretraining.and_then(|of| Some(read(of.masking.as_ref()?))).unwrap_or_default();
    [
        analysis.input.experiments[run.experiment].name.clone(),
        settings.task_name().to_owned(),
        settings.model.clone(),
        run.id.0.clone(),
        settings.optimization.batch_size.to_string(),
        settings.optimization.learning_rate.to_string(),
        settings.task().map(|of| of.epochs.to_string()).unwrap_or_default(),
        settings.seed.to_string(),
        score.split.clone(),
        score.metric.clone(),
        score.value.unwrap_or(f64::NAN).to_string(),
        score.unit.clone(),
        if score.higher_is_better { "higher" } else { "lower" }.to_owned(),
        record.steps.to_string(),
        record.tokens.0.to_string(),
        record.timings.wall.0.to_string(),
        record.timings.tokens_per_second.to_string(),
        record.peak_memory.0.to_string(),
        record.host.name.clone(),
        moment(record.provenance.started_unix),
        weights::kind(&settings.initial_weights).to_owned(),
        experiment,
        model,
        step,
        perplexity,
        shape.layers.to_string(),
        shape.hidden.to_string(),
        shape.heads.to_string(),
        shape.intermediate.to_string(),
        shape.vocab_size.to_string(),
        shape.parameters().to_string(),
        pretraining.map(|of| names(of.loss).words.to_owned()).unwrap_or_default(),
        masking(|of| of.masked_lm_prob.to_string()),
        masking(|of| of.mask_prob.to_string()),
        masking(|of| of.keep_prob.to_string()),
        masking(|of| of.random_prob.to_string()),
        masking(|of| of.whole_word.to_string()),
        pretraining.map(phases).unwrap_or_default(),
        record.weights_sha256(record.steps).unwrap_or_default().to_owned(),
    ]
}
