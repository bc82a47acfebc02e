//! Confusion matrices.

use super::sides::Sides;
use crate::metric::confusion_matrix;
use crate::report::Error;
use crate::report::block::{Block, Cell, Column, Table, Tone};
use crate::report::phrase::{grouped, percent};
use crate::report::predictions::Predictions;
use crate::store::Answers;

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    let tables: Vec<Block> = pair.sides().filter_map(|side| table(pair, side)).map(Block::Table).collect();
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let text = "Rows are the gold classes, columns the predicted ones: how many examples, and their share of the row. What \
                is right stands on the diagonal; its share is the recall of the class, and the last row its precision.";
    Ok(vec![Block::paragraph(text), Block::Beside(tables)])
}

fn table(pair: &Sides<'_>, side: usize) -> Option<Table> {
    let Answers::Classes { gold, predicted } = pair.answers[side] else { return None };
    let most = gold.iter().chain(predicted).max().map_or(0, |class| *class as usize + 1);
    let names = match pair.predictions[side] {
        Some(Predictions::Classes { names, .. }) if names.len() >= most => names.clone(),
        _ => (0..most).map(|class| class.to_string()).collect(),
    };
    let classes = names.len();
    let counts = confusion_matrix(predicted, gold, classes);
    let row_sum = |row: usize| counts[row * classes..(row + 1) * classes].iter().sum::<u64>();
    let column_sum = |column: usize| (0..classes).map(|row| counts[row * classes + column]).sum::<u64>();
    let share = |part: u64, whole: u64| if whole == 0 { "–".to_owned() } else { percent(part as f64 / whole as f64) };
    let cell = |row: usize, column: usize| {
        let count = counts[row * classes + column];
        let cell = Cell::number(grouped(count), count as f64).small(share(count, row_sum(row)));
        if row == column { cell.tone(Tone::Best) } else { cell }
    };
    let mut rows: Vec<Vec<Cell>> = (0..classes)
        .map(|row| {
            let own = (0..classes).map(|column| cell(row, column));
            std::iter::once(Cell::text(&names[row])).chain(own).collect()
        })
        .collect();
    let precision =
        |class: usize| Cell::text(share(counts[class * classes + class], column_sum(class))).tone(Tone::Quiet);
    rows.push(std::iter::once(Cell::text("Precision").tone(Tone::Quiet)).chain((0..classes).map(precision)).collect());
    let columns = Column::list(&["Gold"], &names.iter().map(String::as_str).collect::<Vec<_>>());
    Some(Table { caption: format!("Predicted by {}", pair.labels[side]), columns, rows, interactive: false })
}
