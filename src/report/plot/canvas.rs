//! A drawing surface in CSS pixels over plotters' SVG backend, which counts in whole pixels: it is
//! given four of its own for each of ours, so that curves stay smooth.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoTextStyle, ShapeStyle};

use crate::report::palette::{PAGE, ThemeColor};

/// Backend pixels per CSS pixel.
const SCALE: f64 = 4.0;
/// plotters divides every font size by this before it writes it (plotters-svg 0.3.7, `draw_text`).
const FONT_FACTOR: f64 = 1.24;

/// A plot could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct PlotError(String);

/// How text sits on its point.
#[derive(Clone, Copy)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// A mark, so that models differ by shape as well as by colour.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Circle,
    Diamond,
    Triangle,
    Square,
}

impl Mark {
    const ALL: [Self; 4] = [Self::Circle, Self::Diamond, Self::Triangle, Self::Square];

    /// The mark of the n-th model.
    pub(crate) fn of(series: usize) -> Self {
        Self::ALL[series % Self::ALL.len()]
    }
}

/// How text is set.
#[derive(Clone, Copy)]
pub(crate) struct TextStyle {
    /// Size in CSS pixels.
    pub(crate) size: f64,
    pub(crate) color: &'static ThemeColor,
    pub(crate) align: Align,
    pub(crate) bold: bool,
}

pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

type Result<T> = std::result::Result<T, PlotError>;

fn at(point: (f64, f64)) -> (i32, i32) {
    ((point.0 * SCALE).round() as i32, (point.1 * SCALE).round() as i32)
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError(error.to_string())
}

/// Draws on a surface of `size` CSS pixels; returns an `<svg>` element named by `description`.
pub(crate) fn draw(
    size: (u32, u32),
    description: &str,
    paint: impl FnOnce(&Canvas<'_>) -> Result<()>,
) -> Result<String> {
    let mut svg = String::new();
    let backend_size = (f64::from(size.0) * SCALE, f64::from(size.1) * SCALE);
    {
        let area =
            SVGBackend::with_string(&mut svg, (backend_size.0 as u32, backend_size.1 as u32)).into_drawing_area();
        let canvas = Canvas { area };
        paint(&canvas)?;
        canvas.area.present().map_err(failed)?;
    }
    // plotters' own start tag has neither a role nor a name, and its pixels are a quarter of ours.
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let name = escape(description);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" \
         aria-label=\"{name}\">{body}",
        size.0, size.1, backend_size.0, backend_size.1
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A drawing as a file of its own: with a title, on the light scheme's ground.
pub(crate) fn standalone(svg: &str, title: &str) -> String {
    let [r, g, b] = PAGE.light;
    let ground = format!(
        "><title>{}</title><rect width=\"100%\" height=\"100%\" fill=\"#{r:02X}{g:02X}{b:02X}\"/>",
        escape(title)
    );
    svg.replacen('>', &ground, 1)
}

impl Canvas<'_> {
    fn stroke(color: &ThemeColor, opacity: f64, width: f64) -> ShapeStyle {
        ShapeStyle { color: color.color().mix(opacity), filled: false, stroke_width: (width * SCALE).round() as u32 }
    }

    pub(crate) fn path(&self, points: &[(f64, f64)], color: &ThemeColor, opacity: f64, width: f64) -> Result<()> {
        let path: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
        self.area.draw(&PathElement::new(path, Self::stroke(color, opacity, width))).map_err(failed)
    }

    /// A dashed line to the right; the backend knows no dashes.
    pub(crate) fn dashes(&self, from: (f64, f64), to_x: f64, color: &ThemeColor) -> Result<()> {
        self.dashed(from.0, to_x, |x| (x, from.1), color)
    }

    /// A dashed line downwards.
    pub(crate) fn upright_dashes(&self, x: f64, from_y: f64, to_y: f64, color: &ThemeColor) -> Result<()> {
        self.dashed(from_y, to_y, |y| (x, y), color)
    }

    fn dashed(&self, from: f64, to: f64, place: impl Fn(f64) -> (f64, f64), color: &ThemeColor) -> Result<()> {
        let mut start = from;
        while start < to {
            self.path(&[place(start), place((start + 3.0).min(to))], color, 1.0, 1.5)?;
            start += 6.0;
        }
        Ok(())
    }

    pub(crate) fn fill(&self, from: (f64, f64), to: (f64, f64), color: &ThemeColor, opacity: f64) -> Result<()> {
        self.area.draw(&Rectangle::new([at(from), at(to)], color.color().mix(opacity).filled())).map_err(failed)
    }

    pub(crate) fn outline(&self, from: (f64, f64), to: (f64, f64), color: &ThemeColor, width: f64) -> Result<()> {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from, (to.0, from.1)];
        self.path(&corners, color, 1.0, width)
    }

    pub(crate) fn mark(&self, mark: Mark, to: (f64, f64), radius: f64, color: &ThemeColor, opacity: f64) -> Result<()> {
        let fill = color.color().mix(opacity).filled();
        let corners: &[(f64, f64)] = match mark {
            Mark::Circle => {
                return self.area.draw(&Circle::new(at(to), (radius * SCALE).round() as u32, fill)).map_err(failed);
            }
            Mark::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
            Mark::Triangle => &[(0.0, -1.25), (1.15, 0.95), (-1.15, 0.95)],
            Mark::Square => &[(-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95)],
        };
        let corners: Vec<_> = corners.iter().map(|(x, y)| at((to.0 + x * radius, to.1 + y * radius))).collect();
        self.area.draw(&Polygon::new(corners, fill)).map_err(failed)
    }

    /// An open circle, which hides what lies under it.
    pub(crate) fn ring(&self, to: (f64, f64), radius: f64, color: &ThemeColor) -> Result<()> {
        self.mark(Mark::Circle, to, radius, &PAGE, 1.0)?;
        let circle = Circle::new(at(to), (radius * SCALE).round() as u32, Self::stroke(color, 1.0, 1.5));
        self.area.draw(&circle).map_err(failed)
    }

    /// Text, centred on its point vertically.
    pub(crate) fn text(&self, text: &str, to: (f64, f64), style: TextStyle) -> Result<()> {
        let horizontal = match style.align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        let weight = if style.bold { FontStyle::Bold } else { FontStyle::Normal };
        let font = ("sans-serif", style.size * SCALE * FONT_FACTOR, weight);
        let color = style.color.color();
        let set = font.into_text_style(&self.area).color(&color).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at(to), set)).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::palette::INK;

    #[test]
    fn a_drawing_has_a_name_a_size_and_its_text_escaped() {
        let style = TextStyle { size: 12.0, color: &INK, align: Align::Left, bold: false };
        let svg = draw((100, 50), "a <b> & \"c\"", |canvas| canvas.text("<&>", (10.0, 20.0), style)).unwrap();
        assert!(svg.starts_with("<svg xmlns="));
        assert!(svg.contains("width=\"100\" height=\"50\" viewBox=\"0 0 400 200\""));
        assert!(svg.contains("aria-label=\"a &lt;b&gt; &amp; &quot;c&quot;\""));
        assert!(svg.contains("&lt;&amp;&gt;") && svg.contains("font-size=\"47."), "{svg}");
        assert!(standalone(&svg, "t").contains("<title>t</title><rect width=\"100%\""));
    }
}
