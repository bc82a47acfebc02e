//! All points of the sweep, task by task: what a choice of hyperparameters does to each model.

use super::axis::Axis;
use super::canvas::{Align, Mark, PlotError, draw};
use super::{Legend, QUIET, RULE, horizontal_scale, row_name, series_color, style};

pub(crate) struct SpreadRow {
    pub(crate) name: String,
    /// By model: its number, its points' scores, and the best of them.
    pub(crate) models: Vec<(usize, Vec<f64>, Option<f64>)>,
    pub(crate) majority: Option<f64>,
    /// The best score that any model can expect.
    pub(crate) ceiling: Option<f64>,
}

const WIDTH: f64 = 430.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 418.0;
const TOP: f64 = 34.0;
const MODEL_ROW: f64 = 13.0;
const GAP: f64 = 10.0;

/// Draws a block per task with a row per model; `names` are the models with their numbers.
pub(crate) fn spread(
    rows: &[SpreadRow],
    names: &[(usize, String)],
    x_title: &str,
    description: &str,
) -> Result<String, PlotError> {
    let height = |row: &SpreadRow| row.models.len().max(1) as f64 * MODEL_ROW + GAP;
    let legend = Legend::of(names, 4.0, RIGHT, 12.0);
    let start = TOP + legend.extra;
    let bottom = start + rows.iter().map(height).sum::<f64>();
    let values = rows.iter().flat_map(|row| {
        row.models.iter().flat_map(|model| model.1.iter().copied()).chain(row.majority).chain(row.ceiling)
    });
    let x = Axis::over(values, 5, (LEFT, RIGHT));
    let size = (WIDTH as u32, (bottom + 42.0) as u32);
    draw(size, description, |canvas| {
        legend.draw(canvas)?;
        horizontal_scale(canvas, &x, start, bottom, WIDTH)?;
        canvas.text(x_title, (f64::midpoint(LEFT, RIGHT), bottom + 30.0), style(&QUIET, Align::Center))?;
        let mut top = start;
        for row in rows {
            let end = top + height(row);
            canvas.path(&[(4.0, top), (RIGHT, top)], &RULE, 1.0, 1.0)?;
            row_name(canvas, &row.name, f64::midpoint(top, end))?;
            if let Some(majority) = row.majority {
                let at = x.pixel(majority);
                canvas.path(&[(at, top + 3.0), (at, end - 3.0)], &QUIET, 1.0, 1.5)?;
            }
            if let Some(ceiling) = row.ceiling {
                canvas.upright_dashes(x.pixel(ceiling), top + 3.0, end - 3.0, &QUIET)?;
            }
            for (model, (series, points, best)) in row.models.iter().enumerate() {
                let y = top + GAP / 2.0 + (model as f64 + 0.5) * MODEL_ROW;
                for point in points {
                    canvas.mark(Mark::of(*series), (x.pixel(*point), y), 3.0, series_color(*series), 0.35)?;
                }
                if let Some(best) = best {
                    canvas.mark(Mark::of(*series), (x.pixel(*best), y), 4.5, series_color(*series), 1.0)?;
                }
            }
            top = end;
        }
        canvas.path(&[(4.0, bottom), (RIGHT, bottom)], &RULE, 1.0, 1.0)
    })
}
