//! Plain text as google-research/bert's `extract_features.py` reads it: one line an example, and ` ||| `
//! between the texts of a pair.

use std::path::Path;

use super::pair::TextPair;
use crate::diagnostic::Diagnostic;

const BYTE_ORDER_MARK: &str = "\u{feff}";
/// Between the texts of a pair; of several in a line the last one counts, as for the script's greedy pattern.
const BETWEEN: &str = " ||| ";

/// The lines of `bytes` as examples without labels, white space at their ends cut off. An empty line is an example without tokens, so that
/// the number of an example is that of its line. `path` is the name for messages.
///
/// # Errors
/// Nothing at all; a line that is not UTF-8.
pub fn read_lines<'a>(bytes: &'a [u8], path: &Path) -> Result<Vec<TextPair<'a>>, Diagnostic> {
    if bytes.is_empty() {
        return Err(Diagnostic::new("the file is empty").in_file(path));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Diagnostic::new("the line is not valid UTF-8").at_line(path, line).hint("save the file as UTF-8")
    })?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    Ok(lines.map(|line| pair(line.trim())).collect())
}

fn pair(line: &str) -> TextPair<'_> {
    let (first, second) = line.rsplit_once(BETWEEN).map_or((line, None), |(first, second)| (first, Some(second)));
    TextPair { first, second, label: f32::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(&str, Option<&str>)>, String> {
        let lines = read_lines(bytes, Path::new("<stdin>")).map_err(|found| found.to_string())?;
        Ok(lines.into_iter().map(|line| (line.first, line.second)).collect())
    }

    #[test]
    fn a_line_is_an_example_and_bars_with_spaces_part_a_pair() {
        let text = "\u{feff} a b \r\n\na ||| b\n|||\na ||| b ||| c\n ||| b\na |||\nb";
        let expected = [
            ("a b", None),
            ("", None),
            ("a", Some("b")),
            ("|||", None),
            ("a ||| b", Some("c")),
            // The ends of a line are cut off first, as the script does.
            ("||| b", None),
            ("a |||", None),
            ("b", None),
        ];
        assert_eq!(read(text.as_bytes()).unwrap(), expected);
        assert_eq!(read(b"a\n\n").unwrap(), [("a", None), ("", None)]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        assert_eq!(read(b"").unwrap_err(), "<stdin>: the file is empty");
        let said = read(b"a\nb\n\xe9t\xe9\n").unwrap_err();
        assert_eq!(said, "<stdin>:3: the line is not valid UTF-8 (save the file as UTF-8)");
    }
}
