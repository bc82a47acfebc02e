//! Every run: a table, and behind each row all its settings.

use super::pretraining_details;
use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::{grouped, readable_moment};
use crate::report::primary_metric::{PrimaryMetric, Unit};
use crate::report::run::{Run, State};
use crate::store::{Architecture, InitialWeights, Optimizer, PretrainingObjective, Record, RunSettings, Warmup};

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.runs.is_empty() {
        return Ok(pretraining_details::blocks(analysis));
    }
    let text = ["Run", "Task", "Model"].map(Column::text);
    let numbers = ["Batch", "Rate", "Epochs", "Seed", "Score", "Steps", "Wall", "Tokens/s"].map(Column::number);
    let columns = text.into_iter().chain(numbers).collect();
    let rows = analysis.runs.iter().map(|run| row(analysis, run)).collect();
    let mut blocks = vec![
        Block::paragraph("The id leads to the run's full settings, below the table."),
        Block::Table(Table { caption: "All runs of the plan".into(), columns, rows, interactive: true }),
        Block::heading("Settings of each run"),
    ];
    blocks.extend(analysis.runs.iter().map(|run| details(analysis, run)));
    blocks.extend(pretraining_details::blocks(analysis));
    Ok(blocks)
}

fn row(analysis: &Analysis<'_>, run: &Run<'_>) -> Vec<Cell> {
    let settings = run.settings;
    let mut row = vec![
        Cell::text(&run.id.0).link(&run.anchor),
        Cell::text(&analysis.tasks[run.task].label),
        Cell::text(&analysis.systems[run.system].label),
        Cell::number(settings.optimization.batch_size.to_string(), f64::from(settings.optimization.batch_size)),
        Cell::number(format!("{:e}", settings.optimization.learning_rate), settings.optimization.learning_rate),
        Cell::number(settings.epochs().to_string(), f64::from(settings.epochs())),
        Cell::number(settings.seed.to_string(), settings.seed as f64),
    ];
    row.extend(match run.state {
        State::Done(record) => done(analysis, run, record),
        State::Failed(failure) => {
            let mut cells = vec![Cell::text("failed").small(&failure.kind).title(&failure.cause).tone(Tone::Bad)];
            cells.extend((0..3).map(|_| Cell::absent("the run failed")));
            cells
        }
        State::Missing => {
            let mut cells = vec![Cell::text("not run").tone(Tone::Absent)];
            cells.extend((0..3).map(|_| Cell::absent("the run has no record")));
            cells
        }
    });
    row
}

fn done(analysis: &Analysis<'_>, run: &Run<'_>, record: &Record) -> Vec<Cell> {
    let primary_metric: Option<&PrimaryMetric> = analysis.primary_metrics[run.task].as_ref();
    let score = match primary_metric.and_then(|primary_metric| Some((primary_metric, primary_metric.score(run)?))) {
        Some((primary_metric, score)) => {
            let best = super::results::is_best(analysis, run);
            Cell::number(primary_metric.unit.shown(score), score).tone(if best { Tone::Best } else { Tone::Plain })
        }
        None => Cell::text("NaN").title("the run finished, but its score is not a number").tone(Tone::Bad),
    };
    let timings = &record.timings;
    vec![
        score,
        Cell::number(grouped(record.steps), record.steps as f64),
        Cell::number(timings.wall.to_string(), timings.wall.0),
        Cell::number(grouped(timings.tokens_per_second.max(0.0).round() as u64), timings.tokens_per_second),
    ]
}

fn details(analysis: &Analysis<'_>, run: &Run<'_>) -> Block {
    let (task, system) = (&analysis.tasks[run.task].label, &analysis.systems[run.system].label);
    let mut pairs = settings_pairs(run.settings);
    match run.state {
        State::Done(record) => pairs.extend(record_pairs(record)),
        State::Failed(failure) => {
            pairs.push(("failure".into(), format!("{}: {}", failure.kind, failure.cause)));
            pairs.push(("failed at".into(), readable_moment(failure.at_unix)));
        }
        State::Missing => pairs.push(("state".into(), "not run".into())),
    }
    let experiment = &analysis.input.experiments[run.experiment].name;
    pairs.insert(0, ("experiment".into(), experiment.clone()));
    let summary = format!("{} · {task} · {system} · {} · seed {}", run.id, run.point_label(), run.settings.seed);
    Block::Details { anchor: run.anchor.clone(), summary, pairs }
}

fn settings_pairs(settings: &RunSettings) -> Vec<(String, String)> {
    let training = &settings.optimization;
    let start = match &settings.initial_weights {
        InitialWeights::Random => "random, from the seed".to_owned(),
        InitialWeights::Checkpoint { folder, sha256, hub } => {
            format!("{} (SHA-256 {sha256})", hub.as_ref().unwrap_or(folder))
        }
        InitialWeights::Pretraining { experiment, model, run, step } => {
            let step = step.map_or_else(String::new, |step| format!(", step {step}"));
            format!("pretraining {experiment}, {model}{step} (run {run})")
        }
    };
    let mut pairs: Vec<(&str, String)> = vec![
        ("batch size", settings.optimization.batch_size.to_string()),
        ("learning rate", format!("{:e}", settings.optimization.learning_rate)),
        ("epochs", settings.epochs().to_string()),
        ("seed", settings.seed.to_string()),
        ("weights", start),
        ("architecture", architecture(&settings.architecture)),
        ("approach", settings.approach().to_string()),
        ("longest sequence", format!("{} tokens", settings.max_length())),
        ("warmup", warmup(training.warmup)),
        ("weight decay", training.weight_decay.to_string()),
        ("dropout", training.dropout.to_string()),
        ("maximum gradient norm", training.max_grad_norm.to_string()),
        ("gradient accumulation", training.gradient_accumulation_steps.to_string()),
        (
            optimizer_name(training.optimizer),
            format!("β1 {}, β2 {}, ε {:e}", training.adam_beta1, training.adam_beta2, training.adam_epsilon),
        ),
        ("precision", training.precision.to_string()),
        ("device", settings.device.clone()),
        ("lower case", if settings.vocabulary.lower_case { "yes" } else { "no" }.to_owned()),
        ("vocabulary SHA-256", settings.vocabulary.sha256.clone()),
        ("numerics version", settings.numerics_version.to_string()),
    ];
    if let Some(options) = settings.task_options() {
        let named = options.named().into_iter().map(|(name, value)| format!("{name} {value}"));
        pairs.push(("task settings", named.collect::<Vec<_>>().join(", ")));
    }
    let data = settings.task().into_iter().flat_map(|of| &of.data_sha256);
    let data = data.map(|(file, sum)| format!("{file} {sum}")).collect::<Vec<_>>().join("; ");
    pairs.push(("data SHA-256", if data.is_empty() { "none recorded".into() } else { data }));
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// All dimensions of an encoder.
pub(super) fn architecture(shape: &Architecture) -> String {
    format!(
        "{} layers, width {}, {} heads, feed-forward {}, vocabulary {}, {} positions, {} segments{}",
        shape.layers,
        shape.hidden,
        shape.heads,
        shape.intermediate,
        shape.vocab_size,
        shape.max_positions,
        shape.type_vocab_size,
        if shape.causal { ", left to right" } else { "" }
    )
}

pub(super) fn warmup(warmup: Warmup) -> String {
    match warmup {
        Warmup::Fraction(fraction) => format!("{fraction} of the steps"),
        Warmup::Steps(steps) => format!("{} steps", grouped(steps)),
    }
}

pub(super) fn optimizer_name(optimizer: Optimizer) -> &'static str {
    match optimizer {
        Optimizer::AdamW => "AdamW",
        Optimizer::BertAdam => "BERT's Adam",
    }
}

fn record_pairs(record: &Record) -> Vec<(String, String)> {
    let score = |score: &crate::store::Score| {
        let value = score.value.map_or_else(|| "NaN".to_owned(), |value| Unit::named(&score.unit).shown(value));
        format!("{} on {} {value}", score.metric, score.split)
    };
    let scores: Vec<String> = record.scores.iter().map(score).collect();
    let task = record.task();
    let examples = task.into_iter().flat_map(|of| &of.examples);
    let examples: Vec<String> = examples.map(|(split, count)| format!("{split} {}", grouped(*count))).collect();
    let host = &record.host;
    let provenance = &record.provenance;
    let mut pairs = vec![
        ("scores".to_owned(), scores.join("; ")),
        ("examples".to_owned(), examples.join("; ")),
        ("tokens".to_owned(), grouped(record.tokens.0)),
        ("peak memory".to_owned(), record.peak_memory.to_string()),
        ("host".to_owned(), format!("{}, {} ({} threads of {})", host.name, host.cpu, host.threads, host.cores)),
        (
            "time".to_owned(),
            format!("{} to {}", readable_moment(provenance.started_unix), readable_moment(provenance.finished_unix)),
        ),
    ];
    if let Some(pretraining) = &record.pretraining {
        let of = format!(
            "{} of {} steps",
            grouped(pretraining.step),
            grouped(pretraining.objective().map_or(0, PretrainingObjective::steps))
        );
        pairs.push(("pretraining".to_owned(), format!("{of}; weights SHA-256 {}", pretraining.weights_sha256)));
    }
    if let Some(rows) = task.map(|of| &of.skipped_rows).filter(|rows| !rows.is_empty()) {
        let skipped: Vec<String> = rows.iter().map(|(file, rows)| format!("{file} {rows}")).collect();
        pairs.push(("rows skipped".to_owned(), skipped.join("; ")));
    }
    pairs
}
