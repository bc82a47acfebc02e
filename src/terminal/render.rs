//! A finding as rustc would print it: what, where with the line's text and carets, what next.
//!
//! ```text
//! error: unknown task `mrcp`
//!   --> experiments/glue.yaml:7:14
//!    |
//!  7 | tasks: [rte, mrcp]
//!    |              ^^^^
//! hint: did you mean `mrpc`?
//! ```

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use crate::diagnostic::{Diagnostic, Place, in_one_line, visible_character};

/// Longer lines are cut around the carets, so that a file of one line does not fill the terminal.
const WIDEST_EXCERPT: usize = 120;

/// How many columns of a long line stay to the left of the carets.
const KEPT_LEFT: usize = 40;

const RED: &str = "\x1b[1;31m";
const BLUE: &str = "\x1b[1;34m";
const CYAN: &str = "\x1b[1;36m";
const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

/// The finding as text, every line ended by a line feed; with ANSI colours when `colour` is set.
/// Control characters of the input are made visible, never passed to the terminal.
#[must_use]
pub fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let ink = |code: &str, text: &str| if colour { format!("{code}{text}{RESET}") } else { text.to_owned() };
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{}", ink(RED, "error"), ink(BOLD, &format!(": {}", diagnostic.shown_message())));
    if let Some(place) = &diagnostic.place {
        excerpt(&mut out, place, &ink);
    }
    if let Some(hint) = diagnostic.shown_hint() {
        let _ = writeln!(out, "{}: {hint}", ink(CYAN, "hint"));
    }
    out
}

/// The place, and when a column is known, the line with carets under it.
fn excerpt(out: &mut String, place: &Place, ink: &dyn Fn(&str, &str) -> String) {
    let number = place.line.map(|line| line.to_string()).unwrap_or_default();
    let gutter = " ".repeat(number.len().max(1) + 1);
    let _ = writeln!(out, "{gutter}{} {}", ink(BLUE, "-->"), in_one_line(&place.to_string()));
    let (Some(text), Some(column)) = (&place.text, place.column) else { return };
    let line = cut(text, column.saturating_sub(1), place.width.max(1));
    let bar = ink(BLUE, "|");
    let _ = writeln!(out, "{gutter} {bar}");
    let _ = writeln!(out, " {} {bar} {}", ink(BLUE, &number), line.text);
    let carets = ink(RED, &"^".repeat(line.marked.max(1)));
    let _ = writeln!(out, "{gutter} {bar} {}{carets}", " ".repeat(line.before));
}

/// A line as shown: its text, and how many terminal columns stand before and under the carets.
struct Shown {
    text: String,
    before: usize,
    marked: usize,
}

/// The part of a line to show for `width` characters from `start`: tabs become spaces, control
/// characters visible, and a long line loses what is far from the carets.
fn cut(text: &str, start: usize, width: usize) -> Shown {
    let cells: Vec<String> = text.chars().map(cell).collect();
    let columns = |range: &[String]| range.iter().map(|cell| columns_of(cell)).sum::<usize>();
    let start = start.min(cells.len());
    let (mut first, mut last) = (0, cells.len());
    if columns(&cells) > WIDEST_EXCERPT {
        // From the carets outwards: from the line's beginning every step would add up what is left of it.
        let mut kept = 0;
        first = start;
        while first > 0 && kept + columns_of(&cells[first - 1]) <= KEPT_LEFT {
            first -= 1;
            kept += columns_of(&cells[first]);
        }
        last = first;
        let mut used = 0;
        while last < cells.len() && used + columns_of(&cells[last]) <= WIDEST_EXCERPT {
            used += columns_of(&cells[last]);
            last += 1;
        }
    }
    let end = (start + width).min(last);
    let (left, right) = (if first > 0 { "…" } else { "" }, if last < cells.len() { "…" } else { "" });
    Shown {
        text: format!("{left}{}{right}", cells[first..last].concat()),
        before: left.chars().count() + columns(&cells[first..start]),
        marked: columns(cells.get(start..end).unwrap_or_default()),
    }
}

fn cell(c: char) -> String {
    if c == '\t' { "    ".to_owned() } else { visible_character(c).to_string() }
}

fn columns_of(cell: &str) -> usize {
    cell.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn at(text: &str, line: usize, column: usize, width: usize) -> Diagnostic {
        let path = PathBuf::from("experiments/glue.yaml");
        let (line, column, text) = (Some(line), Some(column), Some(text.to_owned()));
        Diagnostic { place: Some(Place { path, line, column, width, text }), ..Diagnostic::new("unknown task `mrcp`") }
    }

    #[test]
    fn a_place_shows_the_line_and_carets() {
        let found = at("tasks: [rte, mrcp]", 7, 14, 4).hint("did you mean `mrpc`?");
        let expected = "error: unknown task `mrcp`
  --> experiments/glue.yaml:7:14
   |
 7 | tasks: [rte, mrcp]
   |              ^^^^
hint: did you mean `mrpc`?
";
        assert_eq!(render(&found, false), expected);
    }

    #[test]
    fn longer_line_numbers_widen_the_gutter() {
        let expected = "error: unknown task `mrcp`
    --> experiments/glue.yaml:123:3
     |
 123 | - mrcp
     |   ^^^^
";
        assert_eq!(render(&at("- mrcp", 123, 3, 4), false), expected);
    }

    #[test]
    fn without_a_place_or_a_column_there_is_no_excerpt() {
        assert_eq!(render(&Diagnostic::new("no device").hint("try cpu"), false), "error: no device\nhint: try cpu\n");
        let found = Diagnostic::new("7 columns").at_line(&PathBuf::from("dev.tsv"), 3);
        assert_eq!(render(&found, false), "error: 7 columns\n  --> dev.tsv:3\n");
    }

    #[test]
    fn carets_stand_under_wide_characters_and_tabs() {
        let shown = render(&at("\t名前: mrcp", 1, 6, 4), false);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[3], " 1 |     名前: mrcp");
        // Four columns for the tab, two for each ideograph, one each for colon and space.
        assert_eq!(lines[4], format!("   | {}^^^^", " ".repeat(10)));
    }

    #[test]
    fn a_long_line_is_cut_around_the_carets() {
        let text = format!("{}mrcp{}", "a".repeat(5000), "b".repeat(5000));
        let shown = render(&at(&text, 1, 5001, 4), false);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() < 140), "{shown}");
        let caret = lines[4].chars().position(|c| c == '^').unwrap();
        let under: String = lines[3].chars().skip(caret).take(4).collect();
        assert_eq!(under, "mrcp");
        assert_eq!(lines[4].matches('^').count(), 4);
    }

    #[test]
    fn a_place_past_the_end_of_the_line_has_one_caret() {
        let shown = render(&at("sweep:", 2, 7, 0), false);
        assert!(shown.contains("   |       ^\n"), "{shown}");
    }

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let mut found = at("a: \u{1b}[2J", 1, 4, 4);
        found.message = "bad \u{1b}[31m\u{9b}\u{202e}".to_owned();
        let shown = render(&found, false);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(!shown.contains('\u{202e}'));
    }

    #[test]
    fn colour_changes_nothing_but_escapes() {
        let found = at("tasks: [rte, mrcp]", 7, 14, 4).hint("did you mean `mrpc`?");
        let mut plain = String::new();
        let mut rest = &*render(&found, true);
        while let Some((text, code)) = rest.split_once('\u{1b}') {
            plain.push_str(text);
            rest = code.split_once('m').map_or("", |(_, rest)| rest);
        }
        plain.push_str(rest);
        assert_eq!(plain, render(&found, false));
        assert!(render(&found, true).contains('\u{1b}'));
    }
}
