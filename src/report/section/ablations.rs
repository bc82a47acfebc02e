//! The paper's ablations, made with the models of this report, and the paper's figures beside them.

use super::pretraining::{shown_perplexity, size};
use crate::report::Error;
use crate::report::ablation::{self, Ablation, AblationColumn, AblationRow, AblationScore, Kind};
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Figure, Table, Tone};
use crate::report::difference::is_clear;
use crate::report::file_name::file_name;
use crate::report::objective::{masks, names};
use crate::report::phrase::{grouped, listed};
use crate::report::plot::{self, Curve, Curves, Marks};
use crate::report::primary_metric::metric_name;
use crate::report::published_ablations::{MASKS, OBJECTIVES, SIZES, STEPS, WITH_BILSTM};
use crate::store::RunId;

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let ablations = ablation::all(analysis);
    let of_mini = |ablation: &Ablation<'_>| ablation.columns.iter().any(|c| analysis.tasks[c.task].benchmark == "mini");
    if ablations.is_empty() {
        return Ok(Vec::new());
    }
    let caveat = if ablations.iter().any(of_mini) {
        "Mini scores are not GLUE scores; compare the order of the rows, not the numbers."
    } else {
        "The paper's models were pretrained on 3.3 billion words; compare the order of the rows rather than the numbers."
    };
    let text = "The models of a table differ only in the part of their pretraining that its rows name. Each score is that of the best \
                point of the sweep, on dev (± standard deviation over seeds). Bold marks a score that beats every other in its column \
                by more than the error. The paper's results are printed below ours.";
    let mut blocks = vec![Block::caution(caveat), Block::paragraph(text)];
    for (at, ablation) in ablations.iter().enumerate() {
        let alone = ablations.iter().filter(|other| other.kind == ablation.kind).count() == 1;
        let experiment = &analysis.input.experiments[ablation.experiment].name;
        let title = title(ablation.kind);
        blocks.push(Block::heading(if alone {
            title.to_owned()
        } else {
            format!("{title}: {}", whose(analysis, ablation))
        }));
        if ablation.kind == Kind::Steps {
            blocks.push(Block::paragraph(STEPS));
        }
        blocks.push(Block::Table(table(analysis, ablation)));
        if ablation.kind == Kind::Steps {
            let figure = steps_figure(analysis, ablation, &["ablation-steps", experiment, &(at + 1).to_string()])?;
            blocks.push(Block::Figures(vec![figure]));
        }
    }
    Ok(blocks)
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Objective => "Pretraining tasks (table 5)",
        Kind::Size => "Model size (table 6)",
        Kind::Masking => "Masking (table 8)",
        Kind::Steps => "Pretraining steps (figure 5)",
    }
}

/// The models of an ablation, to tell two of a kind apart.
fn whose(analysis: &Analysis<'_>, ablation: &Ablation<'_>) -> String {
    let systems = ablation.rows.iter().flat_map(|row| &row.systems);
    listed(&systems.map(|at| analysis.systems[*at].label.clone()).collect::<Vec<_>>())
}

fn table(analysis: &Analysis<'_>, ablation: &Ablation<'_>) -> Table {
    let (first, source) = match ablation.kind {
        Kind::Objective => ("Pretraining tasks", Some(OBJECTIVES.source)),
        Kind::Size => ("Layers × width, heads", Some(SIZES.source)),
        Kind::Masking => ("Mask/same/random, %", Some(MASKS.source)),
        Kind::Steps => ("Step", None),
    };
    let with_perplexity = matches!(ablation.kind, Kind::Size | Kind::Steps);
    let mut columns = Column::list(&[first], if with_perplexity { &["Perplexity"] } else { &[] });
    columns.extend(ablation.columns.iter().map(|column| Column::number(&column_title(analysis, column))));
    let best: Vec<Option<usize>> = (0..ablation.columns.len()).map(|at| clearly_best(ablation, at)).collect();
    let is_best = |row: usize| best.iter().map(|best| *best == Some(row)).collect::<Vec<_>>();
    let rows = ablation.rows.iter().enumerate();
    let own = rows.map(|(at, row)| own_row(analysis, ablation, row, &is_best(at), with_perplexity));
    let rows = own.chain(paper_rows(ablation)).collect();
    let experiment = &analysis.input.experiments[ablation.experiment].name;
    let caption = source.map_or_else(|| experiment.clone(), |source| format!("{experiment}, and {source}"));
    Table { caption, columns, rows, interactive: false }
}

fn column_title(analysis: &Analysis<'_>, column: &AblationColumn) -> String {
    let features = if column.features { ", features" } else { "" };
    format!("{}{features} ({})", analysis.tasks[column.task].label, metric_name(&column.metric))
}

/// The row whose score beats every other of a column by more than the error.
fn clearly_best(ablation: &Ablation<'_>, at: usize) -> Option<usize> {
    let higher = ablation.columns[at].higher_is_better;
    let scores: Vec<(usize, AblationScore)> =
        ablation.rows.iter().enumerate().filter_map(|(row, found)| Some((row, found.scores[at]?))).collect();
    let beats = |a: &AblationScore, b: &AblationScore| {
        (a.mean > b.mean) == higher && is_clear(a.mean - b.mean, [a.variance, b.variance])
    };
    let is_best = |(row, score): &&(usize, AblationScore)| scores.iter().all(|(o, b)| o == row || beats(score, b));
    if scores.len() > 1 { scores.iter().find(is_best).map(|(row, _)| *row) } else { None }
}

fn own_row(
    analysis: &Analysis<'_>,
    ablation: &Ablation<'_>,
    row: &AblationRow<'_>,
    is_best: &[bool],
    with_perplexity: bool,
) -> Vec<Cell> {
    let models: Vec<String> = row.systems.iter().map(|at| analysis.systems[*at].label.clone()).collect();
    let mut cells = vec![Cell::text(row_name(ablation, row)).small(listed(&models))];
    if with_perplexity {
        let why = "not evaluated after this step, or not on the same text";
        cells.push(Cell::known(row.perplexity, why, shown_perplexity));
    }
    let published = published(ablation.kind, row);
    for ((column, score), is_best) in ablation.columns.iter().zip(&row.scores).zip(is_best) {
        let mut cell = Cell::known(score.map(|score| score.mean), "no score", |mean| column.unit.shown(mean));
        if let Some(sd) = score.and_then(|score| score.sd) {
            cell.text = format!("{} ± {}", cell.text, column.unit.shown(sd));
        }
        if *is_best {
            cell = cell.tone(Tone::Best);
        }
        if let Some(figure) = column.published.and_then(|at| Some(published?[at])) {
            cell = cell.small(format!("paper {figure}"));
        }
        cells.push(cell);
    }
    cells
}

fn row_name(ablation: &Ablation<'_>, row: &AblationRow<'_>) -> String {
    let (settings, objective) = (&row.pretraining.settings, row.pretraining.settings.pretraining());
    match ablation.kind {
        Kind::Objective => objective.map_or("", |of| names(of.loss).row).to_owned(),
        Kind::Size => format!("{}, {}", size(&settings.architecture), settings.architecture.heads),
        Kind::Masking => objective
            .and_then(|of| of.masking.as_ref())
            .map_or_else(String::new, |masking| masks(masking).map(|share| share.to_string()).join("/")),
        Kind::Steps if pretrained(ablation).len() > 1 => {
            format!("{}, {}", settings.model, grouped(row.pretraining.step))
        }
        Kind::Steps => grouped(row.pretraining.step),
    }
}

/// The pretraining runs of an ablation, with their names, in the order of its rows.
fn pretrained(ablation: &Ablation<'_>) -> Vec<(RunId, String)> {
    let mut runs: Vec<(RunId, String)> = Vec::new();
    for settings in ablation.rows.iter().map(|row| &row.pretraining.settings) {
        let id = settings.id();
        if !runs.iter().any(|(known, _)| *known == id) {
            runs.push((id, settings.model.clone()));
        }
    }
    runs
}

/// The paper's figures of a row like this one.
fn published(kind: Kind, row: &AblationRow<'_>) -> Option<&'static [&'static str]> {
    let objective = row.pretraining.settings.pretraining()?;
    match kind {
        Kind::Objective => {
            OBJECTIVES.rows.iter().find(|(name, _)| *name == names(objective.loss).row).map(|(_, values)| *values)
        }
        Kind::Masking => {
            let own = masks(objective.masking.as_ref()?);
            MASKS.rows.iter().find(|(masks, _)| *masks == own).map(|(_, values)| *values)
        }
        // The sizes here are rarely the paper's, whose rows follow ours.
        Kind::Size | Kind::Steps => None,
    }
}

/// Rows that only the paper has.
fn paper_rows(ablation: &Ablation<'_>) -> Vec<Vec<Cell>> {
    let cells = |values: &'static [&'static str]| -> Vec<Cell> {
        let figure = |column: &AblationColumn| match column.published {
            Some(at) => Cell::number(values[at], values[at].parse().unwrap_or(f64::NAN)).tone(Tone::Quiet),
            None => Cell::absent("the paper's table does not have this task"),
        };
        ablation.columns.iter().map(figure).collect()
    };
    match ablation.kind {
        Kind::Objective => {
            let only = OBJECTIVES.rows.iter().filter(|(name, _)| *name == WITH_BILSTM);
            let head = |name: &str| Cell::text(name).small("the paper").tone(Tone::Quiet);
            only.map(|(name, values)| [vec![head(name)], cells(values)].concat()).collect()
        }
        Kind::Size => SIZES
            .rows
            .iter()
            .map(|(([layers, hidden, heads], perplexity), values)| {
                let head = Cell::text(format!("{layers} × {hidden}, {heads}")).small("the paper").tone(Tone::Quiet);
                let number = Cell::number(*perplexity, perplexity.parse().unwrap_or(f64::NAN)).tone(Tone::Quiet);
                [vec![head, number], cells(values)].concat()
            })
            .collect(),
        Kind::Masking | Kind::Steps => Vec::new(),
    }
}

/// Dev scores after fine-tuning, over the steps of pretraining: one line for each task and pretraining run.
fn steps_figure(analysis: &Analysis<'_>, ablation: &Ablation<'_>, name: &[&str]) -> Result<Figure, Error> {
    let runs = pretrained(ablation);
    let (mut lines, mut names) = (Vec::new(), Vec::new());
    for (at, column) in ablation.columns.iter().enumerate() {
        for (run, model) in &runs {
            let of_run = ablation.rows.iter().filter(|row| row.pretraining.settings.id() == *run);
            let points: Vec<(f64, f64)> = of_run
                .filter_map(|row| Some((row.pretraining.step as f64, column.unit.scaled(row.scores[at]?.mean))))
                .collect();
            if points.is_empty() {
                continue;
            }
            let features = if column.features { " (features)" } else { "" };
            let model = if runs.len() > 1 { format!(", {model}") } else { String::new() };
            names.push((lines.len(), format!("{}{features}{model}", analysis.tasks[column.task].label)));
            lines.push(Curve { series: lines.len(), points, best: true });
        }
    }
    let description = format!("Line plot: dev scores after fine-tuning over pretraining steps, {} lines.", lines.len());
    let drawing = plot::curves(&Curves {
        description: &description,
        title: "dev score × 100 after fine-tuning",
        x_title: "pretraining step",
        lines,
        names,
        marks: Marks::All,
        ..Curves::default()
    })?;
    let caption = "Dev scores after fine-tuning, by the step of pretraining that it starts from.";
    Ok(Figure::new(file_name(name), caption, drawing))
}
