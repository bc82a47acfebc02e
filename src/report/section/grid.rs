//! A heatmap of the sweep for each task and model.

use std::collections::BTreeSet;

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Figure};
use crate::report::file_name::file_name;
use crate::report::group::{Group, Point};
use crate::report::plot::{self, Heatmap, Tile};
use crate::report::primary_metric::PrimaryMetric;
use crate::report::run::State;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    // A single point is no grid.
    let drawn = |group: &&Group<'_>| group.points.len() > 1 && group.spread.is_some();
    if !analysis.groups.iter().any(|group| drawn(&group)) {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::paragraph(
        "Dev score × 100 of every point; rows are epochs · batch size, columns are learning rates. The frame marks the \
         chosen point. One colour scale per task, shared by its models: the better a score, the more it stands out.",
    )];
    for task in 0..analysis.tasks.len() {
        let mut figures = Vec::new();
        for group in analysis.groups.iter().filter(|group| group.task == task).filter(drawn) {
            figures.extend(figure(analysis, group)?);
        }
        if !figures.is_empty() {
            blocks.push(Block::heading(&analysis.tasks[task].label));
            blocks.push(Block::Figures(figures));
        }
    }
    Ok(blocks)
}

fn figure(analysis: &Analysis<'_>, group: &Group<'_>) -> Result<Option<Figure>, Error> {
    let Some(primary_metric) = &analysis.primary_metrics[group.task] else { return Ok(None) };
    let (task, system) = (&analysis.tasks[group.task].label, &analysis.systems[group.system].label);
    let signed_scores: Vec<f64> = analysis
        .groups
        .iter()
        .filter(|other| other.task == group.task)
        .flat_map(|other| {
            other.points.iter().filter_map(|point| Some(primary_metric.signed_score(point.score.as_ref()?.mean)))
        })
        .collect();
    let low = signed_scores.iter().copied().fold(f64::INFINITY, f64::min);
    let high = signed_scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut rates: Vec<f64> = group.points.iter().map(|point| point.settings.optimization.learning_rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup_by(|a, b| a.to_bits() == b.to_bits());
    let rows: Vec<(u32, u32)> = group.points.iter().map(row_of).collect::<BTreeSet<_>>().into_iter().collect();
    let tiles = tiles(analysis, group, primary_metric, &rows, &rates, (low, high));
    let range = [low, high].map(|end| primary_metric.unit.shown(primary_metric.signed_score(end)));
    let description = format!(
        "Heatmap of {} for {system} on {task}: {} learning rates by {} rows of epochs and batch size; \
         scores from {} to {}. The numbers are in the table of all runs.",
        primary_metric.metric_name(),
        rates.len(),
        rows.len(),
        range[0],
        range[1]
    );
    let drawing = plot::heatmap(&Heatmap {
        description: &description,
        title: system,
        columns: ("learning rate", rates.iter().map(|rate| format!("{rate:e}")).collect()),
        rows: ("epochs · batch", rows.iter().map(|(epochs, batch)| format!("{epochs} · {batch}")).collect()),
        tiles,
        range,
    })?;
    let caption = format!("{task}, {system}: {}", primary_metric.described());
    Ok(Some(Figure::new(file_name(&["grid", task, system]), caption, drawing)))
}

fn row_of(point: &Point<'_>) -> (u32, u32) {
    (point.settings.epochs(), point.settings.optimization.batch_size)
}

/// A tile for every place of the grid. Where several points share a place (they differ in a setting
/// that the sweep does not vary), the chosen or else the better one is shown, with an asterisk.
fn tiles(
    analysis: &Analysis<'_>,
    group: &Group<'_>,
    primary_metric: &PrimaryMetric,
    rows: &[(u32, u32)],
    rates: &[f64],
    (low, high): (f64, f64),
) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for (row, key) in rows.iter().enumerate() {
        for (column, rate) in rates.iter().enumerate() {
            let here: Vec<(usize, &Point<'_>)> = group
                .points
                .iter()
                .enumerate()
                .filter(|(_, p)| row_of(p) == *key && p.settings.optimization.learning_rate.to_bits() == rate.to_bits())
                .collect();
            let signed_score =
                |point: &Point<'_>| point.score.as_ref().map(|score| primary_metric.signed_score(score.mean));
            let shown = here.iter().max_by(|(i, a), (j, b)| {
                let key =
                    |at: &usize, p: &Point<'_>| (group.best == Some(*at), signed_score(p).unwrap_or(f64::NEG_INFINITY));
                let (a, b) = (key(i, a), key(j, b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            });
            let many = if here.len() > 1 { "*" } else { "" };
            let Some((at, point)) = shown else {
                let (place, text) = ((row, column), "not planned".into());
                tiles.push(Tile { place, text, level: None, best: false, failed: false });
                continue;
            };
            let range = high - low;
            let level = signed_score(point).map(|score| if range > 0.0 { (score - low) / range } else { 0.5 });
            let (word, failed) = word(analysis, point);
            let score = point.score.as_ref();
            let text = score.map_or_else(|| word.to_owned(), |score| primary_metric.unit.shown(score.mean) + many);
            tiles.push(Tile { place: (row, column), text, level, best: group.best == Some(*at), failed });
        }
    }
    tiles
}

/// What is printed for a point without a score, and whether that is a failure.
fn word(analysis: &Analysis<'_>, point: &Point<'_>) -> (&'static str, bool) {
    let states = || point.runs.iter().map(|run| &analysis.runs[*run].state);
    if states().any(|state| matches!(state, State::Failed(_))) {
        ("failed", true)
    } else if states().any(|state| matches!(state, State::Done(_))) {
        ("NaN", true)
    } else {
        ("not run", false)
    }
}
