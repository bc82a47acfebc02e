//! Tables and lines for terminals: as wide as the terminal, or 80 columns where there is none.

use std::io::IsTerminal;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

use crate::diagnostic::{in_one_line, visible, visible_json};

/// A column's title and what it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column<'a> {
    /// Words, which are broken where the table would be too wide.
    Text(&'a str),
    /// A word that is never broken: an id, a path, a state.
    Word(&'a str),
    /// Numbers: aligned to the right and never broken.
    Number(&'a str),
}

impl<'a> Column<'a> {
    /// What stands above it.
    pub(crate) fn title(self) -> &'a str {
        match self {
            Self::Text(title) | Self::Word(title) | Self::Number(title) => title,
        }
    }
}

/// Columns of a line where no terminal says how many it has.
const WIDTH: usize = 80;

/// How many columns a line may have: the terminal's, else those that `COLUMNS` says, else 80.
pub(crate) fn width() -> usize {
    let of_terminal = std::io::stdout().is_terminal().then(|| Table::new().width()).flatten().map(usize::from);
    let said = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    of_terminal.or_else(said).unwrap_or(WIDTH)
}

/// A table without frames that fits the terminal; no line ends in spaces.
pub(crate) fn table(columns: &[Column<'_>], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    laid_out(columns, rows, ContentArrangement::Dynamic)
}

/// The same as wide as what is in it.
pub(crate) fn whole_table(columns: &[Column<'_>], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    laid_out(columns, rows, ContentArrangement::Disabled)
}

/// A table of runs. Where it is too wide, what all of them have in common is said once above it, by the columns' `names`.
pub(crate) fn runs_table(columns: &[Column<'_>], names: &[&str], rows: &[Vec<String>]) -> String {
    let whole = whole_table(columns, rows.to_vec());
    if whole.lines().all(|line| line.width() <= width()) {
        return whole;
    }
    let is_common = |at: &usize| rows.len() > 1 && rows.iter().all(|row| row[*at] == rows[0][*at]);
    let (common, differing): (Vec<usize>, Vec<usize>) = (0..columns.len()).partition(is_common);
    let columns: Vec<Column<'_>> = differing.iter().map(|at| columns[*at]).collect();
    let body = table(&columns, rows.iter().map(|row| differing.iter().map(|at| row[*at].clone()).collect()));
    if common.is_empty() {
        return body;
    }
    let common: Vec<String> = common.iter().map(|at| format!("{} {}", names[*at], rows[0][*at])).collect();
    format!("{}\n\n{body}", wrapped(&format!("all runs: {}", common.join(", ")), 0))
}

fn laid_out(
    columns: &[Column<'_>],
    rows: impl IntoIterator<Item = Vec<String>>,
    arrangement: ContentArrangement,
) -> String {
    let mut table = Table::new();
    // Two more: the space after the last column is cut off.
    table.load_style(presets::NOTHING).set_width(width().saturating_add(2).min(u16::MAX.into()) as u16);
    table.set_content_arrangement(arrangement);
    table.set_header(columns.iter().map(|column| column.title()));
    for row in rows {
        table.add_row(row.iter().map(|cell| in_one_line(cell)));
    }
    for (at, column) in columns.iter().enumerate() {
        let Some(shown) = table.column_mut(at) else { continue };
        shown.set_padding((0, 2));
        match column {
            Column::Text(_) => {}
            Column::Word(_) => drop(shown.set_constraint(ColumnConstraint::ContentWidth)),
            Column::Number(_) => {
                shown.set_constraint(ColumnConstraint::ContentWidth).set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// The words of `text`, a number and its unit as one.
fn words(text: &str) -> Vec<String> {
    let is_unit = |word: &str| {
        let word = word.trim_end_matches([',', ';', '.', ':', ')']);
        ["%", "s", "min", "h", "days", "KiB", "MiB", "GiB", "TiB"].contains(&word)
    };
    let is_number = |word: &str| word.trim_start_matches('(').parse::<f64>().is_ok();
    let mut found: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match found.last_mut() {
            Some(number) if is_unit(word) && is_number(number) => number.extend([" ", word]),
            Some(_) | None => found.push(word.to_owned()),
        }
    }
    found
}

/// `text` in lines that fit the terminal, those after the first indented; a word that is longer has a line of its own.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    let mut is_empty = true;
    for word in &words(text) {
        if !is_empty && line.width() + 1 + word.width() > width() {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += word;
        is_empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

/// A line that is wrapped, on standard output.
pub(crate) fn print_wrapped(text: &impl std::fmt::Display, indent: usize) -> std::io::Result<()> {
    print(&wrapped(&in_one_line(&text.to_string()), indent))
}

/// A value on standard output, as JSON.
pub(crate) fn print_json(value: &serde_json::Value) -> std::io::Result<()> {
    print(&visible_json(&format!("{value:#}")))
}

/// A line or several on standard output, where a reader that went away (`| head`) is no error.
pub(crate) fn print(text: &impl std::fmt::Display) -> std::io::Result<()> {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{}", visible(&text.to_string())) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_not_parted_from_its_unit() {
        let text = "took 2 min 02 s (16.2 s), 6.3 % of it with up to 92.0 MiB, s it did";
        let parts = words(text);
        for whole in ["2 min", "02 s", "(16.2 s),", "6.3 %", "92.0 MiB,"] {
            assert!(parts.iter().any(|part| part == whole), "{whole}: {parts:?}");
        }
        assert_eq!(parts.join(" "), text);
    }
}
