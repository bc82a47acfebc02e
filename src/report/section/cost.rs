//! What the models cost: speed, time and memory.

use crate::report::Error;
use crate::report::aggregates::Cost;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table};
use crate::report::phrase::{grouped, millions, percent};
use crate::units::{Bytes, Seconds};

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.costs.is_empty() {
        return Ok(Vec::new());
    }
    let text = "Medians over the finished runs of each model, all tasks together. Tokens per second count training only \
                (forward, backward and optimizer). Shares are of wall time; the rest is bertbench's own overhead.";
    let titles = ["Parameters", "Runs", "Tokens/s", "Time per run", "Time, all runs", "Peak memory"];
    let shares = ["Setup", "Forward", "Backward", "Optimizer", "Evaluation", "Rest"];
    let columns = Column::list(&["Model"], &[&titles[..], &shares].concat());
    let rows = analysis.costs.iter().map(|cost| row(analysis, cost)).collect();
    let table = Table { caption: "Speed, time and memory".into(), columns, rows, interactive: false };
    Ok(vec![Block::paragraph(text), Block::Table(table)])
}

fn row(analysis: &Analysis<'_>, cost: &Cost) -> Vec<Cell> {
    let system = &analysis.systems[cost.system];
    let shape = &system.architecture;
    let rest = 1.0 - cost.shares.iter().sum::<f64>();
    let mut row = vec![
        Cell::text(&system.label)
            .small(format!("{} layers, width {}, {} heads", shape.layers, shape.hidden, shape.heads)),
        Cell::number(millions(shape.parameters()), shape.parameters() as f64),
        Cell::count(cost.runs),
        speed(cost),
        Cell::number(Seconds(cost.wall_median).to_string(), cost.wall_median),
        Cell::number(Seconds(cost.wall_total).to_string(), cost.wall_total),
        Cell::number(Bytes(cost.peak_memory).to_string(), cost.peak_memory as f64),
    ];
    row.extend(cost.shares.into_iter().chain([rest]).map(|fraction| {
        let known = Some(fraction).filter(|fraction| fraction.is_finite());
        Cell::known(known, "the runs took no measurable time", |fraction| percent(fraction.max(0.0)))
    }));
    row
}

fn speed(cost: &Cost) -> Cell {
    let whole = |value: f64| grouped(value.max(0.0).round() as u64);
    let range = format!("{} to {}", whole(cost.speed_min), whole(cost.speed_max));
    Cell::number(whole(cost.speed_median), cost.speed_median).small(range)
}
