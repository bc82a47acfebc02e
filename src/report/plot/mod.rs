//! Plots as SVG, through plotters' SVG backend. No fonts are needed: text stays text, and the viewer
//! sets it. Everything is drawn with the few primitives of [`Canvas`], in CSS pixels.

mod axis;
mod canvas;
mod curves;
mod gains;
mod heatmap;
mod pairs;
mod scatter;
mod spread;

pub use canvas::PlotError;
pub(crate) use canvas::standalone;
pub(crate) use curves::{Curve, Curves, Marks, curves};
pub(crate) use gains::{GainPlot, GainRow, gains};
pub(crate) use heatmap::{Heatmap, Tile, heatmap};
pub(crate) use pairs::{PairRow, pairs};
pub(crate) use scatter::{Cloud, Scatter, scatter};
pub(crate) use spread::{SpreadRow, spread};

use axis::Axis;
use canvas::{Align, Canvas, Mark, TextStyle};

use super::palette::{INK, QUIET, RULE, SERIES, ThemeColor};

/// Text beside axes and marks, in CSS pixels.
const TEXT: f64 = 11.0;

/// The colour of the n-th model.
fn series_color(series: usize) -> &'static ThemeColor {
    &SERIES[series % SERIES.len()]
}

fn style(color: &'static ThemeColor, align: Align) -> TextStyle {
    TextStyle { size: TEXT, color, align, bold: false }
}

/// The height of a line of a legend.
const LEGEND_LINE: f64 = 17.0;

/// The names of a legend with their places, in as many lines as it takes.
struct Legend {
    entries: Vec<(usize, String, (f64, f64))>,
    /// How much lower everything under the legend goes for its further lines.
    extra: f64,
}

impl Legend {
    /// From `left`, at height `y`; a name that would pass `right` begins a line.
    fn of(names: &[(usize, String)], left: f64, right: f64, y: f64) -> Self {
        let (mut x, mut line) = (left, 0.0);
        let mut entries = Vec::new();
        for (series, name) in names {
            let shown = shortened(name, 22);
            // A sans-serif letter is about 0.56 of the size wide on average.
            let width = 12.0 + shown.chars().count() as f64 * TEXT * 0.56;
            if x > left && x + width > right {
                (x, line) = (left, line + LEGEND_LINE);
            }
            entries.push((*series, shown, (x, y + line)));
            x += width + 14.0;
        }
        Self { entries, extra: line }
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Result<(), PlotError> {
        for (series, name, (x, y)) in &self.entries {
            canvas.mark(Mark::of(*series), (x + 4.0, *y), 3.5, series_color(*series), 1.0)?;
            canvas.text(name, (x + 12.0, *y), style(&INK, Align::Left))?;
        }
        Ok(())
    }
}

/// A name cut to `most` characters: a drawing cannot wrap it.
fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most - 1).chain(['…']).collect()
}

/// The name of a row, at its left end.
fn row_name(canvas: &Canvas<'_>, name: &str, y: f64) -> Result<(), PlotError> {
    let style = TextStyle { size: TEXT + 1.0, ..style(&INK, Align::Left) };
    canvas.text(&shortened(name, 11), (4.0, y), style)
}

/// Horizontal grid lines with labels on their left.
fn vertical_scale(canvas: &Canvas<'_>, axis: &Axis, from: f64, to: f64) -> Result<(), PlotError> {
    for (value, label) in axis.ticks() {
        let y = axis.pixel(value);
        canvas.path(&[(from, y), (to, y)], &RULE, 1.0, 1.0)?;
        canvas.text(&label, (from - 6.0, y), style(&QUIET, Align::Right))?;
    }
    Ok(())
}

/// Vertical grid lines with labels under them, none of which passes the drawing's `edge`.
fn horizontal_scale(canvas: &Canvas<'_>, axis: &Axis, from: f64, to: f64, edge: f64) -> Result<(), PlotError> {
    for (value, label) in axis.ticks() {
        let x = axis.pixel(value);
        canvas.path(&[(x, from), (x, to)], &RULE, 1.0, 1.0)?;
        // A digit is about 0.6 of the size wide.
        let fits = x + label.chars().count() as f64 * TEXT * 0.3 <= edge;
        let (at, align) = if fits { (x, Align::Center) } else { (edge, Align::Right) };
        canvas.text(&label, (at, to + 10.0), style(&QUIET, align))?;
    }
    Ok(())
}
