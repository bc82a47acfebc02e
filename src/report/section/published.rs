//! The paper's figures for the tasks of this report, when these are on the published data.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table};
use crate::report::primary_metric::metric_name;
use crate::report::published;

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
    let [task, system, metric, split] = ["Task", "System", "Metric", "Split"].map(Column::text);
    let columns = vec![task, system, metric, split, Column::number("Score"), Column::text("Source")];
    let text = "Test results are scored against labels that are not public, for most benchmarks on a server. The scores of this \
                report are measured on dev and are not directly comparable with them.";
    let table = Table { caption: "Published results".into(), columns, rows, interactive: true };
    Ok(vec![Block::paragraph(text), Block::Table(table)])
}
