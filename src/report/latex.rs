//! Tables in LaTeX, with the rules of the package booktabs.

use std::fmt::Write as _;

use super::block::{Block, Cell, Table, Tone};
use super::page::Page;

/// The sections whose tables a paper prints.
const SECTIONS: [&str; 2] = ["results", "versus"];

/// The tables of results and comparisons.
pub(crate) fn render(page: &Page) -> String {
    let mut text = String::from("% Tables for \\usepackage{booktabs}.\n");
    let sections = page.sections.iter().filter(|section| SECTIONS.contains(&section.id));
    for block in sections.flat_map(|section| &section.blocks) {
        if let Block::Table(of) = block {
            text = text + "\n" + &table(of);
        }
    }
    text
}

/// A table as a `table` environment; needs `\usepackage{booktabs}`.
pub(crate) fn table(table: &Table) -> String {
    let mut text = String::new();
    let columns: String = table.columns.iter().map(|column| if column.numeric { 'r' } else { 'l' }).collect();
    let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
    let head = line(table.columns.iter().map(|column| escape(&column.title)).collect());
    // Writing to a String cannot fail.
    let _ = write!(text, "\\begin{{table}}\n\\centering\n\\caption{{{}}}\n", escape(&table.caption));
    let _ = write!(text, "\\begin{{tabular}}{{{columns}}}\n\\toprule\n{head}\\midrule\n");
    for row in &table.rows {
        text += &line(row.iter().map(cell).collect());
    }
    text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
}

fn cell(cell: &Cell) -> String {
    let text = escape(&cell.text);
    let text = if cell.tone == Tone::Best && !text.is_empty() { format!("\\textbf{{{text}}}") } else { text };
    match &cell.small {
        Some(small) if text.is_empty() => format!("{{\\small {}}}", escape(small)),
        Some(small) => format!("{text} {{\\small ({})}}", escape(small)),
        None => text,
    }
}

/// What LaTeX would read as a command, and characters that its fonts of old do not have.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("$<$"),
            '>' => escaped.push_str("$>$"),
            '−' => escaped.push_str("$-$"),
            '±' => escaped.push_str("$\\pm$"),
            '×' => escaped.push_str("$\\times$"),
            '·' => escaped.push_str("$\\cdot$"),
            '–' => escaped.push_str("--"),
            '\u{202f}' => escaped.push_str("\\,"),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::block::Column;

    #[test]
    fn a_table_has_rules_and_names_are_text() {
        let given = Table {
            caption: "100 % & more".into(),
            columns: vec![Column::text("Task"), Column::number("a_b")],
            rows: vec![vec![Cell::text("rte"), Cell::number("−1.2", -1.2).small("± 3").tone(Tone::Best)]],
            ..Table::default()
        };
        assert_eq!(
            table(&given),
            "\\begin{table}\n\\centering\n\\caption{100 \\% \\& more}\n\\begin{tabular}{lr}\n\\toprule\nTask & a\\_b \\\\\n\
             \\midrule\nrte & \\textbf{$-$1.2} {\\small ($\\pm$ 3)} \\\\\n\\bottomrule\n\\end{tabular}\n\\end{table}\n"
        );
    }
}
