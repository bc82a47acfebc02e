//! The parts of a page as values; [`super::html`] and [`super::markdown`] write them down.

use serde::Serialize;

use super::Error;
use super::phrase::grouped;
use crate::stats::Interval;

/// One part of a section.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub(crate) enum Block {
    /// A heading under the section's own.
    Heading(String),
    /// Running text.
    Paragraph(String),
    /// What a reader must not miss.
    Caution(String),
    /// A row of headline numbers.
    Facts(Vec<Fact>),
    Table(Table),
    /// Plots that belong together, laid out as the screen allows.
    Figures(Vec<Figure>),
    /// Parts that stand side by side where the screen is wide enough.
    Beside(Vec<Block>),
    /// A list of remarks.
    List(Vec<String>),
    /// Commands to copy.
    Code(String),
    /// Names and values, folded away under a summary that others can link to.
    Details {
        /// The place's name on the page.
        anchor: String,
        /// What is seen when it is folded.
        summary: String,
        /// Names and values.
        pairs: Vec<(String, String)>,
    },
}

/// A section with its parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Part {
    /// The name of its place.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) blocks: Vec<Block>,
}

/// A headline number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fact {
    pub(crate) label: String,
    pub(crate) value: String,
    /// A line under it.
    pub(crate) detail: String,
    pub(crate) tone: Tone,
}

/// How a value is marked, beside its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tone {
    /// Not at all.
    #[default]
    Plain,
    /// The best of its row.
    Best,
    /// Something is wrong.
    Bad,
    /// Nothing is there; the title says why.
    Absent,
    /// Beside the point.
    Quiet,
}

/// A table: a value before it is text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    /// Its rows, each with a cell per column.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Whether the page offers sorting and filtering.
    pub(crate) interactive: bool,
}

/// A column's head.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Column {
    pub(crate) title: String,
    /// Whether it holds numbers, which are aligned right.
    pub(crate) numeric: bool,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// A second, smaller line.
    pub(crate) small: Option<String>,
    /// What a pointer's rest shows.
    pub(crate) title: Option<String>,
    /// Where it leads to: `#place` on this page, or another page.
    pub(crate) link: Option<String>,
    /// The number that it is sorted by; text without.
    pub(crate) sort: Option<f64>,
    pub(crate) tone: Tone,
}

/// A plot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// The name of its own file, without `.svg`; unique in a report.
    pub(crate) name: String,
    /// What it shows, as a line under it.
    pub(crate) caption: String,
    /// The drawing, an `<svg>` element with the light palette's colours.
    pub(crate) svg: String,
    /// Whether it takes the full width.
    pub(crate) wide: bool,
}

impl Block {
    pub(crate) fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph(text.into())
    }

    pub(crate) fn heading(text: impl Into<String>) -> Self {
        Self::Heading(text.into())
    }

    pub(crate) fn caution(text: impl Into<String>) -> Self {
        Self::Caution(text.into())
    }

    /// Its plots, in their order.
    pub(crate) fn figures_mut(&mut self) -> Vec<&mut Figure> {
        if let Self::Figures(figures) = self {
            figures.iter_mut().collect()
        } else if let Self::Beside(blocks) = self {
            blocks.iter_mut().flat_map(Self::figures_mut).collect()
        } else {
            Vec::new()
        }
    }
}

impl Part {
    /// A section for each place, heading and parts; those without parts do not appear.
    pub(crate) fn all(
        made: impl Iterator<Item = (&'static str, &'static str, Result<Vec<Block>, Error>)>,
    ) -> Result<Vec<Self>, Error> {
        let made = made.map(|(id, title, blocks)| Ok(Self { id, title, blocks: blocks? }));
        made.filter(|part| part.as_ref().map_or(true, |part: &Self| !part.blocks.is_empty())).collect()
    }
}

impl Fact {
    /// A number that is not marked.
    pub(crate) fn plain(label: &str, value: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { label: label.to_owned(), value: value.into(), detail: detail.into(), tone: Tone::Plain }
    }
}

impl Figure {
    pub(crate) fn new(name: String, caption: impl Into<String>, svg: String) -> Self {
        Self { name, caption: caption.into(), svg, wide: false }
    }

    /// The same, taking the full width.
    pub(crate) fn wide(self) -> Self {
        Self { wide: true, ..self }
    }
}

impl Column {
    pub(crate) fn text(title: &str) -> Self {
        Self { title: title.to_owned(), numeric: false }
    }

    pub(crate) fn number(title: &str) -> Self {
        Self { title: title.to_owned(), numeric: true }
    }

    /// Columns of text, and behind them columns of numbers.
    pub(crate) fn list(texts: &[&str], numbers: &[&str]) -> Vec<Self> {
        texts.iter().map(|title| Self::text(title)).chain(numbers.iter().map(|title| Self::number(title))).collect()
    }
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A number as shown, and as sorted by.
    pub(crate) fn number(text: impl Into<String>, sort: f64) -> Self {
        Self { text: text.into(), sort: Some(sort), ..Self::default() }
    }

    pub(crate) fn count(count: usize) -> Self {
        Self::number(grouped(count as u64), count as f64)
    }

    /// Nothing is here, and `why`.
    pub(crate) fn absent(why: impl Into<String>) -> Self {
        Self { text: "–".to_owned(), title: Some(why.into()), tone: Tone::Absent, ..Self::default() }
    }

    /// A number as `shown` writes it, or why there is none.
    pub(crate) fn known(value: Option<f64>, why: &str, shown: impl FnOnce(f64) -> String) -> Self {
        value.map_or_else(|| Self::absent(why), |value| Self::number(shown(value), value))
    }

    /// An interval as `shown` writes it, sorted by its lower end, or why there is none.
    pub(crate) fn interval(value: Option<Interval>, why: &str, shown: impl FnOnce(Interval) -> String) -> Self {
        value.map_or_else(|| Self::absent(why), |interval| Self::number(shown(interval), interval.low))
    }

    pub(crate) fn small(mut self, small: impl Into<String>) -> Self {
        self.small = Some(small.into());
        self
    }

    pub(crate) fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    pub(crate) fn link(mut self, place: impl Into<String>) -> Self {
        self.link = Some(place.into());
        self
    }

    pub(crate) fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

impl Table {
    /// Text with aligned columns, for a terminal.
    pub(crate) fn to_text(&self) -> String {
        let shown = |cell: &Cell| match &cell.small {
            Some(small) => format!("{} ({small})", cell.text),
            None => cell.text.clone(),
        };
        let body: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(shown).collect()).collect();
        let head: Vec<String> = self.columns.iter().map(|column| column.title.clone()).collect();
        let width = |at: usize| {
            let own = |row: &Vec<String>| row.get(at).map_or(0, |text| text.chars().count());
            body.iter().chain([&head]).map(own).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let mut text = String::new();
        for row in [&head].into_iter().chain(&body) {
            let mut line = String::new();
            for ((cell, column), width) in row.iter().zip(&self.columns).zip(&widths) {
                let gap = if line.is_empty() { "" } else { "  " };
                let padded = if column.numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
                line = line + gap + &padded;
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_columns_line_up() {
        let table = Table {
            columns: vec![Column::text("task"), Column::number("score")],
            rows: vec![
                vec![Cell::text("rte"), Cell::number("7.0", 7.0)],
                vec![Cell::text("cola"), Cell::number("52.1", 52.1).small("n 3")],
            ],
            ..Table::default()
        };
        assert_eq!(table.to_text(), "task       score\nrte          7.0\ncola  52.1 (n 3)\n");
    }
}
