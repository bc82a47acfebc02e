//! Where models are wrong and where two differ, example by example: a link to the page of each.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table};
use crate::report::understanding::{Sides, Totals};

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let (pairs, alone): (Vec<Sides<'_>>, Vec<Sides<'_>>) = Sides::all(analysis).into_iter().partition(Sides::is_pair);
    let mut blocks = Vec::new();
    if !pairs.is_empty() {
        blocks.push(Block::paragraph(
            "The best runs of two models, example by example. Each page shows what one gets right and the other does not with \
             text and answers, confusions, scores by length, calibration and the worst errors.",
        ));
        blocks.push(Block::Table(pair_table(&pairs)));
    }
    if !alone.is_empty() {
        blocks.push(Block::paragraph(
            "The best run of a model, example by example: confusions, scores by length, calibration and the worst errors \
             with text and answers.",
        ));
        blocks.push(Block::Table(table_of_one(&alone)));
    }
    Ok(blocks)
}

fn table_of_one(all: &[Sides<'_>]) -> Table {
    let row = |of: &Sides<'_>| {
        let right = of.all_right(0);
        let count_of = |wanted: bool| match &right {
            Some(right) => Cell::count(right.iter().filter(|right| **right == wanted).count()),
            None => Cell::absent("scores are near or far, not right or wrong"),
        };
        vec![
            Cell::text(of.task).link(&of.page),
            Cell::text(of.labels[0]),
            Cell::count(of.len()),
            count_of(true),
            count_of(false),
        ]
    };
    let columns = Column::list(&["Task", "Model"], &["Examples", "Right", "Wrong"]);
    let rows = all.iter().map(row).collect();
    Table { caption: "A page for each model on a task".into(), columns, rows, interactive: all.len() > 10 }
}

fn pair_table(pairs: &[Sides<'_>]) -> Table {
    let row = |pair: &Sides<'_>| {
        let (totals, of_scores) = (Totals::of(pair), pair.residual(0, 0).is_some());
        let not_of_scores = |count_of: usize| {
            if of_scores { Cell::absent("scores are near or far, not right or wrong") } else { Cell::count(count_of) }
        };
        let small = |cell: Cell, small: &str| if of_scores { cell.small(small) } else { cell };
        vec![
            Cell::text(pair.task).link(&pair.page),
            Cell::text(pair.labels[1]),
            Cell::text(pair.labels[0]),
            Cell::count(pair.len()),
            small(Cell::count(totals.gained), "nearer"),
            small(Cell::count(totals.lost), "farther"),
            not_of_scores(totals.both),
            not_of_scores(totals.neither),
        ]
    };
    let numbers = ["Examples", "Wrong → right", "Right → wrong", "Right by both", "Wrong by both"];
    let columns = Column::list(&["Task", "Model", "Against"], &numbers);
    let rows = pairs.iter().map(row).collect();
    Table { caption: "A page for each two models on a task".into(), columns, rows, interactive: pairs.len() > 10 }
}
