//! What the search over the sweep was worth: the best score to expect of fewer points, and what each setting does.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::group::{Group, Point};
use crate::report::primary_metric::PrimaryMetric;
use crate::stats::{expected_best, main_effects};

/// Numbers of trials that are shown, as far as there are so many points.
const TRIALS: [u32; 8] = [1, 2, 4, 8, 12, 18, 36, 72];

/// A setting of the sweep: its name and its value at a point, as sorted by and as shown.
type Factor = (&'static str, fn(&Point<'_>) -> f64);

const FACTORS: [Factor; 3] = [
    ("batch size", |point| f64::from(point.settings.optimization.batch_size)),
    ("learning rate", |point| point.settings.optimization.learning_rate),
    ("epochs", |point| f64::from(point.settings.epochs())),
];

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let judged: Vec<(&Group<'_>, &PrimaryMetric)> = analysis
        .groups
        .iter()
        .filter_map(|group| Some((group, analysis.primary_metrics[group.task].as_ref()?)))
        .filter(|(group, _)| scores(group).len() > 1)
        .collect();
    let Some(most) = judged.iter().map(|(group, _)| scores(group).len()).max() else { return Ok(Vec::new()) };
    let mut blocks = vec![
        Block::paragraph(
            "Expected best dev score of so many points, drawn with replacement from those of the sweep (Dodge et al. 2019): two \
             models are fairly compared at an equal number of trials.",
        ),
        Block::Table(expected_table(analysis, &judged, most)),
    ];
    let effects: Vec<Vec<Cell>> =
        judged.iter().flat_map(|(group, metric)| effect_rows(analysis, group, metric)).collect();
    if !effects.is_empty() {
        blocks.push(Block::paragraph(
            "Main effects: how far the points with a setting lie from the mean over that setting's values, the other settings \
             being equal (least squares over the points' scores), with a 95 % interval by Student's t.",
        ));
        let columns = Column::list(&["Task", "Model", "Setting", "Value"], &["Effect", "95 % interval"]);
        blocks.push(Block::Table(Table { caption: "Main effects".into(), columns, rows: effects, interactive: true }));
    }
    Ok(blocks)
}

fn scores(group: &Group<'_>) -> Vec<f64> {
    group.points.iter().filter_map(|point| point.score.as_ref()).map(|score| score.mean).collect()
}

fn expected_table(analysis: &Analysis<'_>, judged: &[(&Group<'_>, &PrimaryMetric)], most: usize) -> Table {
    let trials: Vec<u32> = TRIALS.into_iter().filter(|trials| *trials as usize <= most).collect();
    let mut columns = Column::list(&["Task", "Model"], &[]);
    columns.extend(trials.iter().map(|trials| match trials {
        1 => Column::number("1 trial"),
        many => Column::number(&format!("{many} trials")),
    }));
    let row = |(group, metric): &(&Group<'_>, &PrimaryMetric)| {
        let signed: Vec<f64> = scores(group).into_iter().map(|score| metric.signed_score(score)).collect();
        let cell = |trials: &u32| match expected_best(&signed, *trials) {
            Some(_) if *trials as usize > signed.len() => Cell::absent("the sweep has fewer points"),
            Some(best) => Cell::number(metric.unit.shown(metric.signed_score(best)), metric.signed_score(best)),
            None => Cell::absent("a score is not a number"),
        };
        first_cells(analysis, group).into_iter().chain(trials.iter().map(cell)).collect()
    };
    let rows = judged.iter().map(row).collect();
    Table { caption: "Expected best score by number of trials".into(), columns, rows, interactive: false }
}

fn first_cells(analysis: &Analysis<'_>, group: &Group<'_>) -> Vec<Cell> {
    [&analysis.tasks[group.task].label, &analysis.systems[group.system].label].map(Cell::text).into()
}

/// A row for each value of each setting that varies; none where the points do not tell them apart.
fn effect_rows(analysis: &Analysis<'_>, group: &Group<'_>, metric: &PrimaryMetric) -> Vec<Vec<Cell>> {
    let scored: Vec<&Point<'_>> = group.points.iter().filter(|point| point.score.is_some()).collect();
    let values: Vec<Vec<f64>> = FACTORS
        .iter()
        .map(|(_, value)| {
            let mut values: Vec<f64> = scored.iter().map(|point| value(point)).collect();
            values.sort_by(f64::total_cmp);
            values.dedup_by(|a, b| a.total_cmp(b).is_eq());
            values
        })
        .collect();
    let level = |point: &Point<'_>, factor: usize| {
        let of = FACTORS[factor].1(point);
        values[factor].iter().position(|value| value.total_cmp(&of).is_eq()).unwrap_or_default()
    };
    let rows: Vec<Vec<usize>> =
        scored.iter().map(|point| (0..FACTORS.len()).map(|factor| level(point, factor)).collect()).collect();
    let levels: Vec<usize> = values.iter().map(Vec::len).collect();
    let Some(effects) = main_effects(&scores(group), &rows, &levels, 0.95) else { return Vec::new() };
    let mut shown = Vec::new();
    for (((name, _), values), effects) in FACTORS.iter().zip(&values).zip(effects) {
        for (value, effect) in values.iter().zip(effects) {
            let (low, high) = (effect.interval.low, effect.interval.high);
            let clear = low > 0.0 || high < 0.0;
            let better = metric.signed_score(effect.value) > 0.0;
            let tone = match (clear, better) {
                (true, true) => Tone::Best,
                (true, false) => Tone::Bad,
                (false, _) => Tone::Plain,
            };
            let value = if *value < 0.01 { format!("{value:e}") } else { value.to_string() };
            let mut row = first_cells(analysis, group);
            row.extend([Cell::text(*name), Cell::text(value)]);
            row.push(Cell::number(metric.unit.signed(effect.value), effect.value).tone(tone));
            row.push(Cell::number(metric.unit.signed_range(effect.interval), low));
            shown.push(row);
        }
    }
    shown
}
