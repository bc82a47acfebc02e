//! What pretraining gives: the same sizes from random and from pretrained weights.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Figure, Table, Tone};
use crate::report::difference::Verdict;
use crate::report::file_name::file_name;
use crate::report::gain::{self, Gain, GainRow};
use crate::report::phrase::counted;
use crate::report::plot::{self, GainPlot};
use crate::report::primary_metric::PrimaryMetric;
use crate::report::weights;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let gains = gain::all(analysis);
    if gains.is_empty() {
        return Ok(Vec::new());
    }
    let sentences: Vec<String> = gains
        .iter()
        .flat_map(|gain| &gain.pretrained)
        .map(|(system, rows)| sentence(analysis, *system, rows))
        .collect();
    let text = "The difference is that between the dev scores of the two best points. Its 95 % interval is a normal approximation \
                from the number of dev examples (Agresti and Caffo 2000 for proportions), plus the variance over seeds where \
                there are several. Both models answer the same examples, so it is too wide rather than too narrow. The \
                verdict is better or worse when the interval excludes 0.";
    // More of them than a reader follows stand in lines of their own.
    let sentences = if sentences.len() > 4 { Block::List(sentences) } else { Block::paragraph(sentences.join(" ")) };
    let mut blocks = vec![sentences, Block::paragraph(text)];
    for (at, gain) in gains.iter().enumerate() {
        blocks.push(Block::heading(heading(analysis, gain)));
        let figure = figure(analysis, gain, at)?;
        if let [(system, rows)] = &gain.pretrained[..] {
            let table = Block::Table(table_of_one(analysis, gain.random, *system, rows));
            blocks.push(Block::Beside([table].into_iter().chain(figure).collect()));
        } else {
            blocks.push(Block::Table(table_of_several(analysis, gain)));
            blocks.extend(figure);
        }
    }
    Ok(blocks)
}

/// `Pretraining helps on 11 of 13 tasks with mini-base, clearly on 9.`
fn sentence(analysis: &Analysis<'_>, system: usize, rows: &[GainRow]) -> String {
    let tally = gain::tally(analysis, rows);
    let label = &analysis.systems[system].label;
    let clearly = if tally.clearly == 0 { "none".to_owned() } else { tally.clearly.to_string() };
    let hurt = if tally.hurt == 0 { String::new() } else { format!("; it clearly hurts on {}", tally.hurt) };
    format!(
        "Pretraining helps on {} of {} with {label}, clearly on {clearly}{hurt}.",
        tally.helped,
        counted(tally.tasks, "task")
    )
}

fn heading(analysis: &Analysis<'_>, gain: &Gain) -> String {
    let system = &analysis.systems[gain.random];
    let shape = &system.architecture;
    format!("{} layers, width {}: against {}", shape.layers, shape.hidden, system.label)
}

/// Tasks in the report's order, each with its pretrained models.
fn by_task<'g>(analysis: &Analysis<'_>, gain: &'g Gain) -> Vec<(usize, &'g GainRow)> {
    let mut found = Vec::new();
    for task in 0..analysis.tasks.len() {
        for (system, rows) in &gain.pretrained {
            found.extend(rows.iter().filter(|row| row.task == task).map(|row| (*system, row)));
        }
    }
    found
}

fn table_of_one(analysis: &Analysis<'_>, random: usize, system: usize, rows: &[GainRow]) -> Table {
    let mut columns = Column::list(&["Task"], &["Random", "Pretrained", "Difference", "95 % interval"]);
    columns.push(Column::text("Verdict"));
    let rows = rows
        .iter()
        .filter_map(|row| {
            let primary_metric = analysis.primary_metrics[row.task].as_ref()?;
            let mut cells = vec![task_cell(analysis, row.task, primary_metric)];
            cells.extend(numbers(row, primary_metric));
            Some(cells)
        })
        .collect();
    let (random, system) = (&analysis.systems[random].label, &analysis.systems[system]);
    let caption = format!("{random} (random), {} ({})", system.label, weights::described(&system.initial_weights));
    Table { caption, columns, rows, interactive: false }
}

fn task_cell(analysis: &Analysis<'_>, task: usize, primary_metric: &PrimaryMetric) -> Cell {
    Cell::text(&analysis.tasks[task].label).small(primary_metric.metric_name())
}

/// A column for each pretrained model.
fn table_of_several(analysis: &Analysis<'_>, gain: &Gain) -> Table {
    let label = |system: usize| analysis.systems[system].label.as_str();
    let models: Vec<&str> = gain.pretrained.iter().map(|(system, _)| label(*system)).collect();
    let columns = Column::list(&["Task"], &[&[label(gain.random)], &models[..]].concat());
    let mut body: Vec<Vec<Cell>> = Vec::new();
    for (task, primary_metric) in analysis.primary_metrics.iter().enumerate() {
        let of = |rows: &'_ [GainRow]| rows.iter().find(|row| row.task == task).cloned();
        let found: Vec<Option<GainRow>> = gain.pretrained.iter().map(|(_, rows)| of(rows)).collect();
        let (Some(primary_metric), Some(random)) =
            (primary_metric, found.iter().flatten().next().map(|row| row.random))
        else {
            continue;
        };
        let mut cells =
            vec![task_cell(analysis, task, primary_metric), Cell::number(primary_metric.unit.shown(random), random)];
        cells.extend(found.into_iter().map(|row| match row {
            Some(row) => {
                let (words, tone) = verdict(row.difference.verdict);
                let small = format!("{} {words}", primary_metric.unit.signed(row.difference.value));
                Cell::number(primary_metric.unit.shown(row.pretrained), row.pretrained).small(small).tone(tone)
            }
            None => Cell::absent("no score, or other data"),
        }));
        body.push(cells);
    }
    let mut last = vec![Cell::text("Helps on").tone(Tone::Quiet), Cell::default()];
    last.extend(gain.pretrained.iter().map(|(_, rows)| {
        let tally = gain::tally(analysis, rows);
        let helped = format!("{} of {}", tally.helped, tally.tasks);
        Cell::number(helped, tally.helped as f64).small(format!("clearly {}", tally.clearly)).tone(Tone::Quiet)
    }));
    body.push(last);
    let caption = format!("Pretrained models against {} (random): score and difference", label(gain.random));
    Table { caption, columns, rows: body, interactive: false }
}

fn verdict(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Better => ("better", Tone::Best),
        Verdict::Worse => ("worse", Tone::Bad),
        Verdict::WithinError => ("within the error", Tone::Quiet),
        Verdict::Unknown => ("error unknown", Tone::Absent),
    }
}

fn numbers(row: &GainRow, primary_metric: &PrimaryMetric) -> Vec<Cell> {
    let unit = primary_metric.unit;
    let (words, tone) = verdict(row.difference.verdict);
    vec![
        Cell::number(unit.shown(row.random), row.random),
        Cell::number(unit.shown(row.pretrained), row.pretrained),
        Cell::number(unit.signed(row.difference.value), row.difference.value).tone(tone),
        Cell::interval(
            row.difference.interval,
            "the record lacks the number of dev examples, or the metric has no formula",
            |interval| unit.signed_range(interval),
        ),
        Cell::text(words).tone(tone),
    ]
}

fn figure(analysis: &Analysis<'_>, gain: &Gain, at: usize) -> Result<Option<Block>, Error> {
    let plotted = |(system, row): (usize, &GainRow)| -> Option<plot::GainRow> {
        let unit = analysis.primary_metrics[row.task].as_ref()?.unit;
        // One axis holds one scale.
        unit.is_hundredths().then(|| plot::GainRow {
            name: analysis.tasks[row.task].label.clone(),
            series: system,
            random: unit.scaled(row.random),
            pretrained: unit.scaled(row.pretrained),
            majority: analysis.group(row.task, system).and_then(|cell| cell.majority).map(|value| unit.scaled(value)),
        })
    };
    let rows: Vec<plot::GainRow> = by_task(analysis, gain).into_iter().filter_map(plotted).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let random = &analysis.systems[gain.random].label;
    let label = |system: usize| analysis.systems[system].label.clone();
    let names: Vec<(usize, String)> = gain.pretrained.iter().map(|(system, _)| (*system, label(*system))).collect();
    let description = format!("Dot plot: dev scores of {random} and of the same size pretrained, task by task.");
    let drawing = plot::gains(&GainPlot { description: &description, rows, names, random })?;
    let caption = "From random weights (open) to pretrained ones (filled); bars mark the majority answer.";
    let name = file_name(&["gain", &(at + 1).to_string()]);
    Ok(Some(Block::Figures(vec![Figure::new(name, caption, drawing).wide()])))
}
