//! What a user is told when an input is wrong: what, where, and what next.
//!
//! Modules return a [`Diagnostic`] (alone, inside their own error enum, or as an [`Error`]); only `cli` renders it.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

/// One finding about a user's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, one line, no full stop: ``unknown task `mrcp` ``.
    pub message: String,
    /// Where it is wrong, when that is known.
    pub place: Option<Place>,
    /// What to do next: ``did you mean `mrpc`?``
    pub hint: Option<String>,
    /// Whether nothing is wrong but that something is not on this machine.
    pub is_absence: bool,
}

/// A position in a file. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it.
    pub path: PathBuf,
    /// The line, when one is to blame.
    pub line: Option<usize>,
    /// The first character to blame in that line.
    pub column: Option<usize>,
    /// How many characters to underline; 0 means one caret.
    pub width: usize,
    /// The text of that line, for the excerpt under the message.
    pub text: Option<String>,
}

impl Diagnostic {
    /// A finding without a place.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None, is_absence: false }
    }

    /// That the file at `path` is no longer the one that a run's id was made from.
    #[must_use]
    pub fn changed(path: &Path) -> Self {
        Self::new("the file changed while it was in use").in_file(path).hint("start again, so that it is read again")
    }

    /// The same finding, about the whole file at `path`.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.place = Some(Place { path: path.to_path_buf(), line: None, column: None, width: 0, text: None });
        self
    }

    /// The same finding, about one line (from 1) of the file at `path`.
    #[must_use]
    pub fn at_line(mut self, path: &Path, line: usize) -> Self {
        self.place = Some(Place { path: path.to_path_buf(), line: Some(line), column: None, width: 0, text: None });
        self
    }

    /// The same finding, as one of something that is not on this machine.
    #[must_use]
    pub fn absence(mut self) -> Self {
        self.is_absence = true;
        self
    }

    /// The same finding, with a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Place {
    /// `experiments/glue.yaml:7:11`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    /// One line, for logs: `experiments/glue.yaml:7:11: unknown task`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}: ", in_one_line(&place.to_string()))?;
        }
        write!(f, "{}", self.shown_message())?;
        if let Some(hint) = self.shown_hint() {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// The message as it is shown: in one line, cut where it quotes too much.
    #[must_use]
    pub fn shown_message(&self) -> String {
        in_one_line(&shortened(&self.message, LONGEST_MESSAGE))
    }

    /// The hint as it is shown.
    #[must_use]
    pub fn shown_hint(&self) -> Option<String> {
        self.hint.as_ref().map(|hint| in_one_line(&shortened(hint, LONGEST_HINT)))
    }
}

impl std::error::Error for Diagnostic {}

/// Why something that a user asked for cannot be done: by whose fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user's input is at fault: everything that was found, not only the first.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Input(Vec<Diagnostic>),
    /// The machine is: a disk that cannot be read or written.
    #[error("{0}")]
    System(String),
}

impl Error {
    /// An error that is not the user's.
    pub fn system(error: impl fmt::Display) -> Self {
        Self::System(error.to_string())
    }
}

impl From<Diagnostic> for Error {
    fn from(finding: Diagnostic) -> Self {
        Self::Input(vec![finding])
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::system(error)
    }
}

/// Longer messages and hints are cut: what they quote of an input may be of any length.
const LONGEST_MESSAGE: usize = 600;
const LONGEST_HINT: usize = 1200;
/// Names are not compared beyond so many characters, and not more of them are listed.
const LONGEST_NAME: usize = 100;
const MOST_NAMES: usize = 60;

/// Text from an input in one line that may be shown anywhere: as [`visible`], and line breaks and tabs too.
#[must_use]
pub fn in_one_line(text: &str) -> String {
    text.chars().map(visible_character).collect()
}

/// Text of several lines from inputs that may be shown anywhere: control characters, which could move a terminal's
/// cursor or recolour it, are the pictures of Unicode's block U+2400, and the marks that reorder text, by which it could
/// seem to say something else, are U+FFFD. Line feeds and tabs stay.
#[must_use]
pub fn visible(text: &str) -> String {
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    text.chars().map(|c| if matches!(c, '\n' | '\t') { c } else { visible_character(c) }).collect()
}

/// Whether a byte is a letter, digit, sign or space of ASCII or ends a line: most of what is shown is nothing else.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n')
}

/// A character as [`in_one_line`] has it.
#[must_use]
pub fn visible_character(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other => other,
    }
}

/// JSON in which the characters that [`visible`] replaces are written as escapes, which read back as they were.
#[must_use]
pub fn visible_json(json: &str) -> String {
    if json.bytes().all(is_plain) {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || visible_character(c) == c {
            text.push(c);
        } else {
            // All of them have four digits. Writing to a String cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
    }
    text
}

/// The first `most` of some names, and how many more there are.
#[must_use]
pub fn first_of(names: &[&str], most: usize) -> String {
    match names.len().checked_sub(most) {
        Some(more) if more > 0 => format!("{} and {more} more", names[..most].join(", ")),
        _ => names.join(", "),
    }
}

/// At most `most` characters: the beginning, and a little of the end.
fn shortened(text: &str, most: usize) -> String {
    let end = most / 4;
    match text.chars().count() {
        count if count <= most => text.to_owned(),
        count => {
            let begin = text.chars().take(most - end - 1);
            begin.chain(['…']).chain(text.chars().skip(count - end)).collect()
        }
    }
}

/// ``did you mean `mrpc`?`` when one of `known` is near `wrong`, else the list of what is known.
#[must_use]
pub fn suggest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let short = |name: &&&str| name.len() <= LONGEST_NAME && wrong.len() <= LONGEST_NAME;
    let lowered = wrong.to_lowercase();
    let nearest = known
        .iter()
        .filter(short)
        .map(|name| (strsim::damerau_levenshtein(&lowered, &name.to_lowercase()), *name))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, name)) if distance <= 1.max(name.chars().count() / 3) => format!("did you mean `{name}`?"),
        _ => format!("known: {}", first_of(&known, MOST_NAMES)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_listed() {
        assert_eq!(suggest("mrcp", ["mrpc", "rte"]), "did you mean `mrpc`?");
        assert_eq!(suggest("RTE", ["mrpc", "rte"]), "did you mean `rte`?");
        assert_eq!(suggest("imagenet", ["mrpc", "rte"]), "known: mrpc, rte");
    }

    #[test]
    fn what_is_shown_holds_no_control_characters_and_is_never_long() {
        let hostile = "a\u{1b}[31m\u{9b}\u{202e}\u{61c}\n\tb";
        assert_eq!(in_one_line(hostile), "a␛[31m\u{fffd}\u{fffd}\u{fffd}␊␉b");
        assert_eq!(visible(hostile), "a␛[31m\u{fffd}\u{fffd}\u{fffd}\n\tb");
        let json = serde_json::to_string_pretty(&[hostile]).unwrap();
        assert_eq!(visible(&visible_json(&json)), visible_json(&json));
        assert_eq!(serde_json::from_str::<[String; 1]>(&visible_json(&json)).unwrap(), [hostile]);
        let found = Diagnostic::new("x".repeat(100_000)).hint("é".repeat(100_000)).in_file(Path::new("a\u{202e}b"));
        let said = found.to_string();
        assert!(said.starts_with("a\u{fffd}b: xxx") && said.contains('…') && said.chars().count() < 2000, "{said}");
        let many: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
        let known = suggest(&"y".repeat(100_000), many.iter().map(String::as_str).chain([&*"z".repeat(100_000)]));
        assert!(known.starts_with("known: 0, 1, ") && known.ends_with(", 59 and 4941 more"), "{known}");
    }

    #[test]
    fn one_line_form_names_the_place_first() {
        let found =
            Diagnostic::new("7 columns where 4 were expected").at_line(Path::new("dev.tsv"), 3).hint("is it RTE's?");
        assert_eq!(found.to_string(), "dev.tsv:3: 7 columns where 4 were expected (is it RTE's?)");
    }
}
