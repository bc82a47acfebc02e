//! Two models side by side, paired by grid point and seed.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Figure, Table, Tone};
use crate::report::phrase::{counted, p_value};
use crate::report::plot::{self, PairRow};
use crate::report::primary_metric::PrimaryMetric;
use crate::report::versus::{Versus, VersusRow};
use crate::stats::Interval;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.versus.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::paragraph(
        "Runs are paired when they share batch size, learning rate, epochs, seed and data. p is that of a two-sided sign-flip \
         permutation test of the paired differences. Intervals and p-values are corrected for the number of tasks in the \
         table (Bonferroni); a mean difference is marked when p < 0.05. All pairs share one dev set, so a small p means that \
         the difference is consistent over the grid, not that it would hold on other data.",
    )];
    for (at, versus) in analysis.versus.iter().enumerate() {
        let (a, b) = (&analysis.systems[versus.a].label, &analysis.systems[versus.b].label);
        blocks.push(Block::heading(format!("{b} against {a}")));
        blocks.push(Block::Table(table(analysis, versus)));
        blocks.extend(figure(analysis, versus, at)?);
    }
    Ok(blocks)
}

/// The comparison as a table; `compare` prints the same one.
pub(in crate::report) fn table(analysis: &Analysis<'_>, versus: &Versus) -> Table {
    let (a, b) = (&analysis.systems[versus.a].label, &analysis.systems[versus.b].label);
    let mut columns = vec![Column::text("Task")];
    let numbers = [
        format!("{a}, best"),
        format!("{b}, best"),
        "Difference".into(),
        "Pairs".into(),
        format!("{a}, mean"),
        format!("{b}, mean"),
        "Mean difference".into(),
        "95 % interval".into(),
        "p".into(),
    ];
    columns.extend(numbers.iter().map(|title| Column::number(title)));
    let rows = versus
        .rows
        .iter()
        .filter_map(|row| {
            let primary_metric = analysis.primary_metrics[row.task].as_ref()?;
            let mut cells = vec![Cell::text(&analysis.tasks[row.task].label).small(primary_metric.metric_name())];
            cells.extend(best_cells(row, primary_metric));
            cells.extend(pair_cells(row, primary_metric));
            Some(cells)
        })
        .collect();
    Table { caption: "Best scores, and differences of paired runs".into(), columns, rows, interactive: false }
}

fn best_cells(row: &VersusRow, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    let shown = |value: Option<f64>| match value {
        Some(value) => Cell::number(primary_metric.unit.shown(value), value),
        None => Cell::absent("no finished run has a score"),
    };
    let difference = row.best_a.zip(row.best_b).map(|(a, b)| b - a);
    let difference = match difference {
        Some(value) => Cell::number(primary_metric.unit.signed(value), value),
        None => Cell::absent("one of the two has no score"),
    };
    vec![shown(row.best_a), shown(row.best_b), difference]
}

fn pair_cells(row: &VersusRow, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    let why = "no two runs share point, seed and data";
    let pairs = row.differences.len();
    let shown = |value: Option<f64>| match value {
        Some(value) => Cell::number(primary_metric.unit.shown(value), value),
        None => Cell::absent(why),
    };
    let mean = row.mean_a.zip(row.mean_b).map(|(a, b)| b - a);
    let interval =
        |Interval { low, high }| format!("{} to {}", primary_metric.unit.signed(low), primary_metric.unit.signed(high));
    vec![
        Cell::number(pairs.to_string(), pairs as f64),
        shown(row.mean_a),
        shown(row.mean_b),
        mean.map_or_else(
            || Cell::absent(why),
            |value| Cell::number(primary_metric.unit.signed(value), value).tone(tone(primary_metric, row, value)),
        ),
        row.interval.map_or_else(|| Cell::absent("fewer than two pairs"), |i| Cell::number(interval(i), i.low)),
        row.adjusted_p.map_or_else(|| Cell::absent("fewer than two pairs"), |p| Cell::number(p_value(p), p)),
    ]
}

/// Only a difference that is not plausibly chance is marked.
fn tone(primary_metric: &PrimaryMetric, row: &VersusRow, difference: f64) -> Tone {
    match (row.adjusted_p.is_some_and(|p| p < 0.05), primary_metric.signed_score(difference) > 0.0) {
        (true, true) => Tone::Best,
        (true, false) => Tone::Bad,
        (false, _) => Tone::Plain,
    }
}

fn figure(analysis: &Analysis<'_>, versus: &Versus, at: usize) -> Result<Option<Block>, Error> {
    let scaled = |row: &VersusRow| -> Option<PairRow> {
        let primary_metric = analysis.primary_metrics[row.task].as_ref()?;
        // One axis holds one scale; to the right is better.
        let point = |value: f64| primary_metric.signed_score(primary_metric.unit.scaled(value));
        let mean = row.mean_b? - row.mean_a?;
        let interval = row.interval.map(|interval| {
            let ends = [point(interval.low), point(interval.high)];
            Interval { low: ends[0].min(ends[1]), high: ends[0].max(ends[1]) }
        });
        primary_metric.unit.is_hundredths().then(|| PairRow {
            name: analysis.tasks[row.task].label.clone(),
            differences: row.differences.iter().copied().map(point).collect(),
            mean: point(mean),
            interval,
        })
    };
    let rows: Vec<PairRow> = versus.rows.iter().filter_map(scaled).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let (a, b) = (&analysis.systems[versus.a].label, &analysis.systems[versus.b].label);
    let description = format!(
        "Dot plot of paired differences, {b} minus {a}, on {}. The means are in the table above.",
        counted(rows.len(), "task")
    );
    let drawing = plot::pairs(&rows, (a, b), versus.b, &description)?;
    Ok(Some(Block::Figures {
        figures: vec![
            Figure::new(
                format!("pairs-{}", at + 1),
                format!("Difference in dev score × 100 of {b} against {a}, pair by pair."),
                description,
                drawing,
            )
            .wide(),
        ],
    }))
}
