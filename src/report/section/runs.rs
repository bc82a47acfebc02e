//! Every run: a table, and behind each row all its settings.

use std::collections::BTreeMap;

use super::pretraining::perplexity_cell;
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
    let pages = run_pages(analysis);
    if pages.is_empty() {
        return Ok(table_and_details(analysis, &analysis.all_runs().collect::<Vec<_>>(), "All runs of the plan"));
    }
    let row = |(page, runs): (&str, Vec<&Run<'_>>)| {
        let done = runs.iter().filter(|run| run.record().is_some()).count();
        let task = Cell::text(analysis.task_label(runs[0])).link(page);
        vec![task, Cell::text(&runs[0].label), Cell::count(runs.len()), Cell::count(done)]
    };
    let columns = Column::list(&["Task", "Model"], &["Runs", "Done"]);
    let rows = pages.into_iter().map(row).collect();
    let caption = "A page for the runs of each model on each task".into();
    Ok(vec![
        Block::paragraph(
            "Each page has a table of its runs, and the full settings of each; `results.csv` has all in one.",
        ),
        Block::Table(Table { caption, columns, rows, interactive: false }),
    ])
}

/// The pages that a report of many runs has for them, in the order of the report, and which runs each has.
pub(in crate::report) fn run_pages<'r, 'a>(analysis: &'r Analysis<'a>) -> Vec<(&'r str, Vec<&'r Run<'a>>)> {
    let mut pages: Vec<(&str, Vec<&Run<'_>>)> = Vec::new();
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for run in analysis.all_runs() {
        let Some(page) = run.page.as_deref() else { continue };
        let at = *known.entry(page).or_insert(pages.len());
        if at == pages.len() {
            pages.push((page, Vec::new()));
        }
        pages[at].1.push(run);
    }
    pages
}

/// A table of runs, and behind each row all settings.
pub(in crate::report) fn table_and_details(analysis: &Analysis<'_>, runs: &[&Run<'_>], caption: &str) -> Vec<Block> {
    let numbers = ["Batch", "Learning rate", "Epochs", "Seed", "Score", "Steps", "Time", "Tokens/s"];
    let columns = Column::list(&["Run", "Task", "Model"], &numbers);
    let rows = runs.iter().map(|run| row(analysis, run)).collect();
    let mut blocks = vec![
        Block::paragraph(
            "Each id links to the run's full settings below the table. The score of pretraining is perplexity.",
        ),
        Block::Table(Table { caption: caption.into(), columns, rows, interactive: true }),
        Block::heading("Settings of each run"),
    ];
    blocks.extend(runs.iter().map(|run| details(analysis, run)));
    blocks
}

fn row(analysis: &Analysis<'_>, run: &Run<'_>) -> Vec<Cell> {
    let (settings, of) = (run.settings, &run.settings.optimization);
    let mut row = vec![
        Cell::text(&run.id.0).link(format!("#{}", run.anchor)),
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
        None => perplexity_cell(&record.scores),
    };
    let timings = &record.timings;
    vec![
        score,
        Cell::count(record.steps as usize),
        Cell::number(timings.wall.to_string(), timings.wall.0),
        Cell::number(grouped(timings.tokens_per_second.max(0.0).round() as u64), timings.tokens_per_second),
    ]
}
