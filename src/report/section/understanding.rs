//! Where two models differ, example by example: a link to the page of each pair.

use crate::report::Error;
use crate::report::analysis::Analysis;
use crate::report::block::{Block, Cell, Column, Table};
use crate::report::phrase::grouped;
use crate::report::understanding::{Pair, Totals};

pub(super) fn build(analysis: &Analysis<'_>) -> Result<Vec<Block>, Error> {
    let pairs = Pair::all(analysis);
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let row = |pair: &Pair<'_>| {
        let (totals, of_scores) = (Totals::of(pair), pair.residual(0, 0).is_some());
        let count = |count: usize| Cell::number(grouped(count as u64), count as f64);
        let not_of_scores = |count_of: usize| {
            if of_scores { Cell::absent("scores are near or far, not right or wrong") } else { count(count_of) }
        };
        let small = |cell: Cell, small: &str| if of_scores { cell.small(small) } else { cell };
        vec![
            Cell::text(pair.task).link_to_page(&pair.page),
            Cell::text(pair.labels[1]),
            Cell::text(pair.labels[0]),
            count(pair.len()),
            small(count(totals.gained), "nearer"),
            small(count(totals.lost), "farther"),
            not_of_scores(totals.both),
            not_of_scores(totals.neither),
        ]
    };
    let numbers = ["Examples", "Wrong → right", "Right → wrong", "Right by both", "Wrong by both"].map(Column::number);
    let columns = ["Task", "Model", "Against"].map(Column::text).into_iter().chain(numbers).collect();
    let rows = pairs.iter().map(row).collect();
    let table =
        Table { caption: "A page for each two models on a task".into(), columns, rows, interactive: pairs.len() > 10 };
    Ok(vec![
        Block::paragraph(
            "The best runs of two models, example by example. Each page shows what one gets right and the other does not with \
             text and answers, confusions, scores by length, calibration and the worst errors.",
        ),
        Block::Table(table),
    ])
}
