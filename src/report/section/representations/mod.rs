//! What each encoder's representation can do, beside what the text that introduces BERT says of it: how far it reaches,
//! whether it sees both sides, whether it computes in parallel.

mod measured;
mod parallel;

use std::collections::BTreeSet;

use measured::{Measured, PROBES, Scores};

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Figure, Table};
use crate::report::phrase::grouped;
use crate::report::plot::{self, Curve, Curves, Marks};
use crate::settings::EncoderType;

/// What the text says of an encoder: the degree of its reach, and whether it sees both sides and computes in parallel.
const CLAIMS: [(EncoderType, u32, bool, bool); 5] = [
    (EncoderType::WordVectors, 1, true, true),
    (EncoderType::Lstm, 2, false, false),
    (EncoderType::Elmo, 2, true, false),
    (EncoderType::Gpt, 3, false, true),
    (EncoderType::Bert, 3, true, true),
];

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let mut measured: Vec<Measured> =
        (0..analysis.systems.len()).map(|system| Measured::of(analysis, system)).collect();
    measured.retain(|of| !of.is_empty());
    if measured.is_empty() {
        return Ok(Vec::new());
    }
    measured.sort_by_key(|of| CLAIMS.iter().position(|claim| claim.0 == of.encoder));
    let mut blocks = vec![Block::paragraph(explanation()), Block::Table(table(analysis, &measured))];
    let disagreements: Vec<String> = measured.iter().flat_map(|of| disagreements(analysis, of)).collect();
    if disagreements.is_empty() {
        blocks.push(Block::paragraph("Where it was measured, the text's table holds."));
    } else {
        blocks.push(Block::List(disagreements));
    }
    let mut figures = Vec::new();
    for (at, (task, _, asked)) in PROBES.iter().enumerate() {
        let caption = format!("F1 by distance when {asked} (task {task})");
        blocks.extend(table_of(analysis, &measured, &caption, |of| {
            of.far[at].iter().map(|(distance, scores)| (*distance, scores.cell())).collect()
        }));
        let name = format!("representations-{task}");
        let title = format!("{task}: F1 × 100, by log₂ of the distance");
        figures.extend(figure(analysis, &measured, &name, &title, |of| {
            of.far[at].iter().filter_map(|(distance, scores)| Some((*distance, 100.0 * scores.mean()?))).collect()
        })?);
    }
    let caption = "Training tokens per second of the pretraining, by length of the examples";
    blocks.extend(table_of(analysis, &measured, caption, |of| {
        let cell = |speed: f64| Cell::number(grouped(speed.round() as u64), speed);
        of.speed.iter().map(|(length, speed)| (*length, cell(*speed))).collect()
    }));
    let title = "F1 × 100 of left (1), right (2), both (3)";
    figures.extend(figure(analysis, &measured, "representations-sides", title, |of| {
        // The axis is one of logarithms.
        let point = |(at, scores): (u32, &Scores)| Some((1 << at, 100.0 * scores.mean()?));
        (1..).zip(&of.sides).filter_map(point).collect()
    })?);
    if let Some(speed) = analysis.input.experiments.iter().find_map(|of| of.encoder_speed.as_ref()) {
        blocks.extend(parallel::tables(speed).map(Block::Table));
    }
    let title = "1000 training tokens per second of pretraining, by log₂ of the length";
    figures.extend(figure(analysis, &measured, "representations-speed", title, |of| {
        of.speed.iter().map(|(length, speed)| (*length, speed / 1000.0)).collect()
    })?);
    if !figures.is_empty() {
        blocks.push(Block::Figures(figures));
    }
    Ok(blocks)
}

/// What the table's columns are.
fn explanation() -> String {
    let asked: Vec<String> =
        PROBES.iter().map(|(task, title, asked)| format!("{title}: {asked} (task {task})")).collect();
    format!(
        "The first columns are the greatest distance, in tokens, up to which what decides is found: F1 is at least 75, half-way \
         from chance to 100. {}. Degree 3 is any word at every distance that was asked, degree 2 a word that is kept over some \
         distance, degree 1 neither. Left, right and both are F1 of a word whose class is decided by the words to its left, to its \
         right, or on both sides (task sides): a model that does not see a side is at 50. The mean over the seeds, and half of \
         its 95 % interval by Student's t, at the point of the sweep that is best over all of a task's dev files. Dependent \
         steps are those that must follow one another for a sequence of n tokens. \
         In brackets: what the text says.",
        asked.join(". ")
    )
}

impl Measured {
    /// Steps that must follow one another, for n tokens.
    fn dependent_steps(&self) -> String {
        let n = if self.encoder.facts().is_recurrent { " n" } else { "" };
        format!("{}{n}", self.layers.max(1))
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn table(analysis: &Analysis<'_>, measured: &[Measured]) -> Table {
    let probes = PROBES.map(|(_, title, _)| title);
    let others = ["Degree", "Left", "Right", "Both", "Dependent steps"];
    let columns = Column::list(&["Model"], &[&probes[..], &others].concat());
    let absent = || Cell::absent("it was not measured");
    let row = |of: &Measured| {
        let claim = CLAIMS.iter().find(|claim| claim.0 == of.encoder);
        let said = |say: fn(&(EncoderType, u32, bool, bool)) -> String| claim.map(say).unwrap_or_default();
        let [left, right, both] = of.sides.each_ref().map(Scores::cell);
        let system = &analysis.systems[of.system];
        let mut cells = vec![Cell::text(&system.label).small(of.encoder.to_string())];
        cells.extend((0..PROBES.len()).map(|at| of.bridged(at).map_or_else(absent, measured::Bridged::cell)));
        let degree = of.degree().map(f64::from);
        let degree = Cell::known(degree, "a probe was not measured or not learnt", |degree| degree.to_string());
        cells.push(degree.small(said(|claim| format!("[{}]", claim.1))));
        cells.extend([left, right, with_claim(both, &said(|claim| format!("[both sides: {}]", yes(claim.2))))]);
        cells.push(Cell::text(of.dependent_steps()).small(said(|claim| format!("[parallel: {}]", yes(claim.3)))));
        cells
    };
    let rows = measured.iter().map(row).collect();
    Table { caption: "Representations".into(), columns, rows, interactive: false }
}

fn with_claim(cell: Cell, claim: &str) -> Cell {
    let small = cell.small.clone().map_or_else(|| claim.to_owned(), |small| format!("{small} {claim}"));
    cell.small(small)
}

/// Where the measurement says otherwise than the text.
fn disagreements(analysis: &Analysis<'_>, of: &Measured) -> Vec<String> {
    let Some(claim) = CLAIMS.iter().find(|claim| claim.0 == of.encoder) else { return Vec::new() };
    let label = &analysis.systems[of.system].label;
    let mut found = Vec::new();
    if let Some(degree) = of.degree().filter(|degree| *degree != claim.1) {
        found.push(format!("{label} reaches to degree {degree}, where the text says {}.", claim.1));
    }
    for (index, (task, ..)) in PROBES.iter().enumerate().take(2) {
        if let Some(distance) = of.not_learnt(index) {
            found.push(format!(
                "{label} did not learn {task} over even {distance} tokens, with this pretraining and in these epochs: its row \
                 does not say how far it could reach."
            ));
        }
    }
    if of.learnt_nothing() {
        found.push(format!(
            "{label} learnt the words of neither side with this pretraining and in these epochs: its row does not say what \
             it could see."
        ));
        return found;
    }
    if let Some(both) = of.sees_both().filter(|both| *both != claim.2) {
        let why = if of.encoder.facts().is_contextual {
            ""
        } else {
            ": both sides of a word shape its vector in training, but in a sentence the vector is the same whatever stands \
             around it"
        };
        found.push(format!("{label} sees both sides: {}, where the text says {}{why}.", yes(both), yes(claim.2)));
    }
    found
}

/// A table with a column for each number that some model was measured at; `None` without any.
fn table_of(
    analysis: &Analysis<'_>,
    measured: &[Measured],
    caption: &str,
    cells: impl Fn(&Measured) -> Vec<(u32, Cell)>,
) -> Option<Block> {
    let heads: BTreeSet<u32> = measured.iter().flat_map(|of| cells(of).into_iter().map(|(at, _)| at)).collect();
    if heads.is_empty() {
        return None;
    }
    let mut columns = vec![Column::text("Model")];
    columns.extend(heads.iter().map(|head| Column::number(&head.to_string())));
    let row = |of: &Measured| {
        let own = cells(of);
        let cell = |head: &u32| {
            let found = own.iter().find(|(at, _)| at == head).map(|(_, cell)| cell.clone());
            found.unwrap_or_else(|| Cell::absent("it was not measured"))
        };
        [Cell::text(&analysis.systems[of.system].label)].into_iter().chain(heads.iter().map(cell)).collect()
    };
    let rows = measured.iter().map(row).collect();
    Some(Block::Table(Table { caption: caption.to_owned(), columns, rows, interactive: false }))
}

fn figure(
    analysis: &Analysis<'_>,
    measured: &[Measured],
    name: &str,
    title: &str,
    points: impl Fn(&Measured) -> Vec<(u32, f64)>,
) -> Result<Option<Figure>, Error> {
    let line = |of: &Measured| {
        let points = points(of).into_iter().map(|(at, value)| (f64::from(at).log2(), value)).collect();
        Curve { series: of.system, points, best: true }
    };
    let lines: Vec<Curve> = measured.iter().map(line).filter(|line| !line.points.is_empty()).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let label = |line: &Curve| (line.series, analysis.systems[line.series].label.clone());
    let names = lines.iter().map(label).collect();
    let description = format!("Line plot: {title}; a line for each of {} models.", lines.len());
    let drawing = plot::curves(&Curves {
        description: &description,
        title,
        x_title: "",
        lines,
        names,
        marks: Marks::All,
        ..Curves::default()
    })?;
    Ok(Some(Figure::new(name.to_owned(), title, drawing)))
}
