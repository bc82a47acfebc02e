//! Lines over epochs or steps: the best run of each model in front of all its runs.

use super::axis::Axis;
use super::canvas::{Align, Mark, PlotError, draw};
use super::{Legend, QUIET, horizontal_scale, series_color, style, vertical_scale};

pub(crate) struct Curve {
    /// The model's number, for colour and mark.
    pub(crate) series: usize,
    /// Points from left to right.
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether it is the best run of its model.
    pub(crate) best: bool,
}

#[derive(Default)]
pub(crate) struct Curves<'a> {
    /// What it shows, for those who do not see it.
    pub(crate) description: &'a str,
    pub(crate) title: &'a str,
    pub(crate) x_title: &'a str,
    pub(crate) lines: Vec<Curve>,
    /// Models and their numbers.
    pub(crate) names: Vec<(usize, String)>,
    /// Horizontal lines with a name, such as the majority answer.
    pub(crate) levels: Vec<(f64, &'static str)>,
    /// Which points of the best lines have a mark.
    pub(crate) marks: Marks,
    /// Whether the horizontal axis counts whole things and starts with the first of them.
    pub(crate) whole: bool,
    /// Whether the vertical axis is logarithmic.
    pub(crate) logarithmic: bool,
}

/// Which points of a line have a mark. A line of one point always has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Marks {
    /// None.
    #[default]
    None,
    /// The last one, so that lines of one colour are told apart.
    Last,
    All,
}

const SIZE: (u32, u32) = (380, 250);
const LEFT: f64 = 44.0;
const RIGHT: f64 = 368.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 208.0;

/// Draws the lines, the faint ones first.
pub(crate) fn curves(plot: &Curves<'_>) -> Result<String, PlotError> {
    let points = || plot.lines.iter().flat_map(|line| line.points.iter().copied());
    let levels = plot.levels.iter().map(|(value, _)| *value);
    let most = points().map(|(x, _)| x).fold(1.0, f64::max);
    let ticks = if plot.whole { (most.min(6.0)) as u32 } else { 4 };
    let start = if plot.whole && most > 1.0 { 1.0 } else { 0.0 };
    let x = Axis::over(points().map(|(x, _)| x).chain([start]), ticks, (LEFT, RIGHT));
    let legend = Legend::of(&plot.names, LEFT, RIGHT, 30.0);
    let (top, bottom) = (TOP + legend.extra, BOTTOM + legend.extra);
    let size = (SIZE.0, SIZE.1 + legend.extra as u32);
    let heights = points().map(|(_, y)| y).chain(levels);
    let y = if plot.logarithmic {
        Axis::logarithmic(heights, 4, (bottom, top))
    } else {
        Axis::over(heights, 4, (bottom, top))
    };
    draw(size, plot.description, |canvas| {
        canvas.text(plot.title, (LEFT, 12.0), style(&QUIET, Align::Left))?;
        legend.draw(canvas)?;
        vertical_scale(canvas, &y, LEFT, RIGHT)?;
        horizontal_scale(canvas, &x, bottom, bottom + 4.0, f64::from(SIZE.0))?;
        canvas.text(plot.x_title, (f64::midpoint(LEFT, RIGHT), bottom + 31.0), style(&QUIET, Align::Center))?;
        for (value, name) in &plot.levels {
            let at = y.pixel(*value);
            canvas.dashes((LEFT, at), RIGHT, &QUIET)?;
            canvas.text(name, (RIGHT, at - 7.0), style(&QUIET, Align::Right))?;
        }
        for best in [false, true] {
            for line in plot.lines.iter().filter(|line| line.best == best) {
                let path: Vec<(f64, f64)> = line.points.iter().map(|p| (x.pixel(p.0), y.pixel(p.1))).collect();
                let color = series_color(line.series);
                let (opacity, width) = if best { (1.0, 2.0) } else { (0.22, 1.0) };
                canvas.path(&path, color, opacity, width)?;
                let marked = match (plot.marks, path.len()) {
                    (_, 1) => 0,
                    (Marks::All, _) if best => 0,
                    (Marks::Last, many) if best => many - 1,
                    (Marks::All | Marks::Last | Marks::None, many) => many,
                };
                let radius = if best { 3.2 } else { 2.0 };
                for point in &path[marked..] {
                    canvas.mark(Mark::of(line.series), *point, radius, color, opacity)?;
                }
            }
        }
        Ok(())
    })
}
