//! Points against the diagonal on which they should lie.

use super::axis::Axis;
use super::canvas::{Align, Mark, PlotError, draw};
use super::{Legend, QUIET, horizontal_scale, series_color, style, vertical_scale};

pub(crate) struct Cloud {
    /// The model's number, for colour and mark.
    pub(crate) series: usize,
    /// Points, each with the radius of its mark in CSS pixels.
    pub(crate) points: Vec<((f64, f64), f64)>,
    pub(crate) opacity: f64,
    pub(crate) joined: bool,
}

pub(crate) struct Scatter<'a> {
    /// What it shows, for those who do not see it.
    pub(crate) description: &'a str,
    /// Above the plot, over the vertical axis.
    pub(crate) y_title: &'a str,
    pub(crate) x_title: &'a str,
    pub(crate) clouds: Vec<Cloud>,
    /// Models and their numbers.
    pub(crate) names: Vec<(usize, String)>,
    /// What both axes must hold.
    pub(crate) range: (f64, f64),
}

const SIZE: (u32, u32) = (340, 350);
const LEFT: f64 = 40.0;
const RIGHT: f64 = 328.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 308.0;

/// Draws the points over the diagonal.
pub(crate) fn scatter(plot: &Scatter<'_>) -> Result<String, PlotError> {
    let points = || plot.clouds.iter().flat_map(|cloud| &cloud.points).map(|(point, _)| *point);
    let ends = [plot.range.0, plot.range.1];
    let legend = Legend::of(&plot.names, LEFT, RIGHT, 30.0);
    let (top, bottom) = (TOP + legend.extra, BOTTOM + legend.extra);
    let x = Axis::over(points().map(|(x, _)| x).chain(ends), 5, (LEFT, RIGHT));
    let y = Axis::over(points().map(|(_, y)| y).chain(ends), 5, (bottom, top));
    let size = (SIZE.0, SIZE.1 + legend.extra as u32);
    draw(size, plot.description, |canvas| {
        canvas.text(plot.y_title, (4.0, 12.0), style(&QUIET, Align::Left))?;
        legend.draw(canvas)?;
        vertical_scale(canvas, &y, LEFT, RIGHT)?;
        horizontal_scale(canvas, &x, top, bottom + 4.0, f64::from(SIZE.0))?;
        canvas.text(plot.x_title, (f64::midpoint(LEFT, RIGHT), bottom + 31.0), style(&QUIET, Align::Center))?;
        let on_diagonal = |value: f64| (x.pixel(value), y.pixel(value));
        canvas.path(&[on_diagonal(ends[0]), on_diagonal(ends[1])], &QUIET, 1.0, 1.0)?;
        for cloud in &plot.clouds {
            let color = series_color(cloud.series);
            let places: Vec<(f64, f64)> = cloud.points.iter().map(|((a, b), _)| (x.pixel(*a), y.pixel(*b))).collect();
            if cloud.joined {
                canvas.path(&places, color, 1.0, 1.5)?;
            }
            for (place, (_, radius)) in places.iter().zip(&cloud.points) {
                canvas.mark(Mark::of(cloud.series), *place, *radius, color, cloud.opacity)?;
            }
        }
        Ok(())
    })
}
