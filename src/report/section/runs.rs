//! Every run: a table, and behind each row all its settings.

use super::pretraining::shown_perplexity;
use super::run_details::details;
use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::grouped;
use crate::report::run::{Run, State};
use crate::store::Record;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.all_runs().next().is_none() {
        return Ok(Vec::new());
    }
    let text = ["Run", "Task", "Model"].map(Column::text);
    let numbers =
        ["Batch", "Learning rate", "Epochs", "Seed", "Score", "Steps", "Time", "Tokens/s"].map(Column::number);
    let columns = text.into_iter().chain(numbers).collect();
    let rows = analysis.all_runs().map(|run| row(analysis, run)).collect();
    let mut blocks = vec![
        Block::paragraph(
            "Each id links to the run's full settings below the table. The score of pretraining is perplexity.",
        ),
        Block::Table(Table { caption: "All runs of the plan".into(), columns, rows, interactive: true }),
        Block::heading("Settings of each run"),
    ];
    blocks.extend(analysis.all_runs().map(|run| details(analysis, run)));
    Ok(blocks)
}

fn row(analysis: &Analysis<'_>, run: &Run<'_>) -> Vec<Cell> {
    let (settings, of) = (run.settings, &run.settings.optimization);
    let mut row = vec![
        Cell::text(&run.id.0).link(&run.anchor),
        Cell::text(analysis.task_label(run)),
        Cell::text(&run.label),
        Cell::number(of.batch_size.to_string(), f64::from(of.batch_size)),
        Cell::number(format!("{:e}", of.learning_rate), of.learning_rate),
        match settings.task() {
            Some(task) => Cell::number(task.epochs.to_string(), f64::from(task.epochs)),
            None => Cell::absent("counted in steps"),
        },
        Cell::number(settings.seed.to_string(), settings.seed as f64),
    ];
    let (first, why) = match run.state {
        State::Done(record) => {
            row.extend(done(analysis, run, record));
            return row;
        }
        State::Failed(failure) => {
            (Cell::text("failed").small(&failure.kind).title(&failure.cause).tone(Tone::Bad), "the run failed")
        }
        State::Missing => (Cell::text(run.state_name()).tone(Tone::Absent), run.state_name()),
    };
    row.push(first);
    row.extend((0..3).map(|_| Cell::absent(why)));
    row
}

fn done(analysis: &Analysis<'_>, run: &Run<'_>, record: &Record) -> Vec<Cell> {
    let nan = || Cell::text("NaN").title("the run finished, but its score is not a number").tone(Tone::Bad);
    let score = match run.task {
        Some(task) => {
            let scored = analysis.primary_metrics[task].as_ref().and_then(|metric| Some((metric, metric.score(run)?)));
            let best = super::results::is_best(analysis, run);
            scored.map_or_else(nan, |(metric, score)| {
                Cell::number(metric.unit.shown(score), score).tone(if best { Tone::Best } else { Tone::Plain })
            })
        }
        None if record.evaluations.is_empty() => Cell::absent("not evaluated"),
        None => record.primary_score().map_or_else(nan, |score| Cell::number(shown_perplexity(score), score)),
    };
    let timings = &record.timings;
    vec![
        score,
        Cell::number(grouped(record.steps), record.steps as f64),
        Cell::number(timings.wall.to_string(), timings.wall.0),
        Cell::number(grouped(timings.tokens_per_second.max(0.0).round() as u64), timings.tokens_per_second),
    ]
}
