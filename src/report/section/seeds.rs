//! With several seeds: how much of a score is luck.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::group::Group;
use crate::report::primary_metric::PrimaryMetric;
use crate::report::run::point_label;
use crate::stats;

/// Why there is neither a deviation nor an interval.
const FEW: &str = "fewer than two seeds have a score";

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.seeds() < 2 {
        return Ok(Vec::new());
    }
    let text = "Mean ± sample standard deviation (n − 1) over the seeds of each point, with the mean's 95 % interval by \
                Student's t; then the best point of each single seed.";
    Ok(vec![Block::paragraph(text), Block::Table(points_table(analysis)), Block::Table(best_table(analysis))])
}

fn judged<'a>(analysis: &'a Analysis<'_>) -> impl Iterator<Item = (&'a Group<'a>, &'a PrimaryMetric)> {
    analysis.groups.iter().filter_map(|group| Some((group, analysis.primary_metrics[group.task].as_ref()?)))
}

fn points_table(analysis: &Analysis<'_>) -> Table {
    let mut rows = Vec::new();
    for (group, primary_metric) in judged(analysis) {
        for (at, point) in group.points.iter().enumerate() {
            let scores: Vec<f64> =
                point.runs.iter().filter_map(|run| primary_metric.score(&analysis.runs[*run])).collect();
            let label = Cell::text(point_label(point.settings));
            let mut row = vec![
                Cell::text(&analysis.tasks[group.task].label),
                Cell::text(&analysis.systems[group.system].label),
                if group.best == Some(at) { label.small("chosen").tone(Tone::Best) } else { label },
                Cell::number(format!("{} of {}", scores.len(), point.runs.len()), scores.len() as f64),
            ];
            let unit = primary_metric.unit;
            row.push(Cell::known(stats::mean(&scores), "no seed has a score", |mean| unit.shown(mean)));
            row.push(Cell::known(stats::sample_sd(&scores), FEW, |sd| unit.shown(sd)));
            row.push(Cell::interval(stats::t_interval(&scores, 0.95), FEW, |interval| unit.range(interval)));
            rows.push(row);
        }
    }
    let texts = ["Task", "Model", "Batch × rate × epochs"];
    let columns = Column::list(&texts, &["Seeds", "Mean", "± sd", "95 % interval"]);
    Table { caption: "Each point over its seeds".into(), columns, rows, interactive: true }
}

fn best_table(analysis: &Analysis<'_>) -> Table {
    let rows = judged(analysis)
        .map(|(group, primary_metric)| {
            let unit = primary_metric.unit;
            let seeds = group.seeds.iter();
            let shown: Vec<String> = seeds.map(|seed| format!("{}: {}", seed.seed, unit.shown(seed.value))).collect();
            let over = group.over_seeds().map_or_else(
                || Cell::absent(FEW),
                |(mean, sd)| Cell::number(format!("{} ± {}", unit.shown(mean), unit.shown(sd)), mean),
            );
            vec![
                Cell::text(&analysis.tasks[group.task].label),
                Cell::text(&analysis.systems[group.system].label),
                over,
                Cell::number(group.seeds.len().to_string(), group.seeds.len() as f64),
                if shown.is_empty() { Cell::absent("no seed has a score") } else { Cell::text(shown.join(" · ")) },
            ]
        })
        .collect();
    let mut columns = Column::list(&["Task", "Model"], &["Mean ± sd", "n"]);
    columns.push(Column::text("Seed: best score"));
    Table { caption: "The best point of each seed".into(), columns, rows, interactive: false }
}
