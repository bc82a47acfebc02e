//! The parts of a page as values; [`super::html`] and [`super::markdown`] write them down.

use serde::Serialize;

use super::plot::Drawing;

/// One part of a section.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Block {
    /// A heading under the section's own.
    Heading {
        /// Its text.
        text: String,
    },
    /// Running text.
    Paragraph {
        /// Its text.
        text: String,
    },
    /// What a reader must not miss.
    Caution {
        /// Its text.
        text: String,
    },
    /// A row of headline numbers.
    Facts {
        /// The numbers.
        facts: Vec<Fact>,
    },
    /// A table.
    Table(Table),
    /// Plots that belong together, laid out as the screen allows.
    Figures {
        /// The plots.
        figures: Vec<Figure>,
    },
    /// Parts that stand side by side where the screen is wide enough.
    Beside {
        /// The parts.
        blocks: Vec<Block>,
    },
    /// A list of remarks.
    List {
        /// The remarks.
        items: Vec<String>,
    },
    /// Commands to copy.
    Code {
        /// Lines.
        text: String,
    },
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
    /// Its heading.
    pub(crate) title: &'static str,
    /// Its parts.
    pub(crate) blocks: Vec<Block>,
}

/// A headline number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fact {
    /// What it counts.
    pub(crate) label: String,
    /// The number.
    pub(crate) value: String,
    /// A line under it.
    pub(crate) detail: String,
    /// How it is marked.
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
    /// What it shows.
    pub(crate) caption: String,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
    /// Its rows, each with a cell per column.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Whether the page offers sorting and filtering.
    pub(crate) interactive: bool,
}

/// A column's head.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) title: String,
    /// Whether it holds numbers, which are aligned right.
    pub(crate) numeric: bool,
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cell {
    /// What it says.
    pub(crate) text: String,
    /// A second, smaller line.
    pub(crate) small: Option<String>,
    /// What a pointer's rest shows.
    pub(crate) title: Option<String>,
    /// Where it leads to: `#place` on this page, or another page.
    pub(crate) link: Option<String>,
    /// The number that it is sorted by; text without.
    pub(crate) sort: Option<f64>,
    /// How it is marked.
    pub(crate) tone: Tone,
}

/// A plot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// The name of its own file, without `.svg`; unique in a report.
    pub(crate) name: String,
    /// What it shows, as a line under it.
    pub(crate) caption: String,
    /// What it shows, for those who do not see it.
    pub(crate) description: String,
    /// Width and height in CSS pixels.
    pub(crate) size: (u32, u32),
    /// The drawing, an `<svg>` element with the light palette's colours.
    pub(crate) svg: String,
    /// Whether it takes the full width.
    pub(crate) wide: bool,
}

impl Block {
    pub(crate) fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph { text: text.into() }
    }

    pub(crate) fn heading(text: impl Into<String>) -> Self {
        Self::Heading { text: text.into() }
    }

    pub(crate) fn caution(text: impl Into<String>) -> Self {
        Self::Caution { text: text.into() }
    }
}

impl Figure {
    /// The figure of a drawing.
    pub(crate) fn new(name: String, caption: impl Into<String>, description: String, drawing: Drawing) -> Self {
        Self { name, caption: caption.into(), description, size: drawing.size, svg: drawing.svg, wide: false }
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
}

impl Cell {
    /// A cell of text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A number as shown, and as sorted by.
    pub(crate) fn number(text: impl Into<String>, sort: f64) -> Self {
        Self { text: text.into(), sort: Some(sort), ..Self::default() }
    }

    /// Nothing is here, and `why`.
    pub(crate) fn absent(why: impl Into<String>) -> Self {
        Self { text: "–".to_owned(), title: Some(why.into()), tone: Tone::Absent, ..Self::default() }
    }

    pub(crate) fn small(mut self, small: impl Into<String>) -> Self {
        self.small = Some(small.into());
        self
    }

    pub(crate) fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    pub(crate) fn link(mut self, anchor: impl AsRef<str>) -> Self {
        self.link = Some(format!("#{}", anchor.as_ref()));
        self
    }

    pub(crate) fn link_to_page(mut self, page: impl Into<String>) -> Self {
        self.link = Some(page.into());
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
