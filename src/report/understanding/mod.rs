//! One model or two on the examples of a task: where it is wrong, and where one is right and the other is not. A part is
//! a function from them to blocks, and a row in [`PARTS`]; one without blocks does not appear.
#![expect(clippy::unnecessary_wraps, reason = "all parts have one signature, and some draw plots")]

mod calibration;
mod changes;
mod classes;
mod entities;
mod grouped;
mod lengths;
mod questions;
mod residuals;
mod shown;
mod sides;
mod totals;
mod worst;

pub(crate) use sides::Sides;
pub(crate) use totals::Totals;

use super::Error;
use super::block::{Block, Part};

/// A part: its place, its heading, and what makes it.
type Row = (&'static str, &'static str, fn(&Sides<'_>) -> Result<Vec<Block>, Error>);

const PARTS: [Row; 9] = [
    ("totals", "At a glance", totals::build),
    ("classes", "Classes", classes::build),
    ("entities", "Entities", entities::build),
    ("questions", "Questions", questions::build),
    ("residuals", "Residuals", residuals::build),
    ("lengths", "Score by length", lengths::build),
    ("calibration", "Calibration", calibration::build),
    ("changes", "Changed answers", changes::build),
    ("worst", "Worst errors", worst::build),
];

/// Everything that there is to say of them.
pub(crate) fn parts(pair: &Sides<'_>) -> Result<Vec<Part>, Error> {
    Part::all(PARTS.iter().map(|(id, title, build)| (*id, *title, build(pair))))
}
