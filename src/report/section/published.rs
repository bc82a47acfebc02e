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
    let text = "Figures marked test come from labels that are not public, for most benchmarks from their servers; the scores of \
                this report that are measured on dev are not the same thing.";
    let table = Table { caption: "Published figures".into(), columns, rows, interactive: true };
    Ok(vec![Block::paragraph(text), Block::Table(table)])
}
