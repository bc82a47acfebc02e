//! A grid of scores, each cell coloured and with its number printed.

use super::canvas::{Align, PlotError, TextStyle, draw};
use super::{INK, QUIET, RULE, TEXT, shortened, style};
use crate::report::palette::{BAD, HEAT, HEAT_INK, PANEL};

pub(crate) struct Tile {
    /// Row and column.
    pub(crate) place: (usize, usize),
    pub(crate) text: String,
    /// Where its score lies between the lowest (0) and the highest (1); `None` without a score.
    pub(crate) level: Option<f64>,
    /// Whether it is the best of its model.
    pub(crate) best: bool,
    pub(crate) failed: bool,
}

pub(crate) struct Heatmap<'a> {
    /// What it shows, for those who do not see it.
    pub(crate) description: &'a str,
    /// Above the grid.
    pub(crate) title: &'a str,
    /// Above the columns, and the columns' names.
    pub(crate) columns: (&'a str, Vec<String>),
    /// Above the rows' names, and these.
    pub(crate) rows: (&'a str, Vec<String>),
    pub(crate) tiles: Vec<Tile>,
    /// The lowest and the highest score, as printed.
    pub(crate) range: [String; 2],
}

const LEFT: f64 = 92.0;
const TOP: f64 = 50.0;
const TILE: (f64, f64) = (66.0, 30.0);

/// Draws the grid, with its colour scale underneath.
pub(crate) fn heatmap(plot: &Heatmap<'_>) -> Result<String, PlotError> {
    let (columns, rows) = (plot.columns.1.len() as f64, plot.rows.1.len() as f64);
    let right = LEFT + columns * TILE.0;
    let bottom = TOP + rows * TILE.1;
    let size = ((right + 8.0).max(300.0) as u32, (bottom + 34.0) as u32);
    draw(size, plot.description, |canvas| {
        canvas.text(plot.title, (4.0, 10.0), TextStyle { bold: true, ..style(&INK, Align::Left) })?;
        canvas.text(plot.rows.0, (LEFT - 8.0, TOP - 12.0), style(&QUIET, Align::Right))?;
        let centre = LEFT + columns * TILE.0 / 2.0;
        canvas.text(plot.columns.0, (centre, TOP - 26.0), style(&QUIET, Align::Center))?;
        for (at, name) in plot.columns.1.iter().enumerate() {
            canvas.text(name, (LEFT + (at as f64 + 0.5) * TILE.0, TOP - 11.0), style(&QUIET, Align::Center))?;
        }
        for (at, name) in plot.rows.1.iter().enumerate() {
            let middle = TOP + (at as f64 + 0.5) * TILE.1;
            canvas.text(&shortened(name, 14), (LEFT - 8.0, middle), style(&QUIET, Align::Right))?;
        }
        for tile in &plot.tiles {
            draw_tile(canvas, tile)?;
        }
        // On top of the neighbours' edges.
        for tile in plot.tiles.iter().filter(|tile| tile.best) {
            let (from, to) = corners(tile.place);
            canvas.outline(from, to, &INK, 2.0)?;
        }
        scale(canvas, plot, bottom + 14.0)
    })
}

fn corners(place: (usize, usize)) -> ((f64, f64), (f64, f64)) {
    let from = (LEFT + place.1 as f64 * TILE.0 + 1.0, TOP + place.0 as f64 * TILE.1 + 1.0);
    (from, (from.0 + TILE.0 - 2.0, from.1 + TILE.1 - 2.0))
}

fn draw_tile(canvas: &super::Canvas<'_>, tile: &Tile) -> Result<(), PlotError> {
    let (from, to) = corners(tile.place);
    let step = tile.level.map(|level| ((level.clamp(0.0, 1.0) * HEAT.len() as f64) as usize).min(HEAT.len() - 1));
    let ink = match (step, tile.failed) {
        (Some(step), _) => HEAT_INK[step],
        (None, true) => &BAD,
        (None, false) => &QUIET,
    };
    canvas.fill(from, to, step.map_or(&PANEL, |step| &HEAT[step]), 1.0)?;
    if step.is_none() {
        canvas.outline(from, to, &RULE, 1.0)?;
    }
    let centre = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
    let text = TextStyle { size: TEXT + 1.0, color: ink, align: Align::Center, bold: tile.best };
    canvas.text(&tile.text, centre, text)
}

/// The nine steps of the colour scale between the lowest and the highest score.
fn scale(canvas: &super::Canvas<'_>, plot: &Heatmap<'_>, y: f64) -> Result<(), PlotError> {
    canvas.text(&plot.range[0], (LEFT - 8.0, y + 4.0), style(&QUIET, Align::Right))?;
    let width = 14.0;
    for (step, color) in HEAT.iter().enumerate() {
        let x = LEFT + 1.0 + step as f64 * width;
        canvas.fill((x, y), (x + width, y + 8.0), color, 1.0)?;
    }
    let end = LEFT + 1.0 + HEAT.len() as f64 * width;
    canvas.text(&plot.range[1], (end + 8.0, y + 4.0), style(&QUIET, Align::Left))
}
