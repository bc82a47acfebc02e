//! The paper's figures for the tasks of this report, when these are on the published data.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::counted;
use crate::report::primary_metric::metric_name;
use crate::report::published::{self, Published};
use crate::report::system::System;
use crate::stats::Interval;
use crate::store::InitialWeights;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut rows = Vec::new();
    for task in &analysis.tasks {
        for figure in published::of_task(&task.benchmark, &task.name) {
            rows.push(vec![
                Cell::text(&task.label),
                Cell::text(figure.system),
                Cell::text(metric_name(figure.metric)),
                Cell::text(figure.split),
                Cell::number(figure.value, figure.value.parse().unwrap_or(f64::NAN)),
                Cell::text(figure.source),
            ]);
        }
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut columns = Column::list(&["Task", "System", "Metric", "Split"], &["Score"]);
    columns.push(Column::text("Source"));
    let text = "Test results are scored against labels that are not public, for most benchmarks on a server. The scores of this \
                report are measured on dev and are not directly comparable with them.";
    let table = Table { caption: "Published results".into(), columns, rows, interactive: true };
    let mut blocks = vec![Block::paragraph(text)];
    blocks.extend(beside_ours(analysis).map(Block::Table));
    blocks.push(Block::Table(table));
    Ok(blocks)
}

/// Figures on dev beside our scores of models of the same dimensions on the same data, metric and split.
fn beside_ours(analysis: &Analysis<'_>) -> Option<Table> {
    let mut rows = Vec::new();
    for group in &analysis.groups {
        let (task, system) = (&analysis.tasks[group.task], &analysis.systems[group.system]);
        let (Some(metric), Some(name), Some(score)) =
            (analysis.primary_metrics[group.task].as_ref(), published_name(system), group.best_score())
        else {
            continue;
        };
        let same = |figure: &Published| figure.metric == metric.metric && figure.split == metric.split_name();
        let own = |figure: &Published| figure.system.split(',').next() == Some(name) && same(figure);
        for figure in published::of_task(&task.benchmark, &task.name).into_iter().filter(own) {
            let Ok(expected) = figure.value.parse::<f64>() else { continue };
            let found = group.interval.map(|interval| metric.unit.range(interval));
            let unknown = "the runs have no answers to single examples";
            rows.push(vec![
                Cell::text(&task.label).small(format!("{}, {}", metric.metric_name(), figure.split)),
                Cell::text(&system.label),
                Cell::number(figure.value, expected).small(format!("{}, {}", figure.system, figure.source)),
                Cell::number(metric.unit.shown(score.mean), score.mean),
                found.map_or_else(|| Cell::absent(unknown), Cell::text),
                group.interval.map_or_else(|| Cell::absent(unknown), |interval| verdict(expected, interval)),
                Cell::text(counted(group.points.len(), "point")).small(counted(score.seeds, "seed")),
            ]);
        }
    }
    let mut columns = Column::list(&["Task", "Model"], &["Published", "Ours", "95 % interval"]);
    columns.extend(["Verdict", "Behind it"].map(Column::text));
    let caption = "Published figures on dev beside ours".to_owned();
    (!rows.is_empty()).then_some(Table { caption, columns, rows, interactive: false })
}

/// What the paper calls a fine-tuned model of these dimensions, when that is one of its two.
fn published_name(system: &System) -> Option<&'static str> {
    if !system.approach.is_fine_tuning() || matches!(system.initial_weights, InitialWeights::Random) {
        return None;
    }
    match (system.architecture.layers, system.architecture.hidden) {
        (12, 768) => Some("BERT-base"),
        (24, 1024) => Some("BERT-large"),
        _ => None,
    }
}

/// Whether a figure, which is rounded to one decimal, lies in the interval of ours.
fn verdict(expected: f64, Interval { low, high }: Interval) -> Cell {
    match expected {
        below if below < 100.0 * low - 0.05 => Cell::text("ours is higher"),
        above if above > 100.0 * high + 0.05 => Cell::text("ours is lower").tone(Tone::Bad),
        _ => Cell::text("consistent").tone(Tone::Best),
    }
}
