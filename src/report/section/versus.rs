//! Two models side by side: example by example, over seeds, and by runs that share grid point and seed.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Figure, Table, Tone};
use crate::report::phrase::{counted, p_value};
use crate::report::plot::{self, PairRow};
use crate::report::primary_metric::PrimaryMetric;
use crate::report::versus::{Versus, VersusRow};
use crate::report::versus_summary::{Summary, Verdict};
use crate::stats::{ENOUGH_DEGREES, Interval};

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.versus.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::paragraph(
        "Two models answer the same dev examples. Of each model's best point the best run is compared, example by example: \
         shares of right answers by McNemar's test, other scores by approximate randomization, intervals by the paired \
         bootstrap. With several seeds, the variance of examples and that of seeds are added. p is corrected by Holm over \
         the tasks of a table. Both best points were chosen on these examples, which favours both alike when both had the \
         same points. Runs that share batch size, learning rate, epochs, seed and data are paired too: there, a small p \
         (sign-flip test, corrected by Bonferroni) means that the difference is consistent over the grid.",
    )];
    for (at, versus) in analysis.versus.iter().enumerate() {
        blocks.push(Block::heading(format!("{} against {}", versus.b.label, versus.a.label)));
        blocks.push(Block::paragraph(Summary::of(versus, &analysis.primary_metrics).sentence(versus)));
        blocks.extend(tables(analysis, versus, false).into_iter().map(Block::Table));
        let remarks: Vec<String> = versus.refused.iter().map(|why| format!("not compared: {why}")).collect();
        if !remarks.is_empty() {
            blocks.push(Block::List(remarks));
        }
        blocks.extend(figure(analysis, versus, at)?);
    }
    Ok(blocks)
}

/// The comparison as tables: best scores with the best runs example by example; where there are several seeds, best points
/// over all of them; and runs that share point and seed. `compare` prints the same ones, `narrow`, for 80 columns.
pub(in crate::report) fn tables(analysis: &Analysis<'_>, versus: &Versus, narrow: bool) -> Vec<Table> {
    let mut tables =
        vec![table(analysis, versus, narrow, "Best run of the best point, example by example", example_cells)];
    if versus.rows.iter().any(|row| row.seeds.is_some()) {
        tables.push(table(analysis, versus, narrow, seed_caption(versus), seed_cells));
    }
    if versus.rows.iter().any(|row| !row.differences.is_empty()) {
        tables.push(run_table(analysis, versus, narrow));
    }
    tables
}

/// Few seeds at a single point say too little of the next one for an interval to hold as often as it says.
fn seed_caption(versus: &Versus) -> &'static str {
    let few = |row: &VersusRow| {
        row.seeds.as_ref().and_then(|of| of.seed_degrees_of_freedom).is_some_and(|degrees| degrees < ENOUGH_DEGREES)
    };
    if versus.rows.iter().any(few) {
        "Best points over all seeds; seeds are few, so intervals and p are rough"
    } else {
        "Best points over all seeds, examples and seeds together"
    }
}

/// A side's label, in ten characters where columns are narrow.
fn label(label: &str, narrow: bool) -> String {
    let letters = label.chars().count();
    if !narrow || letters <= 10 { label.to_owned() } else { label.chars().take(9).chain(['…']).collect() }
}

fn first_cells(analysis: &Analysis<'_>, row: &VersusRow, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    vec![Cell::text(&analysis.tasks[row.task].label), Cell::text(primary_metric.metric_name())]
}

fn table(
    analysis: &Analysis<'_>,
    versus: &Versus,
    narrow: bool,
    caption: &str,
    cells: fn(&VersusRow, &PrimaryMetric) -> Vec<Cell>,
) -> Table {
    let [a, b] = [&versus.a.label, &versus.b.label].map(|of| label(of, narrow));
    let mut columns = Column::list(&["Task", "Score"], &[&a, &b, "Diff.", "95 % interval", "Holm p"]);
    columns.push(Column::text(""));
    let rows = versus.rows.iter().filter_map(|row| {
        let primary_metric = analysis.primary_metrics[row.task].as_ref()?;
        Some(first_cells(analysis, row, primary_metric).into_iter().chain(cells(row, primary_metric)).collect())
    });
    Table { caption: caption.to_owned(), columns, rows: rows.collect(), interactive: false }
}

/// Scores, difference, interval, p, verdict.
struct Shown {
    scores: [Option<f64>; 2],
    difference: Option<f64>,
    interval: Option<Interval>,
    p: Option<f64>,
    smallest: Option<f64>,
    why: &'static str,
}

fn example_cells(row: &VersusRow, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    let found = row.examples.as_ref();
    let best = [row.best_a, row.best_b];
    let shown = Shown {
        scores: found.map_or(best, |of| [Some(of.reference), Some(of.model)]),
        difference: found.map(|of| of.difference).or_else(|| Some(row.best_b? - row.best_a?)),
        interval: found.and_then(|of| of.interval),
        p: found.and_then(|of| of.adjusted_p),
        smallest: found.and_then(|of| of.smallest_difference),
        why: "the runs have no answers to single examples",
    };
    cells(&shown, primary_metric)
}

fn seed_cells(row: &VersusRow, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    let found = row.seeds.as_ref();
    let shown = Shown {
        scores: [row.best_a, row.best_b],
        difference: found.map(|of| of.difference),
        interval: found.and_then(|of| of.interval),
        p: found.and_then(|of| of.adjusted_p),
        smallest: None,
        why: "fewer than two seeds with answers to single examples",
    };
    cells(&shown, primary_metric)
}

fn cells(shown: &Shown, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    let unit = primary_metric.unit;
    let score = |value| Cell::known(value, "no finished run has a score", |value| unit.shown(value));
    let verdict = Verdict::by(shown.difference.zip(shown.p), primary_metric);
    let tone = match (shown.p.is_some(), verdict) {
        (true, Verdict::Better) => Tone::Best,
        (true, Verdict::Worse) => Tone::Bad,
        _ => Tone::Plain,
    };
    let mut difference =
        Cell::known(shown.difference, "one of the two has no score", |value| unit.signed(value)).tone(tone);
    if let Some(smallest) = shown.smallest {
        let smallest = unit.shown(smallest);
        difference = difference.title(format!("{smallest} is the smallest that these examples show 8 times out of 10"));
    }
    vec![
        score(shown.scores[0]),
        score(shown.scores[1]),
        difference,
        Cell::interval(shown.interval, shown.why, |interval| unit.signed_range(interval)),
        Cell::known(shown.p, shown.why, p_value),
        if shown.p.is_some() { Cell::text(verdict.word()) } else { Cell::default() },
    ]
}

/// Runs that differ by their model alone.
fn run_table(analysis: &Analysis<'_>, versus: &Versus, narrow: bool) -> Table {
    let [a, b] = [&versus.a.label, &versus.b.label].map(|of| label(of, narrow));
    let columns = Column::list(&["Task"], &["Pairs", &a, &b, "Mean diff.", "95 % interval", "p"]);
    let rows = versus.rows.iter().filter_map(|row| {
        let primary_metric = analysis.primary_metrics[row.task].as_ref()?;
        let mut cells = vec![Cell::text(&analysis.tasks[row.task].label)];
        cells.extend(pair_cells(row, primary_metric));
        Some(cells)
    });
    Table {
        caption: "Means of runs paired by point, seed and data".into(),
        columns,
        rows: rows.collect(),
        interactive: false,
    }
}

fn pair_cells(row: &VersusRow, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    let why = "no two runs share point, seed and data";
    let (pairs, unit) = (row.differences.len(), primary_metric.unit);
    let shown = |value: Option<f64>| Cell::known(value, why, |value| unit.shown(value));
    let mean = row.mean_a.zip(row.mean_b).map(|(a, b)| b - a);
    vec![
        Cell::number(pairs.to_string(), pairs as f64),
        shown(row.mean_a),
        shown(row.mean_b),
        mean.map_or_else(
            || Cell::absent(why),
            |value| Cell::number(unit.signed(value), value).tone(tone(primary_metric, row, value)),
        ),
        Cell::interval(row.interval, "fewer than two pairs", |interval| unit.signed_range(interval)),
        Cell::known(row.adjusted_p, "fewer than two pairs", p_value),
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
    let Some(first) = versus.b.systems.first().filter(|_| !rows.is_empty()) else { return Ok(None) };
    let (a, b) = (&versus.a.label, &versus.b.label);
    let description = format!(
        "Dot plot of paired differences, {b} minus {a}, on {}. The means are in the table above.",
        counted(rows.len(), "task")
    );
    let drawing = plot::pairs(&rows, (a, b), *first, &description)?;
    let caption = format!("Difference in dev score × 100 of {b} against {a}, pair by pair.");
    Ok(Some(Block::Figures(vec![Figure::new(format!("pairs-{}", at + 1), caption, drawing).wide()])))
}
