//! `results.csv`: a row per finished run and score.

use super::Error;
use super::analysis::Analysis;
use super::objective::names;
use super::phrase::moment;
use super::run::Run;
use super::weights;
use crate::settings::Masking;
use crate::store::{Architecture, CorpusPhase, PretrainingObjective, Record, Score};

struct Row<'r> {
    analysis: &'r Analysis<'r>,
    run: &'r Run<'r>,
    record: &'r Record,
    score: &'r Score,
}

/// A column: its name and a row's value.
type Column = (&'static str, fn(&Row<'_>) -> String);

/// All columns. What depends on the machine and the moment comes after the scores, so that two equal
/// sweeps' files agree in every column before `wall_seconds`. Where the weights came from, dimensions and what concerns
/// pretraining follow; what does not apply to a run is empty. Floats are in their shortest form that reads back exactly; a
/// score that is not a number is `NaN`.
const COLUMNS: [Column; 39] = [
    ("experiment", |of| of.analysis.input.experiments[of.run.experiment].name.clone()),
    ("task", |of| of.run.settings.task_name().to_owned()),
    ("model", |of| of.run.settings.model.clone()),
    ("run", |of| of.run.id.0.clone()),
    ("batch_size", |of| of.run.settings.optimization.batch_size.to_string()),
    ("learning_rate", |of| of.run.settings.optimization.learning_rate.to_string()),
    ("epochs", |of| of.run.settings.task().map(|of| of.epochs.to_string()).unwrap_or_default()),
    ("seed", |of| of.run.settings.seed.to_string()),
    ("split", |of| of.score.split.clone()),
    ("metric", |of| of.score.metric.clone()),
    ("value", |of| of.score.value.unwrap_or(f64::NAN).to_string()),
    ("unit", |of| of.score.unit.clone()),
    ("direction", |of| if of.score.higher_is_better { "higher" } else { "lower" }.to_owned()),
    ("steps", |of| of.record.steps.to_string()),
    ("tokens", |of| of.record.tokens.0.to_string()),
    ("wall_seconds", |of| of.record.timings.wall.0.to_string()),
    ("tokens_per_second", |of| of.record.timings.tokens_per_second.to_string()),
    ("peak_memory_bytes", |of| of.record.peak_memory.0.to_string()),
    ("host", |of| of.record.host.name.clone()),
    ("started", |of| moment(of.record.provenance.started_unix)),
    ("start", |of| weights::kind(&of.run.settings.initial_weights).to_owned()),
    ("pretraining_experiment", |of| weights::columns(of.run)[0].clone()),
    ("pretraining_model", |of| weights::columns(of.run)[1].clone()),
    ("pretraining_step", |of| weights::columns(of.run)[2].clone()),
    ("pretraining_perplexity", |of| weights::columns(of.run)[3].clone()),
    ("layers", |of| shape(of).layers.to_string()),
    ("hidden", |of| shape(of).hidden.to_string()),
    ("heads", |of| shape(of).heads.to_string()),
    ("intermediate", |of| shape(of).intermediate.to_string()),
    ("vocab_size", |of| shape(of).vocab_size.to_string()),
    ("parameters", |of| shape(of).parameters().to_string()),
    ("loss", |of| pretraining(of, |of| names(of.loss).words.to_owned())),
    ("masked_lm_prob", |of| masking(of, |of| of.masked_lm_prob.to_string())),
    ("mask_prob", |of| masking(of, |of| of.mask_prob.to_string())),
    ("keep_prob", |of| masking(of, |of| of.keep_prob.to_string())),
    ("random_prob", |of| masking(of, |of| of.random_prob.to_string())),
    ("whole_word", |of| masking(of, |of| of.whole_word.to_string())),
    ("phases", |of| pretraining(of, phases)),
    ("weights_sha256", |of| of.record.weights_sha256(of.record.steps).unwrap_or_default().to_owned()),
];

fn shape<'r>(of: &Row<'r>) -> &'r Architecture {
    &of.run.settings.architecture
}

fn pretraining(of: &Row<'_>, shown: fn(&PretrainingObjective) -> String) -> String {
    of.run.settings.pretraining().map(shown).unwrap_or_default()
}

fn masking(of: &Row<'_>, shown: fn(&Masking) -> String) -> String {
    let masking = of.run.settings.pretraining().and_then(|of| of.masking.as_ref());
    masking.map(shown).unwrap_or_default()
}

fn phases(of: &PretrainingObjective) -> String {
    let phase = |phase: &CorpusPhase| format!("{}x{}", phase.steps, phase.max_length);
    of.phases.iter().map(phase).collect::<Vec<_>>().join("+")
}

/// The names of the columns.
#[must_use]
pub fn result_columns() -> Vec<&'static str> {
    COLUMNS.map(|(name, _)| name).to_vec()
}

/// All rows, in the report's order of runs and each record's order of scores.
pub(crate) fn render(analysis: &Analysis<'_>) -> Result<Vec<u8>, Error> {
    let runs = analysis.all_runs().filter_map(|run| Some((run, run.record()?)));
    let rows = runs.flat_map(|(run, record)| {
        let row = move |score| COLUMNS.map(|(_, value)| value(&Row { analysis, run, record, score }));
        record.scores.iter().map(row)
    });
    csv_of(&result_columns(), rows)
}

/// A head and rows as CSV.
pub(super) fn csv_of<const N: usize>(head: &[&str], rows: impl Iterator<Item = [String; N]>) -> Result<Vec<u8>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(head)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| Error::Csv(error.into_error().into()))
}
