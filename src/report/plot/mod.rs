//! Plots as SVG, through plotters' SVG backend. No fonts are needed: text stays text, and the viewer
//! sets it. Everything is drawn with the few primitives of [`Canvas`], in CSS pixels.

mod axis;
mod canvas;
mod curves;
mod heatmap;
mod pairs;
mod spread;

pub use canvas::PlotError;
pub(crate) use canvas::standalone;
pub(crate) use curves::{Curve, Curves, curves};
pub(crate) use heatmap::{Heatmap, Tile, heatmap};
pub(crate) use pairs::{PairRow, pairs};
pub(crate) use spread::{SpreadRow, spread};

use axis::Axis;
use canvas::{Align, Canvas, Mark, TextStyle};

use super::palette::{INK, QUIET, RULE, SERIES, Swatch};

/// Text beside axes and marks, in CSS pixels.
const TEXT: f64 = 11.0;

/// A plot's size in CSS pixels and its `<svg>` element.
pub(crate) struct Drawing {
    /// Width and height.
    pub(crate) size: (u32, u32),
    /// The element, in the light scheme's colours.
    pub(crate) svg: String,
}

/// The colour of the n-th model.
fn series_color(series: usize) -> &'static Swatch {
    &SERIES[series % SERIES.len()]
}

fn style(color: &'static Swatch, align: Align) -> TextStyle {
    TextStyle { size: TEXT, color, align, bold: false }
}

/// Marks and names of the models in one line from `left`, at height `y`.
fn legend(canvas: &Canvas<'_>, names: &[(usize, String)], left: f64, y: f64) -> Result<(), PlotError> {
    let mut x = left;
    for (series, name) in names {
        canvas.mark(Mark::of(*series), (x + 4.0, y), 3.5, series_color(*series), 1.0)?;
        let shown = shortened(name, 22);
        canvas.text(&shown, (x + 12.0, y), style(&INK, Align::Left))?;
        // A sans-serif letter is about 0.56 of the size wide on average.
        x += 12.0 + shown.chars().count() as f64 * TEXT * 0.56 + 14.0;
    }
    Ok(())
}

/// A name cut to `most` characters: a drawing cannot wrap it.
fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most - 1).chain(['…']).collect()
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

/// Vertical grid lines with labels under them.
fn horizontal_scale(canvas: &Canvas<'_>, axis: &Axis, from: f64, to: f64) -> Result<(), PlotError> {
    for (value, label) in axis.ticks() {
        let x = axis.pixel(value);
        canvas.path(&[(x, from), (x, to)], &RULE, 1.0, 1.0)?;
        canvas.text(&label, (x, to + 10.0), style(&QUIET, Align::Center))?;
    }
    Ok(())
}
