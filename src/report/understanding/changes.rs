//! The examples that one model gets right and the other does not.

use super::shown::{cells, columns};
use super::sides::Sides;
use super::totals::{Change, change};
use crate::random::Stream;
use crate::report::Error;
use crate::report::block::{Block, Cell, Column, Table};
use crate::report::phrase::{counted, grouped};

/// As many of either direction are shown at most.
const SHOWN: usize = 100;

pub(super) fn build(pair: &Sides<'_>) -> Result<Vec<Block>, Error> {
    if !pair.is_pair() {
        return Ok(Vec::new());
    }
    let [gained, lost] = [Change::Gained, Change::Lost].map(|wanted| chosen(pair, wanted));
    if gained.0.is_empty() && lost.0.is_empty() {
        return Ok(vec![Block::paragraph("Neither model is right where the other is wrong.")]);
    }
    let of_scores = pair.residual(0, 0).is_some();
    let sampled = |(shown, all): &(Vec<usize>, usize), what: Change| {
        let how = if of_scores { "those that moved most" } else { "drawn at random" };
        let (count, words) = (grouped(*all as u64), what.words(pair));
        if shown.len() == *all {
            format!("all {count} of “{words}”")
        } else {
            format!("{} of {count} of “{words}”, {how}", shown.len())
        }
    };
    let caption = format!("{}; {}", sampled(&gained, Change::Gained), sampled(&lost, Change::Lost));
    let caption = caption.replacen("all", "All", usize::from(caption.starts_with("all")));
    let rows = [(gained.0, Change::Gained), (lost.0, Change::Lost)].into_iter().flat_map(|(shown, what)| {
        shown.into_iter().map(move |at| {
            let start = [number(at), Cell::text(what.words(pair))];
            start.into_iter().chain(cells(pair, at)).collect::<Vec<_>>()
        })
    });
    let heads = [Column::number("No."), Column::text("Change")].into_iter().chain(columns(pair)).collect();
    let table = Table { caption, columns: heads, rows: rows.collect(), interactive: true };
    Ok(vec![Block::Table(table)])
}

/// An example's number in its file, from 1.
pub(super) fn number(at: usize) -> Cell {
    Cell::number((at + 1).to_string(), (at + 1) as f64).title(counted(at, "example") + " before it")
}

/// The examples to show in their order, and how many there are: of classes a random sample, of scores those that moved most.
fn chosen(pair: &Sides<'_>, wanted: Change) -> (Vec<usize>, usize) {
    let mut all: Vec<usize> = (0..pair.len()).filter(|at| change(pair, *at) == wanted).collect();
    let count = all.len();
    if count > SHOWN {
        let moved = |at: &usize| Some((pair.residual(0, *at)?.abs() - pair.residual(1, *at)?.abs()).abs());
        if pair.residual(0, 0).is_some() {
            all.sort_by(|a, b| moved(b).unwrap_or(0.0).total_cmp(&moved(a).unwrap_or(0.0)));
        } else {
            Stream::new(0, "changed answers").at(wanted as u64).shuffle(&mut all);
        }
        all.truncate(SHOWN);
        all.sort_unstable();
    }
    (all, count)
}
