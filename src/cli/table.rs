//! Tables for terminals.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::diagnostic::{in_one_line, visible, visible_json};

/// A column's title and whether it holds numbers, which are aligned to the right.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// Words.
    Text(&'static str),
    /// Numbers.
    Number(&'static str),
}

/// A table without frames, as wide as its content or the terminal; no line ends in spaces.
pub(super) fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|column| match column {
        Column::Text(title) | Column::Number(title) => *title,
    }));
    for row in rows {
        table.add_row(row.iter().map(|cell| in_one_line(cell)));
    }
    for (at, column) in columns.iter().enumerate() {
        let Some(shown) = table.column_mut(at) else { continue };
        shown.set_padding((0, 2));
        if let Column::Number(_) = column {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// A value on standard output, as JSON.
pub(super) fn print_json(value: &serde_json::Value) -> std::io::Result<()> {
    print(&visible_json(&format!("{value:#}")))
}

/// A line or several on standard output, where a reader that went away (`| head`) is no error.
pub(super) fn print(text: &impl std::fmt::Display) -> std::io::Result<()> {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{}", visible(&text.to_string())) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
