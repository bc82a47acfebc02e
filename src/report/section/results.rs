//! The best point of each model on each task, with its settings and what surrounds it.

use crate::report::Error;
use crate::report::aggregates::Spread;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::group::Group;
use crate::report::phrase::{counted, grouped};
use crate::report::primary_metric::{PrimaryMetric, Unit, metric_name};
use crate::report::published;
use crate::report::run::{Run, point_label};
use crate::report::weights;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    if analysis.groups.is_empty() {
        return Ok(Vec::new());
    }
    let mut blocks = vec![Block::Table(table(analysis))];
    blocks.extend(selection_caveat(analysis).map(Block::caution));
    Ok(blocks)
}

fn table(analysis: &Analysis<'_>) -> Table {
    let with_published = analysis.tasks.iter().any(|task| !published::of_task(&task.benchmark, &task.name).is_empty());
    let numbers =
        ["Best", "Other scores", "Batch × rate × epochs", "Min", "Median", "Max", "Points", "Majority", "Ceiling"];
    let mut columns = Column::list(&["Task", "Model"], &numbers);
    if with_published {
        columns.push(Column::number("Paper: base / large"));
    }
    let rows = analysis.groups.iter().map(|group| row(analysis, group, with_published)).collect();
    Table {
        caption: "Best point on dev with its 95 % interval, and the spread over all points of the sweep".into(),
        columns,
        rows,
        interactive: true,
    }
}

fn row(analysis: &Analysis<'_>, group: &Group<'_>, with_published: bool) -> Vec<Cell> {
    let task = &analysis.tasks[group.task];
    let primary_metric = analysis.primary_metrics[group.task].as_ref();
    let measured =
        primary_metric.map_or_else(|| "no record yet".to_owned(), |primary_metric| measured(primary_metric, group));
    let system = &analysis.systems[group.system];
    let mut model = Cell::text(&system.label);
    if weights::matter(&analysis.systems) {
        model = model.small(weights::described(&system.initial_weights));
    }
    let mut row = vec![Cell::text(&task.label).small(measured), model];
    row.extend(match (primary_metric, group.best) {
        (Some(primary_metric), Some(best)) => scored(analysis, group, primary_metric, best),
        _ => unscored(group),
    });
    if with_published {
        row.push(match primary_metric.and_then(|one| published::beside(&task.benchmark, &task.name, &one.metric)) {
            Some((figures, measured)) => Cell::text(figures).small(measured).tone(Tone::Quiet),
            None => Cell::absent("the paper has no figure for this task and metric"),
        });
    }
    row
}

fn measured(primary_metric: &PrimaryMetric, group: &Group<'_>) -> String {
    let examples = group.dev_examples.map_or_else(String::new, |count| format!(", {} examples", grouped(count)));
    primary_metric.described() + &examples
}

fn scored(analysis: &Analysis<'_>, group: &Group<'_>, primary_metric: &PrimaryMetric, best: usize) -> Vec<Cell> {
    let unit = primary_metric.unit;
    let (settings, score) = (group.points[best].settings, group.points[best].score.as_ref());
    let mean = score.map_or(f64::NAN, |score| score.mean);
    let mut shown = Cell::number(unit.shown(mean), mean).tone(Tone::Best);
    let over_seeds = score.and_then(|score| Some((score.sd?, score.seeds)));
    let over_seeds = over_seeds.map(|(sd, seeds)| format!("± {} over {seeds} seeds", unit.shown(sd)));
    let interval = group.interval.map(|interval| unit.range(interval));
    if over_seeds.is_some() || interval.is_some() {
        shown = shown.small(interval.into_iter().chain(over_seeds).collect::<Vec<_>>().join("; "));
    }
    if let Some(run) = group.best_run(analysis.compared()) {
        shown = shown.link(analysis.runs[run].link());
    }
    let known = |value: Option<f64>, why: &str| Cell::known(value, why, |value| unit.shown(value));
    let quiet = |value: Option<f64>, why: &str| {
        let cell = known(value, why);
        if value.is_some() { cell.tone(Tone::Quiet) } else { cell }
    };
    let spread = group.spread.as_ref();
    let spread_cell = |pick: fn(&Spread) -> f64| known(spread.map(pick), "no point has a score");
    let points = spread.map_or(0, |spread| spread.points);
    let mut count = Cell::number(format!("{points} of {}", group.points.len()), points as f64);
    let collapsed = (group.collapsed > 0).then(|| format!("{} at or below the majority answer", group.collapsed));
    if let Some(shortfall) = group.counts.shortfall() {
        let all: Vec<String> = std::iter::once(shortfall).chain(collapsed).collect();
        count = count.small(all.join(", ")).tone(Tone::Bad);
    } else if let Some(collapsed) = collapsed {
        count = count.small(collapsed);
    }
    vec![
        shown,
        others(group, primary_metric),
        Cell::text(point_label(settings)).small(seeds_of(group, best)),
        spread_cell(|spread| spread.min),
        spread_cell(|spread| spread.median),
        spread_cell(|spread| spread.max),
        count,
        quiet(group.majority, "the record has no majority baseline"),
        quiet(group.ceiling, "no ceiling is known for this data"),
    ]
}

/// The seeds of the best point.
fn seeds_of(group: &Group<'_>, best: usize) -> String {
    match group.points[best].runs.len() {
        1 => format!("seed {}", group.points[best].settings.seed),
        many => format!("{many} seeds"),
    }
}

/// The other scores of the best point, each named by what sets it apart from the primary one.
fn others(group: &Group<'_>, primary_metric: &PrimaryMetric) -> Cell {
    if group.others.is_empty() {
        return Cell::absent("the task has a single score");
    }
    let shown = |(metric, split, unit, value): &(String, String, Unit, f64)| {
        let split = if *split == primary_metric.split { "" } else { split.strip_prefix("dev_").unwrap_or(split) };
        let metric = if *metric == primary_metric.metric && !split.is_empty() { "" } else { metric };
        let gap = if metric.is_empty() || split.is_empty() { "" } else { " " };
        format!("{}{gap}{split} {}", metric_name(metric), unit.shown(*value))
    };
    let lines: Vec<String> = group.others.iter().map(shown).collect();
    Cell { small: Some(lines.join(" · ")), ..Cell::default() }
}

fn unscored(group: &Group<'_>) -> Vec<Cell> {
    let why = group.counts.why_no_score();
    let mut cells = vec![Cell::absent(&why).small(&why)];
    cells.extend((0..8).map(|_| Cell::absent(&why)));
    cells
}

/// The selection on dev is itself a source of optimism; the page says so with its own numbers.
fn selection_caveat(analysis: &Analysis<'_>) -> Option<String> {
    let points: Vec<usize> = analysis.groups.iter().filter_map(|cell| Some(cell.spread.as_ref()?.points)).collect();
    let (least, most) = (points.iter().min()?, points.iter().max()?);
    if *most < 2 {
        return None;
    }
    let of = if least == most { counted(*most, "point") } else { format!("{least} to {}", counted(*most, "point")) };
    let seeds = if analysis.seeds() > 1 {
        " A point's score is the mean over its seeds; points with fewer scored seeds than others are not chosen."
    } else {
        " With one seed per point, this table cannot show how much of a difference is luck."
    };
    Some(format!(
        "Each best score is the best of {of}, chosen on the same dev set on which it is measured. The maximum of \
         several noisy scores is optimistic: expect a little less on new data.{seeds}"
    ))
}

/// Whether a run is the one that its group's best score links to.
pub(super) fn is_best(analysis: &Analysis<'_>, run: &Run<'_>) -> bool {
    let group = run.task.and_then(|task| analysis.group(task, run.system));
    group
        .and_then(|group| group.best_run(analysis.compared()))
        .is_some_and(|best| analysis.runs[best].anchor == run.anchor)
}
