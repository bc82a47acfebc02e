//! The errors that hurt most: confidently wrong answers, the largest residuals, sentences with most wrong entities.

use super::changes::number;
use super::shown::{cells, columns};
use super::sides::Sides;
use crate::report::Error;
use crate::report::block::{Block, Cell, Column, Table};
use crate::store::Answers;

/// As many are shown of each model.
const SHOWN: usize = 20;

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let by = match pair.answers[0] {
        Answers::Classes { .. } => "wrong answers of the highest confidence",
        Answers::Scores { .. } => "scores farthest from gold",
        Answers::Spans { .. } => "answers without a word in common with gold",
        Answers::Tags { .. } => "sentences with most wrong or missed entities",
    };
    Ok(pair.sides().filter_map(|side| table(pair, side, by)).map(Block::Table).collect())
}

/// How bad a side's answer is; `None` of one that is right.
fn badness(pair: &Sides<'_>, side: usize, at: usize) -> Option<f64> {
    match pair.answers[side] {
        Answers::Classes { .. } => pair.confidence(side, at).filter(|_| pair.is_right(side, at) == Some(false)),
        Answers::Scores { .. } => pair.residual(side, at).map(f64::abs),
        Answers::Spans { f1, .. } => (f1[at] <= 0.0).then_some(1.0),
        Answers::Tags { gold, found, correct } => {
            let wrong = f64::from(gold[at]) + f64::from(found[at]) - 2.0 * f64::from(correct[at]);
            (wrong > 0.0).then_some(wrong)
        }
    }
}

/// The worst first, of equals the first in the file.
fn worst(pair: &Sides<'_>, side: usize) -> Vec<usize> {
    let mut all: Vec<(usize, f64)> = (0..pair.len()).filter_map(|at| Some((at, badness(pair, side, at)?))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.into_iter().take(SHOWN).map(|(at, _)| at).collect()
}

fn table(pair: &Sides<'_>, side: usize, by: &str) -> Option<Table> {
    let rows: Vec<Vec<Cell>> =
        worst(pair, side).into_iter().map(|at| std::iter::once(number(at)).chain(cells(pair, at)).collect()).collect();
    let columns = std::iter::once(Column::number("No.")).chain(columns(pair)).collect();
    let caption = format!("{}: {by}", pair.labels[side]);
    (!rows.is_empty()).then_some(Table { caption, columns, rows, interactive: true })
}
