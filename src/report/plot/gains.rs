//! Random against pretrained weights, task by task: two marks and the way from one to the other.

use super::axis::Axis;
use super::canvas::{Align, Mark, PlotError, draw};
use super::{INK, Legend, QUIET, RULE, TEXT, horizontal_scale, row_name, series_color, shortened, style};

/// One task and one pretrained model.
pub(crate) struct GainRow {
    /// The task's name; written at the first of its rows.
    pub(crate) name: String,
    /// The pretrained model's number, for colour and mark.
    pub(crate) series: usize,
    pub(crate) random: f64,
    pub(crate) pretrained: f64,
    pub(crate) majority: Option<f64>,
}

pub(crate) struct GainPlot<'a> {
    /// What it shows, for those who do not see it.
    pub(crate) description: &'a str,
    /// Rows of one task are neighbours.
    pub(crate) rows: Vec<GainRow>,
    /// The pretrained models and their numbers.
    pub(crate) names: Vec<(usize, String)>,
    /// The name of the model from random weights.
    pub(crate) random: &'a str,
}

const LEFT: f64 = 74.0;
const RIGHT: f64 = 418.0;
const TOP: f64 = 34.0;
const ROW: f64 = 14.0;
const GAP: f64 = 9.0;

/// Draws a row per task and pretrained model; an open circle is the model from random weights.
pub(crate) fn gains(plot: &GainPlot<'_>) -> Result<String, PlotError> {
    let random = shortened(plot.random, 22);
    let right_of_random = 4.0 + 12.0 + random.chars().count() as f64 * TEXT * 0.56 + 14.0;
    let legend = Legend::of(&plot.names, right_of_random, RIGHT, 12.0);
    let top = TOP + legend.extra;
    let begins = |at: usize| at == 0 || plot.rows[at - 1].name != plot.rows[at].name;
    let tasks = (0..plot.rows.len()).filter(|at| begins(*at)).count();
    let bottom = top + plot.rows.len() as f64 * ROW + tasks as f64 * GAP;
    let ends = |row: &GainRow| [Some(row.random), Some(row.pretrained), row.majority].into_iter().flatten();
    let x = Axis::over(plot.rows.iter().flat_map(ends), 5, (LEFT, RIGHT));
    let size = (430, (bottom + 42.0) as u32);
    draw(size, plot.description, |canvas| {
        canvas.ring((8.0, 12.0), 3.5, &QUIET)?;
        canvas.text(&random, (16.0, 12.0), style(&INK, Align::Left))?;
        legend.draw(canvas)?;
        horizontal_scale(canvas, &x, top, bottom, f64::from(size.0))?;
        canvas.text("dev score × 100", (f64::midpoint(LEFT, RIGHT), bottom + 30.0), style(&QUIET, Align::Center))?;
        let mut y = top;
        for (at, row) in plot.rows.iter().enumerate() {
            if begins(at) {
                canvas.path(&[(4.0, y), (RIGHT, y)], &RULE, 1.0, 1.0)?;
                y += GAP / 2.0;
                row_name(canvas, &row.name, y + ROW / 2.0)?;
            }
            let (middle, color) = (y + ROW / 2.0, series_color(row.series));
            if let Some(majority) = row.majority {
                let at = x.pixel(majority);
                canvas.path(&[(at, middle - 5.0), (at, middle + 5.0)], &QUIET, 1.0, 1.5)?;
            }
            let (from, to) = (x.pixel(row.random), x.pixel(row.pretrained));
            canvas.path(&[(from, middle), (to, middle)], color, 0.45, 2.5)?;
            canvas.ring((from, middle), 3.5, &QUIET)?;
            canvas.mark(Mark::of(row.series), (to, middle), 4.0, color, 1.0)?;
            y += ROW;
            if at + 1 == plot.rows.len() || begins(at + 1) {
                y += GAP / 2.0;
            }
        }
        canvas.path(&[(4.0, bottom), (RIGHT, bottom)], &RULE, 1.0, 1.0)
    })
}
