//! Paired differences between two models, task by task.

use super::axis::Axis;
use super::canvas::{Align, Mark, PlotError, draw};
use super::{INK, QUIET, RULE, horizontal_scale, row_name, series_color, shortened, style};
use crate::stats::Interval;

pub(crate) struct PairRow {
    pub(crate) name: String,
    /// One difference per pair.
    pub(crate) differences: Vec<f64>,
    pub(crate) mean: f64,
    /// The mean's 95 % interval.
    pub(crate) interval: Option<Interval>,
}

const LEFT: f64 = 74.0;
const RIGHT: f64 = 418.0;
const TOP: f64 = 34.0;
const ROW: f64 = 25.0;

/// Draws a row of dots per task, with mean and interval; `series` is the number of the model that is
/// better on the right.
pub(crate) fn pairs(
    rows: &[PairRow],
    names: (&str, &str),
    series: usize,
    description: &str,
) -> Result<String, PlotError> {
    let bottom = TOP + rows.len() as f64 * ROW;
    let ends = |row: &PairRow| row.interval.map(|i| [i.low, i.high]).into_iter().flatten().collect::<Vec<_>>();
    let values = rows.iter().flat_map(|row| row.differences.iter().copied().chain(ends(row))).chain([0.0]);
    let x = Axis::over(values, 5, (LEFT, RIGHT));
    let size = (430, (bottom + 42.0) as u32);
    draw(size, description, |canvas| {
        let zero = x.pixel(0.0);
        canvas.text(&format!("← {} better", shortened(names.0, 20)), (4.0, 12.0), style(&QUIET, Align::Left))?;
        canvas.text(&format!("{} better →", shortened(names.1, 20)), (RIGHT, 12.0), style(&QUIET, Align::Right))?;
        horizontal_scale(canvas, &x, TOP, bottom, f64::from(size.0))?;
        for at in 0..=rows.len() {
            let y = TOP + at as f64 * ROW;
            canvas.path(&[(4.0, y), (RIGHT, y)], &RULE, 1.0, 1.0)?;
        }
        canvas.path(&[(zero, TOP - 6.0), (zero, bottom)], &INK, 1.0, 1.5)?;
        let title = "faint: one pair · diamond: mean, with 95 % interval";
        canvas.text(title, (f64::midpoint(LEFT, RIGHT), bottom + 30.0), style(&QUIET, Align::Center))?;
        for (at, row) in rows.iter().enumerate() {
            let y = TOP + (at as f64 + 0.5) * ROW;
            row_name(canvas, &row.name, y)?;
            let color = series_color(series);
            for difference in &row.differences {
                canvas.mark(Mark::Circle, (x.pixel(*difference), y), 3.0, color, 0.3)?;
            }
            if let Some(interval) = row.interval {
                canvas.path(&[(x.pixel(interval.low), y), (x.pixel(interval.high), y)], color, 1.0, 2.0)?;
            }
            canvas.mark(Mark::Diamond, (x.pixel(row.mean), y), 4.5, color, 1.0)?;
        }
        Ok(())
    })
}
