//! The page as Markdown (tables as in GitHub's dialect, plots as links to their files).

use std::fmt::Write as _;

use super::block::{Block, Cell, Fact, Table, Tone};
use super::page::Page;

/// Renders the page; the per-run details are left to `results.json`.
pub(crate) fn render(page: &Page) -> String {
    let mut text = String::new();
    if let Some(notice) = &page.notice {
        let _ = writeln!(text, "> **{}**\n", escape(notice));
    }
    let _ = writeln!(text, "# {}\n\n{}", escape(&page.title), escape(&page.subtitle));
    for section in &page.sections {
        let _ = writeln!(text, "\n## {}", escape(section.title));
        for block in &section.blocks {
            write_block(&mut text, block);
        }
    }
    text
}

fn write_block(text: &mut String, block: &Block) {
    let _ = match block {
        Block::Heading(heading) => writeln!(text, "\n### {}", escape(heading)),
        Block::Paragraph(words) => writeln!(text, "\n{}", escape(words)),
        Block::Caution(words) => writeln!(text, "\n> **Note:** {}", escape(words)),
        Block::Facts(facts) => {
            let line =
                |of: &Fact| format!("- {}: **{}** ({})", escape(&of.label), escape(&of.value), escape(&of.detail));
            writeln!(text, "\n{}", lines(facts.iter().map(line)))
        }
        Block::Table(table) => write_table(text, table),
        Block::Figures(figures) => figures
            .iter()
            .try_for_each(|figure| writeln!(text, "\n![{}]({}.svg)", escape(&figure.caption), figure.name)),
        Block::Beside(blocks) => {
            for block in blocks {
                write_block(text, block);
            }
            Ok(())
        }
        Block::List(items) => writeln!(text, "\n{}", lines(items.iter().map(|item| format!("- {}", escape(item))))),
        // An indented code block: no fence that the text could close.
        Block::Code(code) => writeln!(text, "\n{}", lines(code.lines().map(|line| format!("    {line}")))),
        Block::Details { .. } => Ok(()),
    };
}

fn lines(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join("\n")
}

pub(crate) fn table(table: &Table) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_table(&mut text, table);
    text.trim_start().to_owned()
}

fn write_table(text: &mut String, table: &Table) -> std::fmt::Result {
    writeln!(text, "\n{}\n", escape(&table.caption))?;
    let titles: Vec<String> = table.columns.iter().map(|column| escape(&column.title)).collect();
    writeln!(text, "| {} |", titles.join(" | "))?;
    let rules: Vec<&str> = table.columns.iter().map(|column| if column.numeric { "---:" } else { "---" }).collect();
    writeln!(text, "| {} |", rules.join(" | "))?;
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(cell).collect();
        writeln!(text, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn cell(cell: &Cell) -> String {
    let text = escape(&cell.text);
    let text = if cell.tone == Tone::Best && !text.is_empty() { format!("**{text}**") } else { text };
    // No pointer rests on Markdown: what is absent says why in the text.
    let small = cell.small.as_ref().or(cell.title.as_ref().filter(|_| cell.tone == Tone::Absent));
    match small {
        Some(small) if text.is_empty() => escape(small),
        Some(small) => format!("{text} ({})", escape(small)),
        None => text,
    }
}

/// Characters that Markdown or HTML would read as markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_names_is_text() {
        assert_eq!(escape("a|b <b>& *x*\n`"), "a\\|b &lt;b&gt;&amp; \\*x\\* \\`");
        assert_eq!(cell(&Cell::absent("not run")), "– (not run)");
        assert_eq!(cell(&Cell::text("7").tone(Tone::Best).small("n 3")), "**7** (n 3)");
    }
}
